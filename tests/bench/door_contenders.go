package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/signature"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/plugins/all"
)

// serveDoor is the work of a door's process.
func serveDoor(ctx context.Context, role string, p place, u *usage) error {
	if role == roleBare {
		return bareDoor(ctx, p, u)
	}
	env, err := all.Environment(role == roleStock) // the product refuses http_server
	if err != nil {
		return err
	}
	if role == roleUnkept {
		if err := registerUnkept(env); err != nil {
			return err
		}
	}
	return stream(ctx, env, quietly+map[string]string{
		roleCollector: p.collector(), roleStock: p.stock(), roleWebhook: p.webhook(), roleUnkept: p.unkept(),
	}[role]+p.written(), u)
}

func (p place) written() string {
	return fmt.Sprintf(`
output:
  redpanda:
    seed_brokers: [ %q ]
    topic: ${! @topic }
    key: ${! @key }
    metadata: { include_prefixes: [ webhook_ ] }
`, p.Brokers)
}

func (p place) collector() string {
	return fmt.Sprintf(`
input:
  collector:
    address: %s
    consent:
      purposes:
        analytics: { categories: [ Analytics ] }
        marketing: { categories: [ Advertising ] }
    sources: [ { name: backend, kind: server, write_keys: [ { id: main, sha256: %q } ] } ]
`, p.Address, p.KeyHash)
}

// stock does with the engine's own parts what the collector does of it: an envelope of each event. It checks no key and no JSON, knows
// no duplicates and corrects no clock.
func (p place) stock() string {
	return fmt.Sprintf(`
input:
  http_server:
    address: %s
    path: /v1/batch
    allowed_verbs: [ POST ]
    timeout: 30s
pipeline:
  threads: 1
  processors:
    - mapping: |
        root = this.batch.map_each(e -> {
          "event_name": e.event.lowercase().replace_all(" ", "_"),
          "event_id": "evt_" + e.messageId.hash("sha256").encode("hex").slice(0, 26),
          "timestamp": e.timestamp, "received_at": now(),
          "subject": { "user_id": e.userId, "anonymous_id": e.anonymousId },
          "consent": { "analytics": e.context.consent.categoryPreferences.Analytics, "marketing": e.context.consent.categoryPreferences.Advertising },
          "context": { "source": "backend", "schema_version": "1.0.0", "locale": e.context.locale },
          "properties": e.properties
        })
    - unarchive: { format: json_array }
    - mapping: |
        meta topic = "events.raw"
        meta key = this.subject.user_id.hash("sha256").encode("hex")
`, p.Address)
}

func (p place) webhook() string {
	return fmt.Sprintf(`
input:
  webhook:
    address: %s
    receipts: { seed_brokers: [ %q ] }
    endpoints: [ { path: /stripe, source: stripe, provider: stripe, secrets: [ { id: main, env: %s } ] } ]
`, p.Address, p.Brokers, envSecret)
}

func (p place) unkept() string {
	return fmt.Sprintf("\ninput:\n  unkept: { address: %s }\n", p.Address)
}

// bareDoor is the least that makes a body durable before it is answered.
func bareDoor(ctx context.Context, p place, u *usage) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(p.Brokers), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerBatchMaxBytes(1<<20))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return err
	}
	server := &http.Server{Addr: p.Address, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = client.ProduceSync(r.Context(), &kgo.Record{Topic: "events.raw", Value: body}).FirstErr()
		}
		if err != nil {
			http.Error(w, "not durable", http.StatusServiceUnavailable)
		}
	})}
	u.Start = cpu()
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// registerUnkept adds a webhook door that does all the product's does, and writes no receipt.
func registerUnkept(env *service.Environment) error {
	spec := service.NewConfigSpec().Field(service.NewStringField("address"))
	return env.RegisterBatchInput("unkept", spec, func(conf *service.ParsedConfig, _ *service.Resources) (service.BatchInput, error) {
		address, err := conf.FieldString("address")
		if err != nil {
			return nil, err
		}
		scheme, err := signature.New(signature.Config{Provider: "stripe", Secrets: []signature.Secret{{ID: "main", Value: os.Getenv(envSecret)}}})
		return &unkept{address: address, scheme: scheme, handover: door.NewHandover(500), memory: door.NewMemory(64 << 20)}, err
	})
}

type unkept struct {
	address  string
	scheme   *signature.Scheme
	handover *door.Handover
	memory   *door.Memory
	server   *door.Server
}

func (in *unkept) Connect(context.Context) (err error) {
	cfg := &door.Config{Address: in.address, ReadTimeout: 30 * time.Second, HeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	in.server, err = door.Listen(cfg, http.HandlerFunc(in.serve), func() bool { return true })
	return err
}

func (in *unkept) serve(w http.ResponseWriter, r *http.Request) {
	body, refusal := door.ReadBody(w, r, door.BodyLimits{MaxBytes: 1 << 20, MaxRatio: 100}, in.memory)
	if refusal != nil {
		refusal.Write(w)
		return
	}
	defer in.memory.Give(int64(len(body)))
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	w.Header().Set(door.HeaderCorrelationID, door.CorrelationID(r))
	if !in.scheme.Verify(r.Header, body, time.Now()).OK() {
		http.Error(w, "bad signature", http.StatusUnauthorized)
		return
	}
	id := ""
	if d, err := in.scheme.Describe(r.Header, body); err == nil && len(d.Events) == 1 {
		id = d.Events[0].ID
	}
	landing, msg := &stage.Landing{}, service.NewMessage(body)
	for name, text := range map[string]string{
		stage.MetaTopic: "inbound.webhooks", stage.MetaKey: event.DeriveID("stripe", id), stage.MetaEventID: event.DeriveID("stripe", id),
		"webhook_source": "stripe", "webhook_provider": "stripe", "webhook_id": id,
		"webhook_signature": signature.FormatHeaders(in.scheme.SignedHeaders(r.Header)),
	} {
		msg.MetaSet(name, text)
	}
	stage.AskLanding(msg, landing)
	if err := in.handover.Deliver(ctx, service.MessageBatch{msg}); err != nil {
		door.RefuseNotDurable.Write(w)
	}
}

func (in *unkept) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	return in.handover.Next(ctx)
}

func (in *unkept) Close(ctx context.Context) error {
	in.handover.Close()
	return in.server.Close(ctx)
}
