package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ebbgate/ebbgate/internal/topics"
)

// Change is one thing a broker lacks of topics.yaml.
type Change struct {
	Topic string `json:"topic"` // empty for what is not of a topic
	What  string `json:"what"`  // topic, partitions, acl, or the name of a topic setting
	From  string `json:"from"`
	To    string `json:"to"`
	// Costs says what is lost by making the change; empty if nothing is.
	Costs string `json:"costs,omitempty"`
	// Needs is the permission without which the change is not made; empty if it needs none.
	Needs Permission `json:"needs,omitempty"`

	grant grant // of an acl
}

// Permission is what a person has to say, as a flag, before a change is made that cannot be undone.
type Permission string

// The permissions.
const (
	AllowLoss    Permission = "--allow-loss"    // records are deleted
	AllowReorder Permission = "--allow-reorder" // records of one key are no longer in order
	impossible   Permission = "impossible"      // no permission helps
)

// What of changes that are no topic setting.
const (
	changeTopic      = "topic"
	changePartitions = "partitions"
	changeACL        = "acl"
)

// Plan is the difference between topics.yaml and a broker. Making one changes nothing.
type Plan struct {
	Changes []Change `json:"changes"` // in the order in which Apply makes them
	// NotOurs are the broker's topics that the file does not name. They are never touched.
	NotOurs  []string `json:"not_ours"`
	Warnings []string `json:"warnings"`

	set *topics.Set
}

// PlanTopics compares a broker with topics.yaml. With acls the permissions of the principals are compared as well.
func PlanTopics(ctx context.Context, adm *kadm.Client, set *topics.Set, acls bool) (*Plan, error) {
	p := &Plan{Changes: []Change{}, NotOurs: []string{}, Warnings: []string{}, set: set}
	b, err := observe(ctx, adm, set)
	if err != nil {
		return nil, err
	}
	p.missing(b)
	for _, t := range b.known {
		p.partitions(b, t)
		p.settings(b, t)
	}
	for _, name := range b.details.Names() {
		if _, ours := set.Topic(name); !ours {
			p.NotOurs = append(p.NotOurs, name)
		}
	}
	p.warn(b)
	if acls {
		err = p.permissions(ctx, adm)
	}
	return p, err
}

func (p *Plan) missing(b *broker) {
	for _, t := range p.set.All() {
		if !b.details.Has(t.Name) {
			p.Changes = append(p.Changes, Change{Topic: t.Name, What: changeTopic, To: fmt.Sprintf("%d partitions, %s", t.Partitions, t.Cleanup)})
		}
	}
}

func (p *Plan) partitions(b *broker, t topics.Topic) {
	have := len(b.details[t.Name].Partitions)
	change := Change{Topic: t.Name, What: changePartitions, From: strconv.Itoa(have), To: strconv.Itoa(t.Partitions)}
	switch {
	case have == t.Partitions:
		return
	case have > t.Partitions:
		change.Needs = impossible
		change.Costs = fmt.Sprintf("no broker takes partitions away: write partitions: %d, or declare a topic of another name and move the streams to it", have)
	case b.holdings[t.Name].empty():
	case t.Cleanup == "compact":
		change.Needs = AllowReorder
		change.Costs = "keys move to other partitions, and what they leave behind is never compacted away"
	default:
		change.Needs = AllowReorder
		change.Costs = "keys move to other partitions, so a subject's new events can overtake those that wait: drain the topic first"
	}
	p.Changes = append(p.Changes, change)
}

func (p *Plan) settings(b *broker, t topics.Topic) {
	have, want := b.configs[t.Name], settings(t)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if have[name] == want[name] {
			continue
		}
		change := Change{Topic: t.Name, What: name, From: have[name], To: want[name]}
		if !b.holdings[t.Name].empty() {
			change.Costs, change.Needs = costs(name, have[name], want[name])
		}
		p.Changes = append(p.Changes, change)
	}
}

// costs tells what a topic that holds records loses by a change of a setting.
func costs(name, from, to string) (string, Permission) {
	before, errBefore := strconv.ParseInt(from, 10, 64)
	after, _ := strconv.ParseInt(to, 10, 64)
	switch name {
	case "cleanup.policy":
		if to == "compact" {
			return "of each key only the last record stays, and records without a key are lost", AllowLoss
		}
		return "records are deleted after the retention, also the last one of a key", AllowLoss
	case "retention.ms":
		if after >= 0 && (errBefore != nil || before < 0 || after < before) {
			return "records older than " + (time.Duration(after) * time.Millisecond).String() + " are deleted", AllowLoss
		}
	case "max.message.bytes":
		if errBefore != nil || after < before {
			return "records above the limit go to quarantine from now on", ""
		}
	}
	return "", ""
}

// Refused is nil when every change may be made with the permissions given. Otherwise it says, change by change, what is in the way.
func (p *Plan) Refused(given ...Permission) error {
	var errs []error
	for _, c := range p.Changes {
		switch {
		case c.Needs == "" || slices.Contains(given, c.Needs):
		case c.Needs == impossible:
			errs = append(errs, fmt.Errorf("%s: %s %s to %s: %s", c.Topic, c.What, c.From, c.To, c.Costs))
		default:
			errs = append(errs, fmt.Errorf("%s: %s %s to %s: %s (say so with %s)", c.Topic, c.What, c.From, c.To, c.Costs, c.Needs))
		}
	}
	return errors.Join(errs...)
}

// Impossible is nil unless the file asks for what no permission allows.
func (p *Plan) Impossible() error { return p.Refused(AllowLoss, AllowReorder) }

// maxReplicasPerBroker is how many partition replicas a broker should hold at most: Apache Kafka's general recommendation, as
// KIP-578 states it.
const maxReplicasPerBroker = 4000

// fullChunk is how many records make a full chunk unless a stream says otherwise.
const fullChunk = 4096

// warn says what is allowed and seldom meant.
func (p *Plan) warn(b *broker) {
	if decisions, ok := p.set.ByRole(topics.Decisions); ok {
		for _, t := range p.set.Outliving(decisions) {
			p.warning("%s is kept longer than %s: what was authorized would outlive the record of why", t.Name, decisions.Name)
		}
	}
	if each := b.replicas(p.set) / max(1, b.brokers); each > maxReplicasPerBroker {
		p.warning("%d partition replicas for each of %d brokers: Kafka's recommendation is at most %d: use fewer partitions or more brokers", each, b.brokers, maxReplicasPerBroker)
	}
	for _, t := range b.known {
		p.warnOfTopic(b, t)
	}
}

func (p *Plan) warnOfTopic(b *broker, t topics.Topic) {
	detail := b.details[t.Name]
	if have := detail.Partitions.NumReplicas(); have != t.ReplicationFactor && len(detail.Partitions) > 0 {
		p.warning("%s has %d replicas and should have %d: move them with the broker's own tools", t.Name, have, t.ReplicationFactor)
	}
	// A partition that fills less than one chunk a day is more than the work asks for: chunks end by time, inserts are small.
	h, n := b.holdings[t.Name], int64(len(detail.Partitions))
	if t.Cleanup == "delete" && n > 1 && h.settled && h.lastDay > 0 && h.lastDay < n*fullChunk {
		p.warning("%s took %d records in the last day on %d partitions: that is less than one full chunk (%d) for each, so chunks end by time and inserts are small: %d would do",
			t.Name, h.lastDay, n, fullChunk, max(1, h.lastDay/fullChunk))
	}
}

func (p *Plan) warning(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...))
}

// sameTopic returns the changes of settings, from i on, that are of one topic.
func (p *Plan) sameTopic(i int) []Change {
	end := i
	for end < len(p.Changes) && p.Changes[end].Topic == p.Changes[i].Topic && strings.Contains(p.Changes[end].What, ".") {
		end++
	}
	return p.Changes[i:end]
}
