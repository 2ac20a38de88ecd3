package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

// Compile reads a policy against the contracts it governs. The error joins all problems with file, line, field and remedy; filename
// is how the file is called in them and in decisions.
func Compile(src []byte, filename string, contracts *contract.Set) (*Policy, error) {
	return compile(src, filename, contracts, false)
}

// Lint reports what is wrong with a policy in itself, for the case that its contracts cannot be loaded. A policy that passes is not
// proved.
func Lint(src []byte, filename string) error {
	_, err := compile(src, filename, &contract.Set{}, true)
	return err
}

func compile(src []byte, filename string, contracts *contract.Set, alone bool) (*Policy, error) {
	sum := sha256.Sum256(src)
	c := &compiler{
		contracts: contracts,
		alone:     alone,
		policy:    &Policy{SHA256: hex.EncodeToString(sum[:]), File: filename, Sources: map[string]Source{}, events: map[string]bool{}},
		purposes:  map[string]bool{},
	}
	docs := strict.Documents(filename, src, &c.problems)
	switch {
	case len(docs) == 1:
		c.file(docs[0])
	case c.problems.Len() == 0:
		c.problems.Add(&strict.Problem{File: filename, What: "holds " + strconv.Itoa(len(docs)) + " documents", Remedy: "write exactly one"})
	}
	if err := c.problems.Err(); err != nil {
		return nil, err
	}
	return c.policy, nil
}

type compiler struct {
	contracts *contract.Set
	alone     bool // without contracts
	policy    *Policy
	purposes  map[string]bool
	problems  strict.Problems
}

var versionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (c *compiler) file(doc strict.Node) {
	o := doc.Object("version", "sources", "destinations")
	version := o.Require("version", `name this policy: version: "2026-11-01"`)
	c.policy.VersionLine = version.LineOr(doc)
	if c.policy.Version = version.Text(); c.policy.Version != "" && !versionForm.MatchString(c.policy.Version) {
		version.Bad(strict.Quote(c.policy.Version)+" is no version", "use letters, digits, . _ and -, at most 64")
	}
	if sources := o.Get("sources"); sources.Exists() {
		c.sources(sources)
	}
	for _, name := range c.contracts.Events() {
		c.policy.events[name] = true
	}
	destinations := o.Require("destinations", "declare where data may go")
	if !destinations.Exists() {
		return
	}
	members := destinations.Members()
	c.collectPurposes(members)
	for _, m := range members {
		c.destination(m)
	}
	purposes, err := consent.NewPurposes(slices.Collect(maps.Keys(c.purposes))...)
	if err != nil {
		destinations.Bad(err.Error(), "merge purposes that nobody can tell apart")
	}
	c.policy.purposes = purposes
}

var sourceForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (c *compiler) sources(n strict.Node) {
	for _, m := range n.Members() {
		if !sourceForm.MatchString(m.Key) {
			m.Value.Bad("is no valid source name", "use letters, digits, . _ and -, at most 64")
		}
		o := m.Value.Object("consent", "choices")
		how := o.Require("consent", "say carried or lookup").OneOf("carried", "lookup")
		source := Source{Name: m.Key, LookupOnly: how == "lookup", Line: m.Value.Line()}
		switch o.Get("choices").OneOf("withdrawals", "all", "none") {
		case "all":
			source.Choices = AllChoices
			if source.LookupOnly {
				o.Get("choices").Bad("the source cannot carry consent, so it can grant none", "write withdrawals, or consent: carried")
			}
		case "none":
			source.Choices = NoChoices
		}
		c.policy.Sources[m.Key] = source
	}
}

// collectPurposes learns every purpose before any rule is read, because rules refer to those of later destinations.
func (c *compiler) collectPurposes(members []strict.Member) {
	for _, class := range c.contracts.Classes() {
		if class.Storage != "none" && class.Storage != "" {
			c.purposes[class.Storage] = true
		}
	}
	for _, m := range members {
		if purpose, ok := m.Value.Peek("purpose"); ok && strict.IsName(purpose) {
			c.purposes[purpose] = true
		}
	}
}

func (c *compiler) destination(m strict.Member) {
	if !strict.IsName(m.Key) {
		m.Value.Bad("is no valid destination name", strict.NameRemedy)
	}
	o := m.Value.Object("purpose", "owner", "kind", "retention", "can_delete", "events", "unless", "fields")
	purpose, events := o.Require("purpose", "say which consent must hold: purpose: analytics"), o.Get("events")
	d := &Destination{
		Name:        m.Key,
		Purpose:     purpose.Name(),
		Owner:       o.Get("owner").Name(),
		Kind:        o.Get("kind").OneOf("clickhouse", "warehouse", "http", "topic"),
		Retention:   o.Get("retention").Retention(),
		CanDelete:   o.Get("can_delete").Bool(),
		Events:      events.Texts(strict.Node.Name),
		File:        c.policy.File,
		Line:        m.Value.Line(),
		purposeLine: purpose.LineOr(m.Value),
		eventsLine:  events.LineOr(m.Value),
		unlessLine:  o.Get("unless").LineOr(m.Value),
	}
	if d.Kind == "" {
		d.Kind = "topic"
	}
	if slices.Contains([]string{"source", "checked_at", "version", "none"}, d.Purpose) {
		purpose.Bad(strict.Quote(d.Purpose)+" has another meaning in an event's consent", "name the purpose otherwise")
	}
	c.events(events, d)
	c.unless(o.Get("unless"), d)
	if fields := o.Require("fields", "list what may go; what is not listed does not"); fields.Exists() {
		c.rules(fields, d)
	}
	c.policy.Destinations = append(c.policy.Destinations, d)
}

func (c *compiler) events(n strict.Node, d *Destination) {
	for _, name := range d.Events {
		if !c.alone && !c.contracts.Knows(name) {
			n.Bad("no contract declares event "+strict.Quote(name), strict.Suggest(name, c.contracts.Events()))
		}
	}
	if n.Exists() && len(d.Events) == 0 {
		n.Bad("lists no event", "list the events that may go, or remove it for all")
	}
}

func (c *compiler) unless(n strict.Node, d *Destination) {
	for _, element := range n.List() {
		if element.OneOf("suppressed", "erased") == "suppressed" {
			d.UnlessSuppressed = true
		}
	}
}
