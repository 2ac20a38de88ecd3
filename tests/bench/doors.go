package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	ws "github.com/ebbgate/ebbgate/internal/workspace"
	"github.com/ebbgate/ebbgate/internal/writekey"
)

// The doors that are measured, each in a process of its own with GOMAXPROCS=1.
const (
	roleCollector = "collector" // ours
	roleStock     = "stock"     // the engine's http_server, a mapping, and our output
	roleBare      = "bare"      // net/http and franz-go: the body as it came
	roleWebhook   = "webhook"   // ours, with a receipt for each delivery
	roleUnkept    = "unkept"    // the same without receipts
)

const (
	doorBatch   = 100  // events of a request to a collector
	doorBatches = 600  // requests of a round
	doorHooks   = 8000 // deliveries of a round
	doorWorkers = 32
	envSecret   = "EBBGATE_BENCH_SECRET"
)

// doorRun is one measured run of a door.
type doorRun struct {
	usage
	requests int
	wall     time.Duration
	p99      time.Duration // at half of what it took at most; webhooks alone
}

func (r doorRun) perRequest() float64 {
	return float64((r.Total - r.Start).Microseconds()) / float64(r.requests)
}

// doors runs the doors in turn.
type doors struct {
	servers    *servers
	keyFile    string
	key        string // of the collector's source
	secret     string // of the webhook's endpoint
	runs       map[string][]doorRun
	everyHalf  time.Duration // between two deliveries at half of the maximum
	batch      []byte
	eventBytes int
}

func measureDoors(ctx context.Context, rounds int) (*doors, error) {
	dir, err := os.MkdirTemp("", "ebbgate-doors-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	d := &doors{keyFile: filepath.Join(dir, "keys"), key: writekey.New(), secret: "whsec_" + rand.Text(), runs: map[string][]doorRun{}}
	if err := keys.Init(d.keyFile); err != nil {
		return nil, err
	}
	if d.servers, err = startServers(ctx, dir); err != nil {
		return nil, err
	}
	defer d.servers.stop()
	if err := d.topics(ctx); err != nil {
		return nil, err
	}
	d.batch, d.eventBytes = sdkBatch()
	for round := range rounds {
		for _, role := range []string{roleCollector, roleStock, roleBare, roleWebhook, roleUnkept} {
			run, err := d.run(ctx, role)
			if err != nil {
				return nil, fmt.Errorf("running %s: %w", role, err)
			}
			tell("round %d  %-10s %7.1f us/request  %v  p99 %v", round, role, run.perRequest(), run.wall.Round(time.Millisecond), run.p99.Round(10*time.Microsecond))
			if round > 0 || rounds == 1 {
				d.runs[role] = append(d.runs[role], run)
			}
		}
	}
	return d, nil
}

func (d *doors) topics(ctx context.Context) error {
	loaded, err := ws.Load(shipped)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(d.servers.brokers))
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = kafka.ApplyTopics(ctx, kadm.NewClient(client), loaded.Topics)
	return err
}

// run starts a door, knocks, and reads what it cost.
func (d *doors) run(ctx context.Context, role string) (r doorRun, err error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return r, err
	}
	address := ln.Addr().String()
	ln.Close()
	where, err := json.Marshal(place{Brokers: d.servers.brokers, Address: address, KeyHash: writekey.HashOf(d.key).String()})
	if err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), envRole+"="+role, envPlace+"="+string(where), envSecret+"="+d.secret,
		keys.EnvironmentVariable+"="+d.keyFile, "GOMAXPROCS=1", "TZ=UTC")
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, err
	}
	knocked := d.knock(ctx, role, address, &r)
	_ = stdin.Close()
	if err := errors.Join(knocked, cmd.Wait()); err != nil {
		return r, fmt.Errorf("%w: %s", err, last(messages.String(), 2000))
	}
	return r, json.NewDecoder(&out).Decode(&r.usage)
}

// sdkBatch is what an SDK for servers sends: a hundred events of about 1 KB.
func sdkBatch() (body []byte, each int) {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	var events []string
	for i := range doorBatch {
		events = append(events, fmt.Sprintf(`{"type":"track","messageId":"m-%s-%d","userId":"u_%d","anonymousId":"a_%d","event":"Feature Used",`+
			`"properties":{"feature":"reports.export","outcome":"completed","duration_ms":%d,"search_query":%q},`+
			`"context":{"locale":"en-GB","library":{"name":"@segment/analytics-node","version":"2.2.0"},"consent":{"categoryPreferences":{"Analytics":true,"Advertising":false}}},`+
			`"timestamp":%q,"_metadata":{"nodeVersion":"20","jsRuntime":"node"}}`, rand.Text()[:8], i, i%50, i%50, i*37, strings.Repeat("weekly report ", 40), now))
	}
	each = len(events[0])
	return []byte(`{"batch":[` + strings.Join(events, ",") + `],"sentAt":"` + now + `"}`), each
}
