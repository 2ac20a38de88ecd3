package segment

import (
	"encoding/json"
	"net/netip"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/consent/dialect"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
)

const testClasses = "classes: {product: {retention: 400d, storage: analytics}}\n"

var testContracts = map[string]string{
	"trial_started": `event: trial_started
version: 1.0.0
owner: product
class: product
properties:
  plan: { type: string, classification: none }
  price: { type: number, classification: none, from: server }
  utm_source: { type: string, classification: none }
  locale: { type: string, classification: none, from: server }
  items:
    type: array
    items:
      type: object
      properties:
        sku: { type: string, classification: none }
        cost: { type: number, classification: none, from: server }
`,
	"page_viewed": `event: page_viewed
version: 1.0.0
owner: product
class: product
properties:
  path: { type: string, classification: none }
  title: { type: string, classification: none }
  name: { type: string, classification: none }
`,
	"identify": `event: identify
version: 1.0.0
owner: product
class: product
properties:
  email: { type: string, classification: direct }
  score: { type: integer, classification: none, from: server }
`,
	"invoice_paid": `event: invoice_paid
version: 1.0.0
owner: product
class: product
from: server
properties:
  amount: { type: integer, classification: none }
`,
}

var (
	now     = time.Date(2026, 4, 13, 10, 0, 0, 4e6, time.UTC)
	browser = &Source{Name: "web_app", Browser: true, IP: TruncateIP}
	server  = &Source{Name: "backend", IP: KeepIP}
)

func request() *Request {
	return &Request{ReceivedAt: now, CorrelationID: "req_abc", IP: netip.MustParseAddr("203.0.113.9"), UserAgent: "Mozilla/5.0"}
}

// house is a mapper, and the scanner of the stage that reads what it writes.
type house struct {
	mapper  *Mapper
	reader  *Reader
	next    *event.Scanner
	claims  *consent.Reader
	purpose *consent.Purposes
}

func newHouse(t testing.TB, limits Limits) *house {
	t.Helper()
	files := fstest.MapFS{"contracts/classes.yaml": {Data: []byte(testClasses)}}
	for name, text := range testContracts {
		files["contracts/"+name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	set, err := contract.Load(files, "contracts")
	require.NoError(t, err)
	purposes, err := consent.NewPurposes("analytics", "marketing")
	require.NoError(t, err)
	rules, err := dialect.New(purposes, dialect.Mapping{Purposes: map[string]dialect.Purpose{
		"analytics": {Categories: []string{"Analytics"}},
		"marketing": {Categories: []string{"Advertising"}, GPC: true},
	}})
	require.NoError(t, err)
	mapper, err := NewMapper(Config{Contracts: set, Consent: rules, Limits: limits})
	require.NoError(t, err)
	dict, err := event.NewDictionary(append(set.Paths(), "consent.analytics", "consent.marketing")...)
	require.NoError(t, err)
	claims, err := consent.NewReader(dict, purposes)
	require.NoError(t, err)
	return &house{mapper, mapper.NewReader(), event.NewScanner(dict, event.Limits{}), claims, purposes}
}

func (h *house) batch(t testing.TB, source *Source, body string) []Outcome {
	t.Helper()
	fault := h.reader.Open(Route{Kind: Batch}, []byte(body))
	require.Nil(t, fault)
	return h.reader.Map(source, request(), nil)
}

// one maps a batch of one event.
func (h *house) one(t testing.TB, source *Source, call string) Outcome {
	t.Helper()
	outcomes := h.batch(t, source, `{"batch":[`+call+`]}`)
	require.Len(t, outcomes, 1)
	return outcomes[0]
}

// check holds what the package promises of every outcome.
func (h *house) check(t testing.TB, o *Outcome) {
	t.Helper()
	require.True(t, event.ValidID(o.EventID))
	if o.Fault != nil {
		require.Nil(t, o.Envelope)
		require.NotEmpty(t, o.Fault.Remedy)
		return
	}
	var ix event.Index
	require.NoError(t, h.next.Scan(o.Envelope, &ix), "%s", o.Envelope)
	require.Nil(t, event.CheckEnvelope(&ix, now, event.DefaultTimeLimits))
	require.Equal(t, string(o.Envelope), string(event.AppendValue(nil, ix.Root())), "canonical")
	_, fault := h.claims.Read(&ix)
	require.Nil(t, fault)
	id, _ := ix.Get(event.EventID)
	require.Equal(t, string(o.EventID), id.String())
}

// envelope is the envelope of an outcome, checked, as a tree.
func (h *house) envelope(t testing.TB, o Outcome) map[string]any {
	t.Helper()
	require.Nil(t, o.Fault)
	h.check(t, &o)
	var tree map[string]any
	require.NoError(t, json.Unmarshal(o.Envelope, &tree))
	return tree
}
