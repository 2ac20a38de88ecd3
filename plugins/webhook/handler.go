package webhook

import (
	"context"
	"net/http"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/signature"
	"github.com/ebbgate/ebbgate/internal/stage"
)

var refuseSignature = &door.Refusal{Status: http.StatusUnauthorized, Code: "bad_signature", Message: "the signature is missing, wrong or too old"}

func (in *input) serve(w http.ResponseWriter, r *http.Request) {
	ep := in.endpoints[r.URL.Path]
	if ep == nil {
		door.RefusePath.Write(w)
		return
	}
	if refusal := in.attempt(w, r, ep); refusal != nil {
		in.metrics.refused.Incr(1, ep.source, refusal.Code)
		refusal.Write(w)
	}
}

// attempt answers a request, or says how it is to be refused.
func (in *input) attempt(w http.ResponseWriter, r *http.Request, ep *endpoint) *door.Refusal {
	begin := in.now()
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return door.RefuseMethod
	}
	if refusal := ep.admission.Enter(begin); refusal != nil {
		return refusal
	}
	defer ep.admission.Leave()
	body, refusal := door.ReadBody(w, r, in.door.Body, in.memory)
	if refusal != nil {
		return refusal
	}
	defer in.memory.Give(int64(len(body)))
	ctx, cancel := context.WithTimeout(r.Context(), in.door.AnswerTimeout)
	defer cancel()
	rec := in.newReceipt(r, ep, body)
	w.Header().Set(door.HeaderCorrelationID, rec.Correlation)
	verified := ep.scheme.Verify(r.Header, body, begin)
	rec.Verification, rec.Key = string(verified.Code), verified.KeyID
	in.metrics.receipts.Incr(1, ep.source, rec.Verification)
	if !verified.OK() {
		return in.turnAway(ctx, w, rec)
	}
	if text, ok := ep.scheme.Challenge(body); ok {
		return in.echo(ctx, w, rec, text)
	}
	if refusal := in.accept(ctx, w, r, ep, body, rec); refusal != nil {
		return refusal
	}
	in.metrics.durable.Timing(int64(in.now().Sub(begin)), ep.source)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"success":true}`))
	return nil
}

func (in *input) newReceipt(r *http.Request, ep *endpoint, body []byte) *receipt.Receipt {
	return &receipt.Receipt{
		ID: receipt.NewID(), At: in.now().UTC().Truncate(time.Millisecond), Source: ep.source, Scheme: ep.provider,
		Correlation: door.CorrelationID(r), BodySHA256: receipt.SumBody(body), BodyBytes: len(body),
		Remote: door.AddressClass(in.door.Proxies.Client(r)),
	}
}

func (in *input) turnAway(ctx context.Context, w http.ResponseWriter, rec *receipt.Receipt) *door.Refusal {
	rec.Status = refuseSignature.Status
	if err := in.write(ctx, w, rec); err != nil {
		return door.RefuseNotDurable
	}
	return refuseSignature
}

// echo answers a provider that asks whether the endpoint is ours before it delivers.
func (in *input) echo(ctx context.Context, w http.ResponseWriter, rec *receipt.Receipt, text string) *door.Refusal {
	rec.Status = http.StatusOK
	if err := in.write(ctx, w, rec); err != nil {
		return door.RefuseNotDurable
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte(text))
	return nil
}

// accept makes the delivery durable, and then the receipt that says where it is.
func (in *input) accept(ctx context.Context, w http.ResponseWriter, r *http.Request, ep *endpoint, body []byte, rec *receipt.Receipt) *door.Refusal {
	digest := describe(ep, r, body, rec)
	if rec.Attempt > 1 {
		in.metrics.retries.Incr(1, ep.source)
	}
	landing := &stage.Landing{}
	if err := in.handover.Deliver(ctx, service.MessageBatch{in.message(ep, r, body, rec, digest, landing)}); err != nil {
		return door.RefuseNotDurable
	}
	at, landed := landing.At()
	if !landed {
		in.log.Error("a delivery was acknowledged, but its record was written nowhere: end the webhook stream with one redpanda output that writes to ${! @topic }")
		return door.RefuseNotDurable
	}
	rec.Raw = &receipt.Ref{Topic: at.Topic, Partition: at.Partition, Offset: at.Offset}
	rec.Status = http.StatusOK
	if err := in.write(ctx, w, rec); err != nil {
		return door.RefuseNotDurable
	}
	if rec.Delivery != "" && ep.bodies.again(rec.BodySHA256, rec.Delivery) {
		in.metrics.equalBodies.Incr(1, ep.source)
	}
	return nil
}

// describe says what the delivery is. One that cannot be read, or holds several events, is known by its bytes; the stage
// that takes it apart names its events. The digest is what repeats of it are compared by, empty for the body itself.
func describe(ep *endpoint, r *http.Request, body []byte, rec *receipt.Receipt) (digest string) {
	d, err := ep.scheme.Describe(r.Header, body)
	rec.Attempt = d.Attempt
	if err == nil && len(d.Events) == 1 && !ep.scheme.Lists() {
		rec.Delivery, rec.Type = d.Events[0].ID, d.Events[0].Type
	}
	rec.EventID = event.DeriveID(ep.source, rec.Delivery)
	if rec.Delivery == "" {
		rec.EventID = event.DeriveID(ep.source, "sha256:"+rec.BodySHA256)
	}
	return d.Digest
}

// message is the raw record: the body as it came, and beside it what is needed to map it and to verify it again.
func (in *input) message(ep *endpoint, r *http.Request, body []byte, rec *receipt.Receipt, digest string, landing *stage.Landing) *service.Message {
	msg := service.NewMessage(body)
	for name, text := range map[string]string{
		stage.MetaTopic: in.topic, stage.MetaKey: rec.EventID, stage.MetaEventID: rec.EventID, stage.MetaCorrelationID: rec.Correlation,
		MetaSource: ep.source, MetaProvider: ep.provider, MetaDelivery: rec.Delivery, MetaType: rec.Type, MetaReceipt: rec.ID,
		MetaSignature: signature.FormatHeaders(ep.scheme.SignedHeaders(r.Header)),
	} {
		msg.MetaSet(name, text)
	}
	if digest != "" {
		msg.MetaSet(stage.MetaContentDigest, digest)
	}
	stage.AskLanding(msg, landing)
	return msg
}
