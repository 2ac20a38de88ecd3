package books

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// Sink enters what a destination's store holds into the ledger.
type Sink func(ctx context.Context, into *Ledger) error

// Collect reads all topics of a plan and all sinks into a ledger. options say how to reach the brokers.
//
// It goes against the stream: first the commits, then the sinks, then quarantine and decisions, then the topics from the
// last to the first. So a running pipeline can be counted too: what was committed has its end by then, and what is
// found at an end was accepted before the accepted topics are read.
func Collect(ctx context.Context, options []kgo.Opt, plan Plan, sinks ...Sink) (*Ledger, error) {
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("opening a client for the books: %w", err)
	}
	defer client.Close()
	c := &collector{
		plan: plan, options: options, admin: kadm.NewClient(client), ledger: NewLedger(plan.Destinations...),
		links: map[position][]string{}, unnamed: map[position]quarantined{}, sent: map[[sha256.Size]byte][]string{},
	}
	if err := c.readCommits(ctx); err != nil {
		return nil, err
	}
	for _, sink := range sinks {
		if err := sink(ctx, c.ledger); err != nil {
			return nil, fmt.Errorf("counting a sink: %w", err)
		}
	}
	if err := c.readTopics(ctx); err != nil {
		return nil, err
	}
	// What quarantine could not name and no topic still holds keeps its position as its name.
	for at, q := range c.unnamed {
		c.ledger.Quarantine(at.String(), q.destination, q.code)
	}
	return c.ledger, nil
}

// position is where a record lies.
type position struct {
	topic     string
	partition int32
	offset    int64
}

// String names an event whose id nobody could read.
func (p position) String() string {
	return p.topic + "/" + strconv.Itoa(int(p.partition)) + "/" + strconv.FormatInt(p.offset, 10)
}

type quarantined struct{ destination, code string }

type collector struct {
	plan    Plan
	options []kgo.Opt
	admin   *kadm.Client
	ledger  *Ledger
	commits map[string]kadm.OffsetResponses // by group
	// links gives the event ids of an accepted position, as a later hop knows them: several where its record was split.
	links map[position][]string
	// sent gives the event ids of an accepted record by what it holds, for its repeats.
	sent map[[sha256.Size]byte][]string
	// unnamed are quarantined positions whose record bears no event id.
	unnamed map[position]quarantined
}

func (c *collector) readCommits(ctx context.Context) error {
	c.commits = map[string]kadm.OffsetResponses{}
	for _, s := range c.plan.all() {
		if _, done := c.commits[s.Group]; done || s.Group == "" {
			continue
		}
		offsets, err := c.admin.FetchOffsets(ctx, s.Group)
		// A group that never was has committed nothing.
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return fmt.Errorf("reading the commits of group %s: %w", s.Group, err)
		}
		c.commits[s.Group] = offsets
	}
	return nil
}

// waits tells whether a record is still to be settled by the group that reads its topic.
func (c *collector) waits(s Stage, r *kgo.Record) bool {
	if s.Group == "" {
		return false
	}
	commit, ok := c.commits[s.Group].Lookup(r.Topic, r.Partition)
	return !ok || r.Offset >= commit.At
}

func (c *collector) readTopics(ctx context.Context) error {
	read := func(s Stage, take func(*kgo.Record)) error {
		if s.Topic == "" {
			return nil
		}
		return EachRecord(ctx, c.options, c.admin, s.Topic, take)
	}
	// Quarantine first: it names records of all other topics.
	if err := read(Stage{Topic: c.plan.Quarantine}, c.takeQuarantined); err != nil {
		return err
	}
	if err := read(Stage{Topic: c.plan.Decisions}, c.takeDecision); err != nil {
		return err
	}
	for _, d := range c.plan.Destinations {
		s := Stage{d.Topic, c.plan.Groups[d.Name]}
		if err := read(s, func(r *kgo.Record) { c.takeAuthorized(s, d.Name, r) }); err != nil {
			return err
		}
	}
	for i := len(c.plan.Hops) - 1; i >= 0; i-- {
		s := c.plan.Hops[i]
		if err := read(s, func(r *kgo.Record) { c.takeHop(s, r) }); err != nil {
			return err
		}
	}
	for _, s := range c.plan.Accepted {
		if err := read(s, func(r *kgo.Record) { c.takeAccepted(s, r) }); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) takeAuthorized(s Stage, destination string, r *kgo.Record) {
	id := c.name(r)
	c.ledger.Authorize(id, destination)
	if c.waits(s, r) {
		c.ledger.Wait(id, destination)
	}
}

func (c *collector) takeDecision(r *kgo.Record) {
	var d struct {
		EventID     string `json:"event_id"`
		Destination string `json:"destination"`
		Verdict     string `json:"verdict"`
		Reason      string `json:"reason"`
		Stage       string `json:"stage"`
	}
	// What a sink denied stands in its own books, by the chunk that ended: a chunk that came again may have decided otherwise.
	if err := json.Unmarshal(r.Value, &d); err != nil || d.Verdict != "denied" || d.Stage == "export" {
		return
	}
	c.ledger.Deny(d.EventID, d.Destination, d.Reason)
}

func (c *collector) takeQuarantined(r *kgo.Record) {
	rec, err := quarantine.ParseRecord(r.Value)
	if err != nil {
		// A record nobody can read ends an event that nobody can name: it shows as unknown.
		c.ledger.Quarantine(at(r).String(), Everywhere, "unreadable")
		return
	}
	ref := position{rec.Ref.Topic, rec.Ref.Partition, rec.Ref.Offset}
	q := quarantined{rec.Destination, rec.Code}
	if q.destination == "" {
		q.destination = c.plan.destinationOf(rec.Ref.Topic)
	}
	if rec.EventID == "" {
		c.unnamed[ref] = q
		return
	}
	if ref.topic == "" { // a door refused it: it never was on a topic
		c.ledger.Accept(rec.EventID)
	} else {
		c.link(ref, rec.EventID)
	}
	c.ledger.Quarantine(rec.EventID, q.destination, q.code)
}

func (c *collector) takeHop(s Stage, r *kgo.Record) {
	id := c.name(r)
	if from, ok := source(r); ok {
		c.link(from, id)
	} else if s.Topic == c.plan.Entrance {
		c.ledger.Accept(id)
	}
	if c.waits(s, r) {
		c.ledger.Wait(id, Everywhere)
	}
}

// name finds the id of a record's event, and settles what quarantine could not name.
func (c *collector) name(r *kgo.Record) string {
	here := at(r)
	q, unnamed := c.unnamed[here]
	id := ""
	if links := c.links[here]; len(links) > 0 {
		id = links[0]
	}
	if id == "" {
		id = header(r, "event_id")
	}
	// Bytes that quarantine could not read are not read here either: two parsers might see two ids.
	if id == "" && !unnamed {
		id = gjson.GetBytes(r.Value, "event_id").String()
	}
	if id == "" {
		id = here.String()
	}
	if unnamed {
		c.ledger.Quarantine(id, q.destination, q.code)
		delete(c.unnamed, here)
	}
	return id
}

func at(r *kgo.Record) position { return position{r.Topic, r.Partition, r.Offset} }

// source is the position one hop back, as our output writes it.
func source(r *kgo.Record) (position, bool) {
	partition, err := strconv.ParseInt(header(r, "src_partition"), 10, 32)
	if err != nil {
		return position{}, false
	}
	offset, err := strconv.ParseInt(header(r, "src_offset"), 10, 64)
	if err != nil {
		return position{}, false
	}
	return position{header(r, "src_topic"), int32(partition), offset}, true
}

func header(r *kgo.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}
