package signature_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/ebbgate/ebbgate/internal/signature"
)

// Whatever comes, only what was signed is accepted.
func FuzzVerify(f *testing.F) {
	all := configs(f)
	names := []string{"standard_webhooks", "ed25519", "stripe", "github", "shopify", "slack", "sendgrid", "paddle", "generic"}
	d := sample(1)
	schemes, signed := make([]*signature.Scheme, len(names)), make([]http.Header, len(names))
	for i, name := range names {
		schemes[i] = scheme(f, all[name])
		signed[i] = sign(f, schemes[i], d)
		for field, values := range signed[i] {
			f.Add(uint8(i), field, values[0], d.Body)
		}
	}
	f.Add(uint8(2), "Stripe-Signature", "t=1,v1=00,v1=11,v0=", []byte("{}"))
	f.Add(uint8(7), "Paddle-Signature", "ts=;h1=;;", []byte("[]"))
	f.Fuzz(func(t *testing.T, which uint8, field, value string, body []byte) {
		i := int(which) % len(names)
		header := signed[i].Clone()
		own := len(header[http.CanonicalHeaderKey(field)]) > 0 // and not that of another scheme
		honest := !own || !isSignature(field) || header.Get(field) == value
		header[http.CanonicalHeaderKey(field)] = []string{value}
		got := schemes[i].Verify(header, body, now)
		if got.OK() && !bytes.Equal(body, d.Body) {
			t.Fatalf("%s: another body was accepted under %s: %q", names[i], field, value)
		}
		if got.OK() && !honest && !repeatsGood(names[i], signed[i].Get(field), value) {
			t.Fatalf("%s: a forged %s was accepted: %q", names[i], field, value)
		}
		if (got.KeyID != "") != (got.Code == signature.CodeOK || got.Code == signature.CodeStale || got.Code == signature.CodeFuture) {
			t.Fatalf("%s: %s names the secret %q", names[i], got.Code, got.KeyID)
		}
	})
}

func isSignature(field string) bool {
	switch http.CanonicalHeaderKey(field) {
	case "Webhook-Signature", "Stripe-Signature", "X-Hub-Signature-256", "X-Shopify-Hmac-Sha256", "X-Slack-Signature",
		"X-Twilio-Email-Event-Webhook-Signature", "Paddle-Signature", "X-Acme-Signature":
		return true
	}
	return false
}

// repeatsGood is whether a list of signatures holds the good one among others, as lists may.
func repeatsGood(name, good, value string) bool {
	list := map[string]string{"standard_webhooks": " ", "ed25519": " ", "stripe": ",", "paddle": ";"}[name]
	if list == "" {
		return false
	}
	for _, part := range bytes.Split([]byte(good), []byte(list)) {
		if !bytes.Contains([]byte(value), part) {
			return false
		}
	}
	return true
}

// Whatever a body is, describing it gives events that hold its own bytes, or a fault.
func FuzzDescribe(f *testing.F) {
	all := configs(f)
	names := []string{"stripe", "sendgrid", "slack", "paddle"}
	for i, body := range []string{`{"id":"evt_1","type":"a"}`, `[{"sg_event_id":"a"},{}]`, `{"type":"url_verification","challenge":"c"}`, `{"event_id":1}`, `[],"x":[]`} {
		f.Add(uint8(i), []byte(body))
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		s := scheme(t, all[names[int(which)%len(names)]])
		d, err := s.Describe(nil, body)
		if err != nil && len(d.Events) > 0 {
			t.Fatal("a faulty body has events")
		}
		for _, e := range d.Events {
			if !bytes.Contains(body, e.Body) || len(e.ID) > 256 {
				t.Fatalf("an event the body does not hold: %q", e.Body)
			}
		}
		s.Challenge(body)
	})
}
