package staging

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/staging"
)

// Codes of records that can be no row.
const (
	codeType     = "staging.type"
	codeRequired = "staging.required"
	codeKey      = "staging.key"
)

// row is one row on its way into a dataset.
type row struct {
	key      string
	version  int64
	eventID  string
	values   []any // as Dataset.Filled orders them
	subjects []string
}

// table gathers the rows of one dataset: at most one for each key.
type table struct {
	set      *staging.Dataset
	names    []string
	declared map[string]*staging.Column
	events   map[string]bool
	rows     map[string]*row
	order    []*row
}

func newTable(area *staging.Area, d *staging.Dataset) *table {
	t := &table{set: d, names: d.Filled(area), declared: map[string]*staging.Column{}, events: map[string]bool{}, rows: map[string]*row{}}
	for _, c := range d.Columns {
		t.declared[c.Name] = c
	}
	for _, name := range d.Events {
		t.events[name] = true
	}
	return t
}

// facts are what is known of a record besides its values.
type facts struct {
	name     string
	at       time.Time
	token    string // of the primary subject
	batch    string
	sealed   *seal.Record
	r        *record
	values   map[string]event.Value
	topic    string
	part     int32
	subjects []string
}

// add makes the record's row and merges it with what the chunk has of the same key.
func (t *table) add(f *facts) *event.Fault {
	fresh := &row{version: f.at.UnixMicro(), eventID: f.sealed.EventID, subjects: f.subjects}
	var fault *event.Fault
	if fresh.key, fault = t.key(f); fault != nil {
		return fault
	}
	fresh.values = make([]any, len(t.names))
	for i, name := range t.names {
		column, declared := t.declared[name]
		if !declared {
			fresh.values[i] = f.lineage(name, fresh)
			continue
		}
		if fresh.values[i], fault = f.value(column); fault != nil {
			return fault
		}
	}
	t.merge(fresh)
	return nil
}

func (t *table) key(f *facts) (string, *event.Fault) {
	switch t.set.Kind {
	case staging.Profile:
		return f.token, nil
	case staging.Event:
		if len(f.sealed.EventID) > 200 {
			return "", &event.Fault{Code: codeKey, Path: "event_id", Remedy: "a key of Stitch is at most 200 bytes long: shorten the ids at their source"}
		}
		return f.sealed.EventID, nil
	}
	sum, named := sha256.New(), false
	for _, path := range t.set.Key {
		v, ok := f.values[path]
		if ok && v.Kind() != event.Null {
			named = true
			sum.Write(v.Text(nil))
		}
		sum.Write([]byte{0x1f})
	}
	if !named {
		return "", &event.Fault{Code: codeKey, Path: t.set.Key[0], Remedy: "the event has none of the paths that name a fact of " + t.set.Name + ": change key in staging.yaml, or the source"}
	}
	return "fa_" + hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// merge keeps the later of two rows of one key. A profile's takes from the earlier what it is silent about.
func (t *table) merge(fresh *row) {
	have, ok := t.rows[fresh.key]
	if !ok {
		t.rows[fresh.key] = fresh
		t.order = append(t.order, fresh)
		return
	}
	subjects := append(have.subjects, fresh.subjects...)
	later := cmp.Or(cmp.Compare(have.version, fresh.version), cmp.Compare(have.eventID, fresh.eventID)) < 0
	earlier := *fresh
	if later && t.set.Kind != staging.Event {
		earlier, *have = *have, *fresh
	}
	if t.set.Kind == staging.Profile {
		for i, name := range t.names {
			if _, declared := t.declared[name]; declared && have.values[i] == nil {
				have.values[i] = earlier.values[i]
			}
		}
	}
	have.subjects = subjects
}

// lineage fills a column that every dataset has.
func (f *facts) lineage(name string, r *row) any {
	switch name {
	case "fact_id":
		return r.key
	case "subject_key":
		return f.token
	case "event_id":
		return f.sealed.EventID
	case "event_name":
		return f.name
	case "entity_version":
		return r.version
	case "policy_version":
		return f.sealed.Policy
	case "consent_version":
		return optional(f.sealed.ConsentVersion)
	case "relied_on":
		return f.sealed.Requires
	case "data_class":
		return f.sealed.Class
	case "correlation_id":
		return optional(f.sealed.CorrelationID)
	case "batch_id":
		return f.batch
	case "source_topic":
		return f.topic
	case "source_partition":
		return f.part
	case "source_offset":
		return f.r.ref.Offset
	case "occurred_at":
		return f.at
	case "is_deleted":
		return false
	case "deleted_at", "deletion_reason", "deletion_request_id":
		return nil
	}
	panic(fmt.Sprintf("column %s is filled by nobody", name))
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}
