package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/ebbgate/ebbgate/internal/event"
)

// Delivery is what a provider says of one delivery attempt. It is believed only after Verify said OK.
type Delivery struct {
	// Attempt counts from 1; 0 where the provider does not say.
	Attempt int
	// IDSigned is whether the ids are covered by the signature. Where they are not, who has one delivery can send it again
	// under another id, and only the body tells that it is the same.
	IDSigned bool
	// Events are what the delivery holds: one, or one for each element where the body is an array.
	Events []Event
	// Digest, in hexadecimal, is of a body without what its provider changes when it sends the same event again; empty where
	// nothing is known to change.
	Digest string
}

// Event is one event of a delivery.
type Event struct {
	// ID and Type are the provider's own, empty where it gave none that is a text.
	ID, Type string
	// Body is the event's JSON, byte for byte as it came.
	Body []byte
}

// Describe reads ids, types and attempt. A body is parsed only where one of them stands in it, by the strict scanner, and
// the error is that scanner's fault.
func (s *Scheme) Describe(header map[string][]string, body []byte) (Delivery, error) {
	d := Delivery{
		Attempt: s.attemptOf(header), IDSigned: s.id.path != nil || s.idHeader != "" && slices.Equal(s.id.headers, []string{s.idHeader}),
	}
	fromHeaders := Event{ID: s.id.header(header), Type: s.kind.header(header), Body: body}
	if s.id.path == nil && s.kind.path == nil && !s.array {
		d.Events = []Event{fromHeaders}
		return d, nil
	}
	r := readers.Get().(*reader)
	defer readers.Put(r)
	roots, err := r.roots(body, s.array)
	if err != nil {
		return d, fmt.Errorf("reading a delivery: %w", err)
	}
	if len(roots) > 0 { // an empty list of events is a delivery too
		d.Digest = r.digest(roots[0], s.counter)
	}
	for _, root := range roots {
		e := fromHeaders
		if s.id.path != nil {
			e.ID = r.text(root, s.id.path)
		}
		if s.kind.path != nil {
			e.Type = r.text(root, s.kind.path)
		}
		if s.array {
			e.Body = root.Raw()
		}
		d.Events = append(d.Events, e)
	}
	return d, nil
}

// Challenge is the text a provider wants echoed before it delivers (Slack's url_verification). Answer it as plain text, and
// only after Verify said OK.
func (s *Scheme) Challenge(body []byte) (string, bool) {
	if !s.challenge {
		return "", false
	}
	r := readers.Get().(*reader)
	defer readers.Put(r)
	roots, err := r.roots(body, false)
	if err != nil || r.text(roots[0], []string{"type"}) != "url_verification" {
		return "", false
	}
	text := r.text(roots[0], []string{"challenge"})
	return text, text != ""
}

func (s *Scheme) attemptOf(header map[string][]string) int {
	if s.attempt == "" {
		return 0
	}
	values := header[s.attempt]
	if len(values) == 0 {
		return 1
	}
	repeat, err := strconv.ParseUint(values[0], 10, 16)
	if err != nil || len(values) > 1 {
		return 0
	}
	return int(repeat) + 1
}

// header is the text of the only header at this place, empty when there is none or it cannot serve as an id.
func (p place) header(header map[string][]string) string {
	for _, name := range p.headers {
		if values := header[name]; len(values) == 1 && visible([]byte(values[0])) {
			return values[0]
		}
	}
	return ""
}

// reader is a scanner with its memory.
type reader struct {
	scanner *event.Scanner
	index   event.Index
	values  []event.Value
	scratch []byte
}

var readers = sync.Pool{New: func() any {
	// A dictionary of no paths of its own is always good.
	dict, err := event.NewDictionary()
	if err != nil {
		panic(err)
	}
	return &reader{scanner: event.NewScanner(dict, event.DefaultLimits), scratch: make([]byte, 0, maxID)}
}}

// roots are the objects a body holds: itself, or its elements where it is an array. The scanner reads objects, so an array
// is put into one.
func (r *reader) roots(body []byte, array bool) ([]event.Value, error) {
	r.values = r.values[:0]
	if !array {
		if err := r.scanner.Scan(body, &r.index); err != nil {
			return nil, err
		}
		return append(r.values, r.index.Root()), nil
	}
	// A copy of its own: the events alias it, and outlive the reader's turn.
	wrapped := slices.Concat([]byte(`{"":`), body, []byte(`}`))
	if err := r.scanner.Scan(wrapped, &r.index); err != nil {
		return nil, err
	}
	// One member, or the body closed our object and opened something of its own.
	members, elements := 0, true
	r.index.Root().Each(func(list event.Value) bool {
		members++
		elements = elements && list.Kind() == event.Array
		list.Each(func(v event.Value) bool {
			elements = elements && v.Kind() == event.Object
			r.values = append(r.values, v)
			return true
		})
		return true
	})
	if members != 1 || !elements {
		return nil, errNotArray
	}
	return r.values, nil
}

var errNotArray = &event.Fault{Code: event.CodeNotObject, Remedy: "this provider sends an array of objects"}

// digest is of a body without the number that its member counter has, empty where there is no such number.
func (r *reader) digest(root event.Value, counter string) (sum string) {
	if counter == "" {
		return ""
	}
	root.Each(func(member event.Value) bool {
		if member.IsInteger() && string(member.Key(r.scratch)) == counter {
			at := r.index.Nodes[member.Pos()]
			h := sha256.New()
			h.Write(r.index.Buf[:at.Start])
			h.Write(r.index.Buf[at.End:])
			sum = hex.EncodeToString(h.Sum(nil))
		}
		return sum == ""
	})
	return sum
}

// text is the string at a path, empty where there is none that may serve as an id.
func (r *reader) text(root event.Value, path []string) string {
	at := root
	for _, name := range path {
		found := false
		at.Each(func(member event.Value) bool {
			if string(member.Key(r.scratch)) == name {
				at, found = member, true
			}
			return !found
		})
		if !found {
			return ""
		}
	}
	if at.Kind() != event.String && !at.IsInteger() {
		return ""
	}
	text := at.Text(r.scratch)
	if !visible(text) {
		return ""
	}
	return string(text)
}
