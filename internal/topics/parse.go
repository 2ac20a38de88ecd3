package topics

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

var roles = []Role{Inbound, Raw, Validated, Quarantine, Decisions, Receipts, Consent, Suppression, Erasures, Keys, Policies, Identity, Actions}

// compacted are the roles whose topics are state: the last record of a key is the truth and must never expire.
var compacted = map[Role]bool{Consent: true, Suppression: true, Erasures: true, Keys: true, Policies: true, Identity: true}

// Compacted reports whether topics of the role hold state, by key, rather than behaviour.
func (r Role) Compacted() bool { return compacted[r] }

// Parse reads a topics file. The error joins all problems with file, line, field and remedy.
func Parse(src []byte, file string) (*Set, error) {
	p := &parser{set: &Set{File: file, byName: map[string]int{}, byRole: map[Role]int{}, byDest: map[string]int{}}}
	docs := strict.Documents(file, src, &p.problems)
	switch {
	case len(docs) == 1:
		p.file(docs[0])
	case p.problems.Len() == 0:
		p.problems.Add(&strict.Problem{File: file, What: "holds " + strconv.Itoa(len(docs)) + " documents", Remedy: "write exactly one"})
	}
	if err := p.problems.Err(); err != nil {
		return nil, err
	}
	return p.set, nil
}

type parser struct {
	set         *Set
	problems    strict.Problems
	replication int
}

func (p *parser) file(doc strict.Node) {
	o := doc.Object("defaults", "topics")
	if defaults := o.Get("defaults"); defaults.Exists() {
		p.replication = defaults.Object("replication_factor").Get("replication_factor").Int(1, 9)
	}
	p.replication = max(p.replication, 1)
	if all := o.Require("topics", "declare the topics"); all.Exists() {
		for _, m := range all.Members() {
			p.topic(m)
		}
	}
}

var topicForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,248}$`)

func (p *parser) topic(m strict.Member) {
	if !topicForm.MatchString(m.Key) {
		m.Value.Bad("is no valid topic name", "use letters, digits, . _ and -, at most 249")
	}
	o := m.Value.Object("role", "destination", "partitions", "replication_factor", "retention", "cleanup", "compression",
		"max_message_bytes", "read", "write", "description")
	t := Topic{
		Name:              m.Key,
		Role:              Role(o.Get("role").OneOf(Roles()...)),
		Destination:       o.Get("destination").Name(),
		Partitions:        o.Require("partitions", "say how many, it bounds how many consumers share the work").Int(1, 10000),
		ReplicationFactor: p.replication,
		Retention:         o.Get("retention").Retention(),
		Cleanup:           o.Require("cleanup", "say delete or compact").OneOf("delete", "compact"),
		Compression:       o.Get("compression").OneOf("none", "gzip", "snappy", "lz4", "zstd", "producer"),
		MaxMessageBytes:   o.Get("max_message_bytes").Int(1024, 64<<20),
		Read:              o.Get("read").Texts(principal),
		Write:             o.Get("write").Texts(principal),
		Description:       o.Get("description").Text(),
		Line:              m.Value.Line(),
	}
	if n := o.Get("replication_factor"); n.Exists() {
		t.ReplicationFactor = n.Int(1, 9)
	}
	p.check(o, &t)
	p.register(o, t)
}

// Roles lists every role a topic can have, as topics.yaml writes them.
func Roles() []string {
	names := make([]string, 0, len(roles))
	for _, r := range roles {
		names = append(names, string(r))
	}
	return names
}

// principal is Node.Text for a Kafka principal. Everybody is none: a topic for all says so by listing them.
func principal(n strict.Node) string {
	text := n.Text()
	kind, who, ok := strings.Cut(text, ":")
	if text != "" && (!ok || kind != "User" || who == "" || strings.ContainsAny(who, "* \t")) {
		n.Bad(strict.Quote(text)+" is no principal", "write User: and the name, as in User:analyst")
		return ""
	}
	return text
}

// check holds a topic's settings against each other.
func (p *parser) check(o strict.Object, t *Topic) {
	retention := o.Get("retention")
	switch {
	case o.Get("role").Exists() == o.Get("destination").Exists():
		o.Bad("needs a role or a destination, not both", "write one of them")
	case t.Cleanup == "delete" && !retention.Exists():
		o.Bad("has no retention", "say how long it keeps data: retention: 30d, or forever")
	case t.Cleanup == "compact" && retention.Exists():
		retention.Bad("a compacted topic keeps the last record of every key", "remove it, or use cleanup: delete")
	case t.Role.Compacted() && t.Cleanup == "delete":
		o.Get("cleanup").Bad("role "+string(t.Role)+" is state and must not expire", "write cleanup: compact")
	case t.Cleanup == "compact" && !t.Role.Compacted():
		o.Get("cleanup").Bad("events and records of what happened are not replaced by later ones", "write cleanup: delete and a retention")
	}
}

// register takes the topic into the set unless its name, role or destination is taken.
func (p *parser) register(o strict.Object, t Topic) {
	i := len(p.set.topics)
	if other, taken := p.set.byRole[t.Role]; taken && t.Role != "" {
		o.Get("role").Bad("role "+string(t.Role)+" is taken", p.remove(other))
		return
	}
	if other, taken := p.set.byDest[t.Destination]; taken && t.Destination != "" {
		o.Get("destination").Bad("destination "+t.Destination+" has a topic", p.remove(other))
		return
	}
	p.set.topics = append(p.set.topics, t)
	p.set.byName[t.Name] = i
	if t.Role != "" && t.Role != Inbound {
		p.set.byRole[t.Role] = i
	}
	if t.Destination != "" {
		p.set.byDest[t.Destination] = i
	}
}

func (p *parser) remove(other int) string {
	return fmt.Sprintf("remove one, the other is %s on line %d", p.set.topics[other].Name, p.set.topics[other].Line)
}
