package dlq

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// What became of an entry since it was quarantined.
const (
	Waiting   = "waiting"
	Replayed  = "replayed"
	Discarded = "discarded"
)

// Entry is one quarantined event. Records that say the same of it, as a stage writes them that was killed in between, are one entry.
type Entry struct {
	ID    string
	State string
	// Record is the newest of them, with the first failure and the attempts of all.
	quarantine.Record

	headers []kgo.RecordHeader
}

var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// idOf names an entry by what failed where: the record it was read from, the event made of it, the stage and the destination.
func idOf(rec *quarantine.Record) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d@%d\x00%s\x00%s\x00%s", rec.Ref.Topic, rec.Ref.Partition, rec.Ref.Offset, rec.EventID, rec.Stage, rec.Destination))
	return "q_" + idEncoding.EncodeToString(sum[:10])
}

func (e *Entry) merge(rec *quarantine.Record) {
	first, attempts := e.First, e.Attempts
	if !rec.Last.Before(e.Last) {
		e.Record = *rec
	}
	if first.Before(e.First) {
		e.First = first
	}
	e.Attempts = max(attempts, rec.Attempts)
}

// Filter chooses entries. Empty fields choose all.
type Filter struct {
	IDs []string `json:"ids,omitempty"`
	// Code is a code, or the beginning of several: contract. is every contract.*.
	Code  string `json:"code,omitempty"`
	Event string `json:"event,omitempty"` // an event's name or id
	// Source is the topic the event was read from.
	Source string    `json:"source,omitempty"`
	Stage  string    `json:"stage,omitempty"`
	Since  time.Time `json:"since,omitzero"` // of the last failure
	Until  time.Time `json:"until,omitzero"`
	State  string    `json:"state,omitempty"`
}

// Everything reports whether the filter names nothing that would narrow it down but a state or a time.
func (f *Filter) Everything() bool {
	return len(f.IDs) == 0 && f.Code == "" && f.Event == "" && f.Source == "" && f.Stage == ""
}

func (f *Filter) wants(e *Entry) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	code := is(f.Code, e.Code) || strings.HasSuffix(f.Code, ".") && strings.HasPrefix(e.Code, f.Code)
	return (len(f.IDs) == 0 || slices.Contains(f.IDs, e.ID)) && code && (is(f.Event, e.EventName) || is(f.Event, e.EventID)) &&
		is(f.Source, e.Ref.Topic) && is(f.Stage, e.Stage) && is(f.State, e.State) &&
		!e.Last.Before(f.Since) && (f.Until.IsZero() || e.Last.Before(f.Until))
}
