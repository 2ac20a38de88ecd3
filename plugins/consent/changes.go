package consent

import (
	"context"
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// What became of a change that an event tells of, as the metric says it.
const (
	changeWritten    = "written"
	changeKnown      = "known"      // nothing new, such as a repeat, or older than what is recorded
	changeNotTaken   = "not_taken"  // the policy does not take it from this source, or consent is asked elsewhere
	changeUnreadable = "unreadable" // what is recorded cannot be read, denies everything and stays
)

// changes make records of what events tell about their subjects: a choice of consent, a suppression. Which events do is for their
// contracts to say. The records leave with the batch, so an event goes no further without them, and a repeat makes none.
type changes struct {
	lookup      recorder
	consent     string // topic; empty where consent is not recorded in one
	suppression string
	count       *service.MetricCounter
}

// recorder reads what lies under keys, as state.Lookup does.
type recorder interface {
	Recorded(ctx context.Context, keys []string) ([]consent.State, error)
}

func newChanges(conf *service.ParsedConfig, rt *stage.Runtime, lookup state.Lookup, mgr *service.Resources) (*changes, error) {
	c := &changes{lookup: lookup, count: mgr.Metrics().NewCounter("ebbgate_state_changes_total", "state", "outcome")}
	for role, name := range map[topics.Role]*string{topics.Consent: &c.consent, topics.Suppression: &c.suppression} {
		topic, ok := rt.Topics.ByRole(role)
		if !ok {
			return nil, fmt.Errorf("%s/topics.yaml: no topic has role %s", rt.Dir, role)
		}
		*name = topic.Name
	}
	if state.AsksService(conf) {
		c.consent = ""
	}
	return c, nil
}

// changing is the work on one batch: what is recorded of the subjects that its events change.
type changing struct {
	*changes
	rules    *stage.Rules
	recorded map[string]consent.State // by subject key, as of the event that is next
	made     service.MessageBatch
}

// records returns a message for each record that the events make. It fails where what is recorded cannot be read now.
func (c *changes) records(ctx context.Context, rules *stage.Rules, waiting []pending) (service.MessageBatch, error) {
	work := changing{changes: c, rules: rules}
	var keys []string
	for i := range waiting {
		if waiting[i].tells() {
			keys = append(keys, waiting[i].subject.Keys...)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	states, err := c.lookup.Recorded(ctx, keys)
	if err != nil {
		return nil, err
	}
	work.recorded = make(map[string]consent.State, len(keys))
	for i, key := range keys {
		work.recorded[key] = states[i]
	}
	for i := range waiting {
		work.event(&waiting[i])
	}
	return work.made, nil
}

// tells reports whether the event may change the state of its subject.
func (next *pending) tells() bool {
	return next.agreed != nil && (next.agreed.Choice || next.suppresses != nil)
}

func (c *changing) event(next *pending) {
	if !next.tells() {
		return
	}
	for _, key := range next.subject.Keys {
		if c.recorded[key].Erased != nil { // it denies everything, and nothing more is kept of them
			return
		}
	}
	at := toldAt(next)
	if next.agreed.Choice {
		c.choice(next, at)
	}
	if next.suppresses != nil {
		c.suppress(next, next.suppresses, at)
	}
}

// toldAt is when the subject acted, and not after we heard of it: nobody speaks from the future and so has the last word.
func toldAt(next *pending) time.Time {
	heard := stage.ReceivedAt(next.msg)
	for _, field := range [...]event.Field{event.ReceivedAt, event.Timestamp} {
		if v, ok := next.ix.Get(field); ok && v.Kind() == event.String {
			if at, ok := event.ParseTime(v.Text(nil)); ok && at.Before(heard) {
				heard = at
			}
		}
	}
	return heard
}

// choice records what the policy takes of a choice, under every identifier of the person. One that has no record needs none to be
// granted anything.
func (c *changing) choice(next *pending, at time.Time) {
	purposes := c.rules.Policy.Purposes()
	source := c.source(next)
	takes := source.Choices.Takes(next.claim.Stated, next.claim.Given)
	if takes == 0 || c.consent == "" {
		c.count.Incr(1, string(topics.Consent), changeNotTaken)
		return
	}
	said := consent.Choice{Purposes: map[string]bool{}, Source: next.source, At: at, Proof: next.eventID()}
	for _, name := range purposes.Names() {
		if bit, _ := purposes.Bit(name); takes.Has(bit) {
			said.Purposes[name] = next.claim.Given.Has(bit)
		}
	}
	for i, key := range next.person() {
		known := c.recorded[key]
		if i > 0 && known.Consent == nil && takes&^next.claim.Given == 0 {
			continue
		}
		if known.Consent != nil && known.Consent.Unreadable {
			c.count.Incr(1, string(topics.Consent), changeUnreadable)
			continue
		}
		record, changed := known.Consent.With(said)
		if !changed {
			c.count.Incr(1, string(topics.Consent), changeKnown)
			continue
		}
		known.Consent = record
		c.recorded[key] = known
		c.write(next, topics.Consent, c.consent, key, record.Append(nil))
	}
}

func (c *changing) suppress(next *pending, told *contract.Suppression, at time.Time) {
	key := next.subject.Primary()
	known := c.recorded[key]
	if known.Suppressed != nil && known.Suppressed.Unreadable {
		c.count.Incr(1, string(topics.Suppression), changeUnreadable)
		return
	}
	record, changed := known.Suppressed.With(consent.Suppression{
		Channels: told.Channels, Reason: told.Reason, Source: next.source, ChangedAt: at,
	})
	if !changed {
		c.count.Incr(1, string(topics.Suppression), changeKnown)
		return
	}
	known.Suppressed = record
	c.recorded[key] = known
	c.write(next, topics.Suppression, c.suppression, key, record.Append(nil))
}

func (c *changing) write(next *pending, role topics.Role, topic, key string, body []byte) {
	c.made = append(c.made, next.record(role, topic, key, body))
	c.count.Incr(1, string(role), changeWritten)
}

// record is a message that leaves beside the event, for a topic of state.
func (next *pending) record(role topics.Role, topic, key string, body []byte) *service.Message {
	msg := next.msg.Copy()
	for _, name := range [...]string{stage.MetaEventID, stage.MetaSubjectKey, stage.MetaCorrelationID, stage.MetaContentDigest} {
		msg.MetaDelete(name) // state is kept for ever, and says nothing of the event
	}
	stage.SetState(msg, role, body)
	stage.Route(msg, topic, key)
	return msg
}

func (c *changing) source(next *pending) policy.Source {
	return c.rules.Policy.Sources[next.source]
}

// person are the subject's keys without that of the account, for which nobody chooses alone.
func (next *pending) person() []string {
	keys := next.subject.Keys
	if account, ok := next.ix.Get(event.AccountID); ok && account.Kind() == event.String && len(keys) > 1 {
		return keys[:len(keys)-1]
	}
	return keys
}

func (next *pending) eventID() string {
	id, _ := next.ix.Get(event.EventID)
	return id.String()
}
