package consent

import (
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// everyDestination is what a decision names when it was taken before any destination was considered.
const everyDestination = "*"

// storage decides at the validate stage whether an event may be stored.
type storage struct {
	guard     *stage.Guard
	decisions string
	denied    *service.MetricCounter
}

func newStorage(rt *stage.Runtime, mgr *service.Resources) (*storage, error) {
	decisions, ok := rt.Topics.ByRole(topics.Decisions)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role decisions: add privacy.decisions with role: decisions", rt.Dir)
	}
	return &storage{
		guard:     stage.NewGuard(stageValidate, rt),
		decisions: decisions.Name,
		denied:    mgr.Metrics().NewCounter("ebbgate_denied_total", "destination", "reason"),
	}, nil
}

// storing is it at work on one batch.
type storing struct {
	*storage
	rules  *stage.Rules
	reader *stage.Reader
}

func (s *storing) settle(next *pending, v consent.Verdict) {
	if gate := s.rules.Policy.Storage(next.agreed.Class, &v); !gate.Allowed {
		s.deny(next, gate, v)
		return
	}
	body := next.ix.Buf
	if next.claim.LookupOnly {
		body = stamp(next, v)
	}
	s.reader.SetStorable(next.msg, body, next.ix, next.subject)
}

func (s *storing) deny(next *pending, gate policy.Gate, v consent.Verdict) {
	id, _ := next.ix.Get(event.EventID)
	name, _ := next.ix.Get(event.EventName)
	at, _ := next.ix.Get(event.Timestamp)
	decision := consent.Decision{
		EventID:        id.String(),
		EventName:      name.String(),
		Timestamp:      at.String(),
		Destination:    everyDestination,
		Verdict:        stage.VerdictDenied,
		Reason:         gate.Reason,
		Rule:           gate.Rule,
		Policy:         s.rules.Policy.Version,
		ConsentVersion: v.Version,
		Stage:          stageValidate,
	}
	stage.SetDecision(next.msg, decision.Append(nil))
	stage.Route(next.msg, s.decisions, next.subject.Primary())
	s.denied.Incr(1, everyDestination, gate.Reason)
}

// stamp writes the recorded state into the event as its claim, so that it travels with the event from here on.
func stamp(next *pending, v consent.Verdict) (body []byte) {
	body = consent.AppendStamped(make([]byte, 0, len(next.ix.Buf)+160), next.ix, &v)
	next.msg.SetBytes(body)
	return body
}
