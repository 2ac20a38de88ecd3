package e2e

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/generate"
)

const (
	yes = `{"analytics":true,"marketing":true}`

	// secret is planted in every direct identifier of a form.
	secret = "canary-e2e-7f3a91"
)

// view is a page_viewed event that every destination with purpose analytics may have.
func view(id, user string) string {
	return fmt.Sprintf(`{"event_name":"page_viewed","event_id":%q,"timestamp":%q,"subject":{"user_id":%q},"consent":%s,`+
		`"context":{"source":"web_app","schema_version":"1.0.0"},"properties":{"path":"/pricing"}}`, id, now(), user, yes)
}

// form is a form_submitted event full of direct identifiers; the warehouse and activation get it as well.
func form(id, user string) string {
	return fmt.Sprintf(`{"event_name":"form_submitted","event_id":%q,"timestamp":%q,"subject":{"user_id":%q},"consent":%s,`+
		`"context":{"source":"web_app","schema_version":"1.0.0","ip":"192.0.2.77","user_agent":"%s"},`+
		`"properties":{"form_id":"demo","email":"%s@example.com","message":"call %s","company_size":20}}`,
		id, now(), user, yes, secret, secret, secret)
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

// generated makes a stream of events whose fate is known beforehand.
func generated(opts generate.Options) (*generate.Generator, []generate.Event) {
	opts.Start = time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	gen := generate.New(opts)
	var events []generate.Event
	for {
		ev, ok := gen.Next(nil)
		if !ok {
			return gen, events
		}
		events = append(events, ev)
	}
}

func inboundRecords(events []generate.Event) []*kgo.Record {
	out := make([]*kgo.Record, len(events))
	for i, ev := range events {
		out[i] = &kgo.Record{Topic: inbound, Key: []byte(ev.Subject.UserID + ev.Subject.AnonymousID), Value: ev.Bytes}
	}
	return out
}

// deliverable lists the events that the analytics destination is to have, each once, by their own claim of consent.
func deliverable(events []generate.Event) map[string]int {
	want := map[string]int{}
	for _, ev := range events {
		if ev.Expect.Accepted() && ev.Expect.Denied(generate.Analytics) == "" {
			want[ev.ID] = 1
		}
	}
	return want
}
