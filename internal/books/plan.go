package books

import (
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/topics"
)

// Stage is a topic and the consumer group that reads it. What lies at or above the group's commit waits; without a
// group, nothing on the topic counts as waiting.
type Stage struct {
	Topic string
	Group string
}

// Plan says where a pipeline keeps what. Topics that do not exist count as empty.
type Plan struct {
	// Accepted are the topics on which an event counts as accepted: the first ones it is durable on.
	Accepted []Stage
	// Hops are the topics between those and the destinations. They must not repeat Accepted.
	Hops []Stage
	// Entrance is the hop that doors write to: an event that names no record it was made of was accepted there.
	Entrance string
	// Quarantine and Decisions are the topics of those records.
	Quarantine, Decisions string
	// Audit is the consumer group that copies decisions to where auditors read; empty for none.
	Audit string
	// Destinations are the accounts to keep. Groups names the sink's consumer group by destination.
	Destinations []Destination
	Groups       map[string]string
}

// groupPrefix starts the names of the shipped streams' consumer groups.
const groupPrefix = "ebbgate-"

// DefaultPlan is the plan of the shipped streams: events are accepted on the given inbound topics, or on the raw topic
// when none is given. Destinations in sinks are counted to their store, all others to their topic.
func DefaultPlan(set *topics.Set, inbound []Stage, sinks ...string) Plan {
	plan := Plan{Accepted: inbound, Groups: map[string]string{}}
	raw := Stage{name(set, topics.Raw), groupPrefix + "validate"}
	if len(inbound) == 0 {
		plan.Accepted = []Stage{raw}
	} else {
		plan.Hops, plan.Entrance = []Stage{raw}, raw.Topic
	}
	plan.Hops = append(plan.Hops, Stage{name(set, topics.Validated), groupPrefix + "govern"})
	plan.Quarantine, plan.Decisions = name(set, topics.Quarantine), name(set, topics.Decisions)
	plan.Audit = groupPrefix + "audit"
	for _, topic := range set.All() {
		if topic.Destination == "" {
			continue
		}
		d := Destination{Name: topic.Destination, Topic: topic.Name, Extent: ToTopic}
		for _, sink := range sinks {
			if sink == d.Name {
				d.Extent = ToSink
				plan.Groups[d.Name] = groupPrefix + d.Name
			}
		}
		plan.Destinations = append(plan.Destinations, d)
	}
	return plan
}

// Flow lists the topics that a consumer group reads, in the order events pass them; that of decisions comes last.
func (p Plan) Flow() []Stage {
	flow := slices.Concat(p.Accepted, p.Hops)
	for _, d := range p.Destinations {
		flow = append(flow, Stage{d.Topic, p.Groups[d.Name]})
	}
	flow = append(flow, Stage{p.Decisions, p.Audit})
	return slices.DeleteFunc(flow, func(s Stage) bool { return s.Group == "" })
}

func name(set *topics.Set, role topics.Role) string {
	topic, _ := set.ByRole(role)
	return topic.Name
}

// destinationOf is the destination a topic belongs to, or Everywhere.
func (p *Plan) destinationOf(topic string) string {
	for _, d := range p.Destinations {
		if d.Topic != "" && d.Topic == topic {
			return d.Name
		}
	}
	return Everywhere
}

// all lists the topics of a plan with their groups, the most downstream first.
func (p *Plan) all() []Stage {
	var out []Stage
	for _, d := range p.Destinations {
		out = append(out, Stage{d.Topic, p.Groups[d.Name]})
	}
	out = append(out, Stage{Topic: p.Decisions}, Stage{Topic: p.Quarantine})
	for i := len(p.Hops) - 1; i >= 0; i-- {
		out = append(out, p.Hops[i])
	}
	out = append(out, p.Accepted...)
	named := out[:0]
	for _, s := range out {
		if strings.TrimSpace(s.Topic) != "" {
			named = append(named, s)
		}
	}
	return named
}
