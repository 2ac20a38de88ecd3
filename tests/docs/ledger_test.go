package docs

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/generate"
	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// What became of an event, by what the generator says of it.
const (
	kept     = "delivered"
	refused  = "denied"
	withheld = "withheld" // by the sink: consent had gone
	broken   = "quarantined"
)

// fact is one event and what must have become of it.
type fact struct {
	generate.Event
	said   saying
	fate   string
	copies int // how often its client sent it
	// campaign tells whether what needs consent to marketing may be there.
	campaign bool
	row      stored // the first of its rows
}

// saying is what an event's own bytes say; nothing of one that is broken.
type saying struct {
	ReceivedAt time.Time `json:"received_at"`
	Consent    struct{ Source, Version string }
	Context    struct{ Source string }
	Properties struct {
		Plan        string
		UTMCampaign *string `json:"utm_campaign"`
		Experiments []string
		Currency    string
		PaidAt      time.Time `json:"paid_at"`
		Items       []struct {
			SKU      string
			Quantity int
			Amount   float64
		}
	}
}

// place is where a record lies; sealed what it was made of.
type place struct {
	topic     string
	partition int32
	offset    int64
}

func (p place) String() string {
	return p.topic + "/" + strconv.Itoa(int(p.partition)) + "@" + strconv.FormatInt(p.offset, 10)
}

type sealed struct {
	place
	id   string
	from place
}

// stored is when the row of a record came in, as the row itself says.
type stored struct {
	sealed
	at time.Time
}

// chunk is what the sink took at once, and when.
type chunk struct {
	partition   int32
	first, last int64
	at          time.Time
}

// ledger is all that the test knows without the queries: what was published, what lies on the broker's topics, and the
// times that records bear.
type ledger struct {
	*warehouse
	facts       []*fact // one for each id, in order of time
	byID        map[string]*fact
	sealed      []sealed // what the sink was given
	rows        []stored // what it made of it, in order of time
	quarantined []time.Time
	chunks      []chunk
	decisions   []decided // each once, in the order of their times
}

// decided is a decision as its topic holds it.
type decided struct {
	ID          string `json:"decision_id"`
	EventID     string `json:"event_id"`
	Destination string
	Verdict     string
	Reason      string
	Rule        string
	Policy      string
	Stage       string
	Version     int64 `json:"consent_version"`
	at          time.Time
}

func newLedger(t *testing.T, w *warehouse) *ledger {
	t.Helper()
	l := &ledger{warehouse: w, byID: map[string]*fact{}}
	for _, ev := range w.events {
		if known := l.byID[ev.ID]; known != nil {
			known.copies++
			continue
		}
		f := &fact{Event: ev, fate: fateOf(ev), copies: 1}
		f.campaign = ev.Expect.Claim.Marketing == generate.Yes && (ev.Subject.UserID == "" || !slices.Contains(ev.Expect.Withdrawn, generate.Marketing))
		if f.fate != broken {
			require.NoError(t, json.Unmarshal(ev.Bytes, &f.said))
		}
		l.facts = append(l.facts, f)
		l.byID[ev.ID] = f
	}
	l.readTopics(t)
	l.readTimes(t)
	return l
}

func fateOf(ev generate.Event) string {
	denied := ev.Expect.DeniedNow(generate.Analytics)
	if ev.Subject.UserID == "" { // statements are about users
		denied = ev.Expect.Denied(generate.Analytics)
	}
	switch {
	case !ev.Expect.Accepted():
		return broken
	case denied != "":
		return refused
	case slices.Contains(withdrawn, ev.Subject.UserID):
		return withheld
	}
	return kept
}

// readTopics notes what lies where.
func (l *ledger) readTopics(t *testing.T) {
	t.Helper()
	entered := map[place]string{}
	read := func(topic string, take func(*kgo.Record)) {
		require.NoError(t, books.EachRecord(t.Context(), l.brokers, l.admin, topic, take))
	}
	read("inbound.events", func(r *kgo.Record) { entered[place{r.Topic, r.Partition, r.Offset}] = string(r.Value) })
	read("events.authorized.analytics", func(r *kgo.Record) {
		h := map[string]string{}
		for _, header := range r.Headers {
			h[header.Key] = string(header.Value)
		}
		partition, err := strconv.ParseInt(h["src_partition"], 10, 32)
		require.NoError(t, err)
		offset, err := strconv.ParseInt(h["src_offset"], 10, 64)
		require.NoError(t, err)
		s := sealed{place{r.Topic, r.Partition, r.Offset}, h["event_id"], place{h["src_topic"], int32(partition), offset}}
		require.Contains(t, entered[s.from], `"`+s.id+`"`, "the record at %s names another as its origin", s.place)
		l.sealed = append(l.sealed, s)
	})
	known := map[string]int{}
	read("privacy.decisions", func(r *kgo.Record) {
		d := decided{at: r.Timestamp}
		require.NoError(t, json.Unmarshal(r.Value, &d))
		if i, again := known[d.ID]; !again {
			known[d.ID] = len(l.decisions)
			l.decisions = append(l.decisions, d)
		} else if d.at.Before(l.decisions[i].at) {
			l.decisions[i] = d
		}
	})
	slices.SortFunc(l.decisions, func(a, b decided) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.EventID, b.EventID))
	})
	read("events.dlq", func(r *kgo.Record) {
		q, err := quarantine.ParseRecord(r.Value)
		require.NoError(t, err)
		l.quarantined = append(l.quarantined, q.First)
	})
}

// readTimes reads when rows and chunks came in. Everything else about them is computed.
func (l *ledger) readTimes(t *testing.T) {
	t.Helper()
	at := map[place]time.Time{}
	l.query(t, "SELECT topic, partition, offset, inserted_at FROM events", func(scan func(...any) error) error {
		var p place
		var inserted time.Time
		err := scan(&p.topic, &p.partition, &p.offset, &inserted)
		at[p] = inserted.UTC()
		return err
	})
	l.query(t, "SELECT partition, first, last, committed_at FROM ebbgate_chunks FINAL WHERE destination = 'analytics'", func(scan func(...any) error) error {
		var c chunk
		err := scan(&c.partition, &c.first, &c.last, &c.at)
		l.chunks = append(l.chunks, c)
		return err
	})
	for _, s := range l.sealed {
		if l.byID[s.id].fate == kept {
			require.Contains(t, at, s.place, "no row of the record")
			require.WithinRange(t, at[s.place], l.events[0].Time.Add(span), time.Now())
			l.rows = append(l.rows, stored{s, at[s.place]})
		}
	}
	require.Len(t, at, len(l.rows), "a row of no record")
	slices.SortFunc(l.rows, func(a, b stored) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
	})
	for _, r := range l.rows {
		if f := l.byID[r.id]; f.row.id == "" {
			f.row = r
		}
	}
}

func (l *ledger) query(t *testing.T, statement string, row func(scan func(...any) error) error) {
	t.Helper()
	require.NoError(t, l.client.Query(t.Context(), statement, nil, row))
}

// kept are the events of these names that are there, in order of time; without names all.
func (l *ledger) kept(names ...string) (out []*fact) {
	for _, f := range l.facts {
		if f.fate == kept && (len(names) == 0 || slices.Contains(names, f.Name)) {
			out = append(out, f)
		}
	}
	return out
}

// committed is when the sink was done with a record.
func (l *ledger) committed(p place) time.Time {
	for _, c := range l.chunks {
		if c.partition == p.partition && c.first <= p.offset && p.offset <= c.last {
			return c.at
		}
	}
	return time.Time{}
}

// withheld are the records that the sink held back.
func (l *ledger) withheld() (out []sealed) {
	for _, s := range l.sealed {
		if l.byID[s.id].fate == withheld {
			out = append(out, s)
		}
	}
	return out
}

// countedAs is the name under which an event counts that did not come in: its own, unless nobody could read it or no
// contract has it.
func (f *fact) countedAs() string {
	switch code := f.Expect.Code; {
	case strings.HasPrefix(code, "event."), code == "envelope.event_name", code == "contract.unknown_event":
		return ""
	}
	return f.Name
}
