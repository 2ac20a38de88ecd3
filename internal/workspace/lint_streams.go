package workspace

import (
	"bytes"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/topics"
)

// streams checks every file for the engine: by itself, and against topics and policy.
func (l *linter) streams() {
	files, err := EngineFiles(l.fsys, false)
	if err != nil {
		l.refuse(place{file: StreamsFolder}, "workspace", "cannot be read", "make it readable")
	}
	groups := map[string]string{}
	served := map[string]bool{}
	audited := false
	for _, file := range files {
		src, err := fs.ReadFile(l.fsys, file)
		if err != nil {
			l.refuse(place{file: file}, "workspace", "cannot be read", "make it readable")
			continue
		}
		s := parseStream(file, src)
		l.process(s, src)
		l.words(s)
		l.groups(s, groups)
		if l.w.Topics != nil {
			l.access(s)
		}
		l.delivery(s, served)
		l.staged(s, served)
		l.webhooks(s)
		l.collectors(s)
		audited = l.audit(s) || audited
		l.repeats(s)
	}
	l.unserved(served)
	if len(files) > 0 && !audited {
		l.unaudited()
	}
}

// at is the place of a value in a stream.
func (s stream) at(v value) place { return place{s.file, v.line, v.field} }

// process looks at what a file says of the whole process.
func (l *linter) process(s stream, src []byte) {
	if bytes.HasPrefix(src, []byte("# BENTHOS LINT DISABLE")) {
		l.refuse(place{s.file, 1, ""}, "stream.lint_disabled", "turns the engine's lint off", "remove the line")
	}
	if debug := s.root.get("http", "debug_endpoints"); isTrue(debug) {
		l.refuse(s.at(debug), "service.debug_endpoints", "serves the configuration, passwords included, and profiles to whoever reaches the port",
			"remove it; for a profile run the stream on a machine of your own")
	}
	if strictly := s.root.get("error_handling", "strict"); isTrue(strictly) {
		l.refuse(s.at(strictly), "service.strict", "fails messages one by one, and others of the batch then pass the processors unchanged",
			"remove it: our processors turn what fails into quarantine records by themselves")
	}
	address := s.root.get("http", "address")
	if text, known := address.text(); known && !loopback(text) {
		l.warn(s.at(address), "service.address", "answers others than this machine, and asks nobody who they are",
			"use 127.0.0.1, or let only the metrics collector reach the port")
	}
}

func isTrue(v value) bool {
	text, known := v.text()
	return known && text == "true"
}

func loopback(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return strings.HasPrefix(address, "localhost:") || (err == nil && at.Addr().IsLoopback())
}

// words finds texts made from events that end in an error, and so in the log. Processors that would do it are refused by name.
func (l *linter) words(s stream) {
	for _, c := range s.all("", "reject") {
		if c.conf.interpolated() {
			l.refuse(s.at(c.conf), "stream.quotes_event", "puts what the event says into the log", "write a fixed text")
		}
	}
}

// groups finds consumer groups that two streams share, and those that have no permission.
func (l *linter) groups(s stream, taken map[string]string) {
	for _, c := range s.all("input", "redpanda") {
		group := c.conf.get("consumer_group")
		name, known := group.text()
		if !known {
			continue
		}
		if other, ok := taken[name]; ok {
			l.refuse(s.at(group), "stream.group", "is the group of "+other+" too, so each gets only a part of the events", "name one group per stream")
		}
		taken[name] = s.file
		if !strings.HasPrefix(name, topics.GroupPrefix) {
			l.warn(s.at(group), "stream.group", "does not begin with "+topics.GroupPrefix, "`ebbgate topics apply --acls` permits only such groups")
		}
	}
}

// access holds the topics a stream names against those declared, and its user against who may read and write them.
func (l *linter) access(s stream) {
	for _, c := range s.all("input", "redpanda") {
		for _, item := range c.conf.get("topics").items() {
			l.allowed(s, c.conf, item, reads)
		}
		l.allowed(s, c.conf, c.conf.get("quarantine", "topic"), writes)
	}
	for _, c := range s.all("output", "redpanda") {
		l.allowed(s, c.conf, c.conf.get("topic"), writes)
	}
	for _, c := range slices.Concat(s.all("", "consent"), s.all("", "clickhouse"), s.all("", "staging")) {
		state := c.conf.get("state")
		for _, role := range []topics.Role{topics.Consent, topics.Suppression, topics.Erasures, topics.Identity} {
			name := state.get(string(role) + "_topic")
			l.allowed(s, state, name, reads)
			l.stateful(s, name, role)
		}
	}
}

// direction is what is done with a topic.
type direction struct {
	verb string
	who  func(topics.Topic) []string
}

var (
	reads  = direction{"read", func(t topics.Topic) []string { return t.Read }}
	writes = direction{"write", func(t topics.Topic) []string { return t.Write }}
)

// allowed checks one topic that a component names; connection holds the user it signs in as.
func (l *linter) allowed(s stream, connection, topic value, d direction) {
	name, known := topic.text()
	if !known {
		return
	}
	t, ok := l.w.Topics.Topic(name)
	if !ok {
		l.refuse(s.at(topic), "stream.topic", "topic "+name+" is not declared", "declare it in "+TopicsFile+", or correct the name")
		return
	}
	for _, method := range connection.get("sasl").items() {
		user, known := method.get("username").text()
		if known && !slices.Contains(d.who(t), "User:"+user) {
			l.refuse(s.at(topic), "stream.permission", user+" may not "+d.verb+" "+name, "add User:"+user+" to "+d.verb+" of the topic in "+TopicsFile+", or sign in as another user")
		}
	}
}

func (l *linter) stateful(s stream, topic value, role topics.Role) {
	name, known := topic.text()
	if t, ok := l.w.Topics.Topic(name); known && ok && t.Role != role {
		l.refuse(s.at(topic), "stream.state", "topic "+name+" does not have role "+string(role), "name the one that has, or leave the field out")
	}
}
