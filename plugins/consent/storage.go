package consent

import (
	"fmt"
	"strconv"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// storageNone is how a class says that storing it needs nobody's consent.
const storageNone = "none"

// everyDestination is what a decision names when it was taken before any destination was considered.
const everyDestination = "*"

// storage decides at the validate stage whether an event may be stored.
type storage struct {
	rt        *stage.Runtime
	guard     *stage.Guard
	decisions string
	denied    *service.MetricCounter
}

func newStorage(rt *stage.Runtime, mgr *service.Resources) (*storage, error) {
	decisions, ok := rt.Workspace.Topics.ByRole(topics.Decisions)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role decisions: add privacy.decisions with role: decisions", rt.Workspace.Dir)
	}
	return &storage{
		rt:        rt,
		guard:     stage.NewGuard(stageValidate, rt),
		decisions: decisions.Name,
		denied:    mgr.Metrics().NewCounter("ebbgate_denied_total", "destination", "reason"),
	}, nil
}

func (s *storage) settle(next *pending, v consent.Verdict) {
	stage.Carry(next.msg, next.ix, next.subject)
	agreed, fault := s.rt.Workspace.Contracts.For(next.ix)
	if fault != nil {
		s.guard.Quarantine(next.msg, fault)
		return
	}
	if reason := s.reason(agreed.Class, v); reason != "" {
		s.deny(next, agreed.Class, v, reason)
		return
	}
	if next.claim.LookupOnly {
		s.stamp(next, v)
	}
}

// reason says why the event may not be stored, or "" when it may. Erased subjects are stored nowhere again.
func (s *storage) reason(class *contract.Class, v consent.Verdict) string {
	if v.Erased {
		return consent.ReasonErased
	}
	if class.Storage == storageNone {
		return ""
	}
	need, ok := s.rt.Workspace.Policy.Purposes().Bit(class.Storage)
	if ok && v.Holds(need) {
		return ""
	}
	return v.Reason(need)
}

func (s *storage) deny(next *pending, class *contract.Class, v consent.Verdict, reason string) {
	id, _ := next.ix.Get(event.EventID)
	decision := consent.Decision{
		EventID:        id.String(),
		Destination:    everyDestination,
		Verdict:        stage.VerdictDenied,
		Reason:         reason,
		Rule:           fmt.Sprintf("%s:%d", class.File, class.Line),
		Policy:         s.rt.Workspace.Policy.Version,
		ConsentVersion: v.Version,
		Stage:          stageValidate,
	}
	stage.SetDecision(next.msg, decision.Append(nil))
	stage.Route(next.msg, s.decisions, next.subject.Primary())
	s.denied.Incr(1, everyDestination, reason)
}

// stamp writes the recorded state into the event as its claim, so that it travels with the event from here on.
func (s *storage) stamp(next *pending, v consent.Verdict) {
	next.msg.SetBytes(appendClaim(make([]byte, 0, len(next.ix.Buf)+160), next.ix, v))
}

// appendClaim re-encodes the event with the verdict's consent object in place of its own.
func appendClaim(dst []byte, ix *event.Index, v consent.Verdict) []byte {
	dst = append(dst, `{"consent":`...)
	dst = appendVerdict(dst, v)
	ix.Root().Each(func(member event.Value) bool {
		if member.Field() == event.Consent {
			return true
		}
		dst = append(dst, ',')
		dst = event.AppendString(dst, member.Key(nil))
		dst = append(dst, ':')
		dst = event.AppendValue(dst, member)
		return true
	})
	return append(dst, '}')
}

// appendVerdict writes the verdict as a claim: what is held and what is withdrawn, by whom, as of when. What nobody
// stated stays absent.
func appendVerdict(dst []byte, v consent.Verdict) []byte {
	dst = append(dst, '{')
	for _, name := range v.Purposes.Names() {
		bit, _ := v.Purposes.Bit(name)
		switch {
		case v.Held.Has(bit):
			dst = append(event.AppendString(dst, []byte(name)), ":true,"...)
		case v.Withdrawn.Has(bit):
			dst = append(event.AppendString(dst, []byte(name)), ":false,"...)
		}
	}
	dst = event.AppendString(append(dst, `"source":`...), []byte(v.Source))
	dst = append(dst, `,"version":"`...)
	dst = strconv.AppendInt(dst, v.Version, 10)
	dst = append(dst, `","checked_at":"`...)
	dst = v.CheckedAt.AppendFormat(dst, time.RFC3339Nano)
	return append(dst, `"}`...)
}
