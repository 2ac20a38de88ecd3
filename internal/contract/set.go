package contract

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/ebbgate/ebbgate/internal/event"
)

// Codes that Select and For give.
const (
	CodeUnknownEvent = "contract.unknown_event"
	CodeUnknownMajor = "contract.unknown_major"
	CodeVersion      = "contract.version"
)

// Set is every contract of a workspace. It is immutable and safe for concurrent use.
type Set struct {
	contracts []*Contract // by event, then version
	classes   []*Class    // by name
	envelope  []*Property
	byEvent   map[string]*versions
}

// versions are the contracts of one event, oldest first.
type versions struct {
	list    []*Contract
	numbers []version
}

type version struct{ major, minor, patch int }

func newSet(contracts []*Contract, classes []*Class) *Set {
	s := &Set{contracts: slices.Clone(contracts), classes: slices.Clone(classes), byEvent: map[string]*versions{}}
	slices.SortStableFunc(s.classes, func(a, b *Class) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(s.contracts, func(a, b *Contract) int {
		av, _ := parseVersion([]byte(a.Version))
		bv, _ := parseVersion([]byte(b.Version))
		return cmp.Or(cmp.Compare(a.Event, b.Event), av.compare(bv))
	})
	for _, c := range s.contracts {
		known := s.byEvent[c.Event]
		if known == nil {
			known = &versions{}
			s.byEvent[c.Event] = known
		}
		v, _ := parseVersion([]byte(c.Version))
		known.list, known.numbers = append(known.list, c), append(known.numbers, v)
	}
	return s
}

// Bind returns the set with its contracts compiled for events scanned with dict, which must know Paths. Only contracts of a bound
// set can Check.
func (s *Set) Bind(dict *event.Dictionary) *Set {
	bound := make([]*Contract, 0, len(s.contracts))
	for _, c := range s.contracts {
		compiled := *c
		compiled.checks = compileChecks(c, dict)
		compiled.Suppressions = bindSuppressions(c.Suppressions, dict)
		bound = append(bound, &compiled)
	}
	set := newSet(bound, s.classes)
	set.envelope = s.envelope
	return set
}

// All returns the contracts by event and ascending version. The slice is the set's own: do not change it.
func (s *Set) All() []*Contract { return s.contracts }

// Classes returns the classes by name. The slice is the set's own: do not change it.
func (s *Set) Classes() []*Class { return s.classes }

// Events returns the names of all events, sorted.
func (s *Set) Events() []string {
	var names []string
	for _, c := range s.contracts {
		names = append(names, c.Event)
	}
	return slices.Compact(names)
}

// Knows reports whether the event has a contract.
func (s *Set) Knows(eventName string) bool { return s.byEvent[eventName] != nil }

// Paths returns every governed path below properties, sorted, for event.NewDictionary.
func (s *Set) Paths() []string {
	var paths []string
	s.walk(func(p *Property) {
		paths = append(paths, p.Path)
		if p.Type == Array {
			paths = append(paths, p.Path+"[]")
		}
	})
	slices.Sort(paths)
	return slices.Compact(paths)
}

// walk visits every property of every contract, outer ones first.
func (s *Set) walk(visit func(*Property)) {
	var each func([]*Property)
	each = func(list []*Property) {
		for _, p := range list {
			visit(p)
			each(p.Properties)
		}
	}
	for _, c := range s.contracts {
		each(c.Properties)
	}
}

// Select finds the contract for an event name and schema version. An empty version means the newest contract; otherwise it is
// the exact version or, when that is not known, the newest of the same major. A fault means that there is none.
func (s *Set) Select(eventName, schemaVersion string) (*Contract, *event.Fault) {
	return s.choose([]byte(eventName), []byte(schemaVersion))
}

// SelectBytes is Select without a copy of the texts.
func (s *Set) SelectBytes(eventName, schemaVersion []byte) (*Contract, *event.Fault) {
	return s.choose(eventName, schemaVersion)
}

// For is Select by what the event says of itself. It does not allocate on the good path.
func (s *Set) For(ix *event.Index) (*Contract, *event.Fault) {
	var scratch [128]byte
	name, ok := ix.Get(event.EventName)
	if !ok || name.Kind() != event.String {
		return nil, unknownEvent()
	}
	schema, ok := ix.Get(event.SchemaVersion)
	if !ok || schema.Kind() == event.Null {
		return s.choose(name.Text(scratch[:0]), nil)
	}
	if schema.Kind() != event.String {
		return nil, badVersion()
	}
	var more [64]byte
	return s.choose(name.Text(scratch[:0]), schema.Text(more[:0]))
}

func (s *Set) choose(name, schema []byte) (*Contract, *event.Fault) {
	known := s.byEvent[string(name)]
	if known == nil {
		return nil, unknownEvent()
	}
	if len(schema) == 0 {
		return known.list[len(known.list)-1], nil
	}
	want, ok := parseVersion(schema)
	if !ok {
		return nil, badVersion()
	}
	var newest *Contract
	for i, v := range known.numbers {
		if v == want {
			return known.list[i], nil
		}
		if v.major == want.major {
			newest = known.list[i]
		}
	}
	if newest == nil {
		return nil, &event.Fault{
			Code: CodeUnknownMajor, Path: "context.schema_version",
			Remedy: "add a contract for major version " + strconv.Itoa(want.major) + ", or have the sender use a declared one",
		}
	}
	return newest, nil
}

func unknownEvent() *event.Fault {
	return &event.Fault{Code: CodeUnknownEvent, Path: "event_name", Remedy: "add a contract for the event, or stop sending it"}
}

func badVersion() *event.Fault {
	return &event.Fault{Code: CodeVersion, Path: "context.schema_version", Remedy: `send a semantic version as text, such as "1.4.2"`}
}

// parseVersion reads "1.4.2" strictly: three numbers without leading zeros.
func parseVersion(text []byte) (v version, ok bool) {
	if len(text) > 20 {
		return v, false
	}
	parts := [3]*int{&v.major, &v.minor, &v.patch}
	for i, part := range parts {
		digits := 0
		for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
			*part = *part*10 + int(text[digits]-'0')
			digits++
		}
		if digits == 0 || digits > 6 || (digits > 1 && text[0] == '0') {
			return v, false
		}
		if text = text[digits:]; i < 2 {
			if len(text) == 0 || text[0] != '.' {
				return v, false
			}
			text = text[1:]
		}
	}
	return v, len(text) == 0
}

func (v version) compare(other version) int {
	return cmp.Or(cmp.Compare(v.major, other.major), cmp.Compare(v.minor, other.minor), cmp.Compare(v.patch, other.patch))
}
