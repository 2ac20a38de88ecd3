package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/generate"
)

type digest [16]byte

// found is what lies at a destination, by event id.
type found struct {
	documents map[string]digest
	copies    map[string]int
	denied    map[string]string // reasons
}

// check holds what is there against ledger, reference and books.
func check(ctx context.Context, r *rig, l *load, rep *report) error {
	taken, sum, err := l.ledger()
	if err != nil {
		return err
	}
	rep.Accepted, rep.LedgerSHA256 = len(taken), sum
	everything, err := r.findings(ctx)
	if err != nil {
		return err
	}
	ref, err := newReference(r.dir+"/pipelines", r.ring)
	if err != nil {
		return err
	}
	a := &audit{rep: rep, ref: ref, taken: taken, found: everything, seen: map[string]bool{}, lists: withdrawals(l)}
	if err := l.again(func(n int, ev generate.Event) error { return a.event(n, ev, n >= l.laterAt) }); err != nil {
		return err
	}
	a.strangers()
	if err := r.rows(ctx, a); err != nil {
		return err
	}
	if err := r.warehouse.check(ctx, r, a); err != nil {
		return err
	}
	return r.balance(ctx, rep)
}

// findings reads the topics of the destinations and the decisions.
func (r *rig) findings(ctx context.Context) (map[string]*found, error) {
	out := map[string]*found{}
	for _, d := range r.ws.Policy.Destinations {
		f := &found{map[string]digest{}, map[string]int{}, map[string]string{}}
		out[d.Name] = f
		topic, _ := r.ws.Topics.ByDestination(d.Name)
		var bad error
		err := books.EachRecord(ctx, r.options, r.admin, topic.Name, func(rec *kgo.Record) {
			var doc map[string]any
			decoder := json.NewDecoder(bytes.NewReader(rec.Value))
			decoder.UseNumber()
			if err := decoder.Decode(&doc); err != nil {
				bad = fmt.Errorf("%s holds what is no JSON: %w", topic.Name, err)
				return
			}
			id, _ := doc["event_id"].(string)
			f.copies[id]++
			f.documents[id] = canonical(doc)
		})
		if err = errors.Join(err, bad); err != nil {
			return nil, err
		}
	}
	err := books.EachRecord(ctx, r.options, r.admin, "privacy.decisions", func(rec *kgo.Record) {
		var d struct {
			EventID     string `json:"event_id"`
			Destination string `json:"destination"`
			Verdict     string `json:"verdict"`
			Reason      string `json:"reason"`
			Stage       string `json:"stage"`
		}
		if json.Unmarshal(rec.Value, &d) != nil || d.Verdict != "denied" || d.Stage == "export" {
			return
		}
		for name, f := range out {
			if d.Destination == name || d.Destination == books.Everywhere {
				f.denied[d.EventID] = d.Reason
			}
		}
	})
	return out, err
}

// canonical is a digest of a document without what depends on when it was judged and received.
func canonical(doc map[string]any) digest {
	bare := map[string]any{}
	for name, v := range doc {
		if name != "consent" && name != "received_at" {
			bare[name] = v
		}
	}
	text, _ := json.Marshal(bare) // sorted by name
	sum := sha256.Sum256(text)
	return digest(sum[:16])
}

// audit compares event by event.
type audit struct {
	rep   *report
	ref   *reference
	taken map[string]string
	found map[string]*found
	seen  map[string]bool
	lists [2]map[string]map[string]bool // what records refuse, by person: from the start, and later
	want  map[string]bool               // event ids that must be rows, for certain
	stage map[string]bool               // event ids with a staging row of their own: whether it must be live
	may   map[string]bool               // event ids that may be rows
}

// withdrawals are the purposes that people's records refuse: those known from the start, and those known later.
func withdrawals(l *load) (out [2]map[string]map[string]bool) {
	said := l.gen.Statements()
	for i, part := range [][]generate.Statement{said[:len(said)/2], l.later} {
		out[i] = map[string]map[string]bool{}
		for _, s := range part {
			refused := map[string]bool{}
			for purpose, given := range s.Purposes {
				refused[purpose] = !given
			}
			out[i][s.Subject.UserID] = refused
		}
	}
	return out
}

// event holds one event against what is there. What was sent before its person's record became known may have been judged with or
// without it.
func (a *audit) event(n int, ev generate.Event, after bool) error {
	if ev.Kind == generate.Repeat {
		return nil
	}
	if a.want == nil {
		a.want, a.may, a.stage = map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	sum := sha256.Sum256(ev.Bytes)
	if a.taken[ev.ID] != hex.EncodeToString(sum[:]) {
		a.rep.wrong(ev.ID, "the ledger does not hold an event as it was sent")
	}
	a.seen[ev.ID] = true
	if !ev.Expect.Accepted() {
		a.rep.Flawed++
		for name, f := range a.found {
			if f.copies[ev.ID] > 0 {
				a.rep.wrong(ev.ID, "%s has an event that had to be quarantined as %s", name, ev.Expect.Code)
			}
		}
		return nil
	}
	fates, err := a.fates(ev, after)
	if err != nil {
		return err
	}
	for name, f := range a.found {
		possible := make([]fate, len(fates))
		for i := range fates {
			possible[i] = fates[i][name]
		}
		a.compare(name, f, ev, possible...)
	}
	return nil
}

// fates are what may become of an event. One that was sent before its person's record became known may have been stored and given
// before that, stored before and given after, or both after.
func (a *audit) fates(ev generate.Event, after bool) (out []map[string]fate, err error) {
	early := a.lists[0][ev.Subject.UserID]
	views := [][2]map[string]bool{{early, early}}
	if late, ok := a.lists[1][ev.Subject.UserID]; ok {
		views = append(views, [2]map[string]bool{early, late}, [2]map[string]bool{late, late})
		if after {
			views = views[2:]
		}
	}
	for _, view := range views {
		fates, err := a.ref.judge(ev.Bytes, view[0], view[1])
		if err != nil {
			return nil, err
		}
		out = append(out, fates)
	}
	return out, nil
}

func (a *audit) compare(name string, f *found, ev generate.Event, fates ...fate) {
	row := a.rep.destination(name)
	doc, delivered := f.documents[ev.ID]
	reason, denied := f.denied[ev.ID]
	switch {
	case delivered && denied && sameVerdict(fates):
		row.Wrong++
		a.rep.wrong(ev.ID, "%s was both given and denied a %s event", name, ev.Name)
	case delivered:
		row.Delivered++
		if denied {
			row.Both++
		}
		row.Repeated += f.copies[ev.ID] - 1
		if !slices.ContainsFunc(fates, func(want fate) bool { return want.document != nil && canonical(want.document) == doc }) {
			row.Wrong++
			a.rep.wrong(ev.ID, "%s has a %s event that is not what the reference makes of it (denied by it: %q)", name, ev.Name, fates[0].denied)
		}
	case denied:
		row.Denied++
		if !slices.ContainsFunc(fates, func(want fate) bool { return want.denied == reason }) {
			row.Wrong++
			a.rep.wrong(ev.ID, "%s was denied a %s event for %s, the reference says %q", name, ev.Name, reason, fates[0].denied)
		}
	default:
		row.Lost++
		a.rep.wrong(ev.ID, "%s neither has a %s event nor was it denied", name, ev.Name)
	}
	if name == "warehouse" && delivered && stagedAlone[ev.Name] {
		a.stage[ev.ID] = fates[len(fates)-1].document != nil && !a.left(ev)
	}
	if name == sink && delivered {
		a.may[ev.ID] = true
		// A withdrawal that became known between the topic and the table keeps an event out.
		if !slices.ContainsFunc(fates, func(want fate) bool { return want.document == nil }) {
			a.want[ev.ID] = true
		}
	}
}

// left tells whether the person has withdrawn, by the end, a purpose that a row of the event rests on.
func (a *audit) left(ev generate.Event) bool {
	for _, list := range a.lists {
		if refused := list[ev.Subject.UserID]; refused["analytics"] || refused[a.ref.storage[ev.Name]] {
			return true
		}
	}
	return false
}

// sameVerdict tells whether an event has one fate, whenever it is judged.
func sameVerdict(fates []fate) bool {
	return !slices.ContainsFunc(fates, func(other fate) bool { return other.denied != fates[0].denied })
}

// strangers looks for what nobody sent.
func (a *audit) strangers() {
	for name, f := range a.found {
		for id := range f.copies {
			if !a.seen[id] {
				a.rep.wrong(id, "%s has an event that was never sent", name)
			}
		}
	}
	for id := range a.taken {
		if !a.seen[id] {
			a.rep.wrong(id, "the ledger holds an event that was never made")
		}
	}
}

const sink = "analytics"

// rows counts the sink's table, as it lies there and as analysts see it.
func (r *rig) rows(ctx context.Context, a *audit) error {
	rows, err := r.conn.Query(ctx, "SELECT event_id, count() FROM events GROUP BY event_id")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var n uint64
		if err := rows.Scan(&id, &n); err != nil {
			return err
		}
		a.rep.Rows += int(n)
		if n > 1 {
			a.rep.RowsTwice += int(n - 1)
			a.rep.wrong(id, "an event is in the table %d times", n)
		}
		if !a.may[id] {
			a.rep.Leaked++
			a.rep.wrong(id, "the table has an event that its topic does not have")
		}
		delete(a.want, id)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(a.want) > 0 {
		a.rep.RowsLost = len(a.want)
		for id := range a.want {
			a.rep.wrong(id, "an event is not in the table")
		}
	}
	var seen, once uint64
	if err := r.conn.QueryRow(ctx, "SELECT count(), uniqExact(event_id) FROM events_unique").Scan(&seen, &once); err != nil {
		return err
	}
	if seen != once {
		a.rep.wrong("", "analysts see %d events twice", seen-once)
	}
	return nil
}

// balance closes the books.
func (r *rig) balance(ctx context.Context, rep *report) error {
	ledger, err := books.Collect(ctx, r.options, r.plan(), books.ClickHouseSink(r.conn, sink, "events"))
	if err != nil {
		return err
	}
	closed := ledger.Compute()
	rep.Books = closed.Rows
	if !closed.Balanced() || !closed.Drained() {
		var text strings.Builder
		_ = closed.WriteTable(&text)
		rep.wrong("", "the books do not balance:\n%s", text.String())
	}
	return nil
}
