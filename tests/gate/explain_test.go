package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/explain"
	"github.com/ebbgate/ebbgate/internal/generate"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/internal/trace"
	"github.com/ebbgate/ebbgate/internal/workspace"
	"github.com/ebbgate/ebbgate/plugins/all"
)

// stages are the processors of the shipped pipelines in one, with the state of a few subjects.
var stages = []string{
	"strict_json: { workspace: DIR }", "identity: { workspace: DIR }", "contract: { workspace: DIR }",
	"consent: { stage: validate, workspace: DIR, state: { static: STATE } }",
	"consent: { stage: govern, workspace: DIR, state: { static: STATE } }", "redact: { workspace: DIR }",
}

// tester is a test, or one case of a property.
type tester interface {
	require.TestingT
	Helper()

	Context() context.Context
}

// end is what the gate made of an event at one destination.
type end struct {
	verdict, reason, rule string
	fields                string // that went, sorted
}

// An explanation says of every event exactly what the gate does with it: the same verdicts, for the same reasons, by the
// same lines, and the very fields that are written.
func TestAnExplanationIsWhatTheGateDoes(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	t.Setenv(state.EnvironmentStatic, "1")
	ws, err := workspace.Load("pipelines")
	require.NoError(t, err)
	explainer, err := explain.New(ws)
	require.NoError(t, err)

	withdrawn := map[string]map[string]bool{} // by user
	for i := range 40 {
		withdrawn[fmt.Sprintf("u_%d", 100000+i)] = map[string]bool{[]string{"analytics", "marketing"}[i%2]: false}
	}
	events, users := sample(7, 3000)
	seen := map[string]int{}
	compare(t, "pipelines", explainer, withdrawn, events, users, seen)
	for _, what := range []string{explain.Allowed, explain.Denied, explain.Quarantined, explain.Keep, explain.Transform, explain.NotListed, explain.NotRequired} {
		require.Positive(t, seen[what], "%s was never explained: %v", what, seen)
	}
}

// compare holds what is said of the events against what the gate does with them, and counts what was said.
func compare(t tester, dir string, explainer *explain.Explainer, states map[string]map[string]bool, events [][]byte, users []string, seen map[string]int) {
	t.Helper()
	did := runGate(t, dir, states, events)
	for i, body := range events {
		report, err := explainer.Event(body, explain.Options{Now: time.Now(), Consent: states[users[i]]})
		require.NoError(t, err)
		said := map[string]end{}
		for _, d := range report.Destinations {
			said[d.Destination] = ending(d)
			seen[d.Verdict]++
			for _, f := range d.Fields {
				seen[f.Decision]++
			}
		}
		require.Equal(t, did[i], said, "event %d: %s", i, body)
		text, err := json.Marshal(report)
		require.NoError(t, err)
		require.NotContains(t, string(text), "canary-")
		require.NotContains(t, string(text), "@example.")
	}
}

func ending(d explain.Destination) end {
	e := end{verdict: d.Verdict, reason: d.Reason, rule: d.Rule}
	if d.Verdict == explain.Allowed {
		e.rule = "" // the gate writes down only lines that deny
	}
	going := map[string]bool{}
	for _, f := range d.Fields {
		if f.Goes() {
			going[f.Path] = true
		}
	}
	e.fields = sorted(going)
	return e
}

func sorted(set map[string]bool) string {
	var list []string
	for path := range set {
		list = append(list, path)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// sample makes events of every kind, some of them with properties that nobody declares.
func sample(seed uint64, count int) (events [][]byte, users []string) {
	random := rand.New(rand.NewPCG(seed, seed))
	g := generate.New(generate.Options{
		Seed: seed, Count: count, Users: 200, Start: time.Now().UTC().Add(-time.Hour).Truncate(time.Second),
		BadShare: 0.1, MissingConsentShare: 0.1, WithdrawnShare: 0.1, CanaryEvery: 3,
	})
	for {
		ev, ok := g.Next(nil)
		if !ok {
			return events, users
		}
		body := ev.Bytes
		if random.IntN(5) == 0 {
			body = []byte(strings.Replace(string(body), `"properties":{`, `"properties":{"undeclared":{"ada@example.com":[1,2]},`, 1))
		}
		events, users = append(events, body), append(users, ev.Subject.UserID)
	}
}

// runGate sends the events through the real processors and gives what became of each, by destination.
func runGate(t tester, dir string, states map[string]map[string]bool, events [][]byte) []map[string]end {
	t.Helper()
	var list []map[string]any
	for user, purposes := range states {
		list = append(list, map[string]any{"user_id": user, "purposes": purposes, "version": 3})
	}
	text, err := json.Marshal(list)
	require.NoError(t, err)
	env, err := all.Environment(true) // events come from and go to the test
	require.NoError(t, err)
	builder := env.NewStreamBuilder()
	for _, yaml := range stages {
		require.NoError(t, builder.AddProcessorYAML(strings.NewReplacer("STATE", string(text), "DIR", strconv.Quote(dir)).Replace(yaml)))
	}
	builder.SetThreads(1)
	require.NoError(t, builder.SetLoggerYAML("level: NONE"))
	push, err := builder.AddBatchProducerFunc()
	require.NoError(t, err)
	var mu sync.Mutex
	var came service.MessageBatch
	require.NoError(t, builder.AddBatchConsumerFunc(func(_ context.Context, batch service.MessageBatch) error {
		mu.Lock()
		defer mu.Unlock()
		came = append(came, batch...)
		return nil
	}))
	stream, err := builder.Build()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ran := make(chan error, 1)
	go func() {
		ran <- stream.Run(ctx)
		cancel() // a stream that ended by itself takes nothing any more
	}()
	for i, body := range events {
		msg := service.NewMessage(body)
		msg.MetaSetMut("number", i)
		require.NoError(t, push(ctx, service.MessageBatch{msg}))
	}
	require.NoError(t, stream.StopWithin(patience))
	require.NoError(t, <-ran)
	ends := make([]map[string]end, len(events))
	for _, msg := range came {
		require.NoError(t, msg.GetError())
		enter(t, ends, msg)
	}
	return ends
}

var destinations = []string{"analytics", "warehouse", "activation"}

func enter(t tester, ends []map[string]end, msg *service.Message) {
	number, _ := msg.MetaGetMut("number")
	into := ends[number.(int)]
	if into == nil {
		into = map[string]end{}
		ends[number.(int)] = into
	}
	topic, _ := msg.MetaGet("topic")
	body, err := msg.AsBytes()
	require.NoError(t, err)
	var rec struct{ Code, Destination, Verdict, Reason, Rule string }
	switch {
	case topic == "events.dlq":
		require.NoError(t, json.Unmarshal(body, &rec))
		for _, name := range destinations {
			into[name] = end{verdict: explain.Quarantined, reason: rec.Code}
		}
	case topic == "privacy.decisions":
		require.NoError(t, json.Unmarshal(body, &rec))
		for _, name := range destinations {
			if rec.Verdict == "denied" && (rec.Destination == name || rec.Destination == "*") {
				into[name] = end{verdict: explain.Denied, reason: rec.Reason, rule: rec.Rule}
			}
		}
	default:
		var value any
		require.NoError(t, json.Unmarshal(body, &value))
		paths := map[string]bool{}
		flatten(paths, "", value)
		into[strings.TrimPrefix(topic, "events.authorized.")] = end{verdict: explain.Allowed, fields: sorted(paths)}
	}
}

// flatten lists the paths of the single values of a document, as policies write them.
func flatten(into map[string]bool, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			flatten(into, strings.TrimPrefix(path+"."+name, "."), inner)
		}
	case []any:
		for _, inner := range value {
			flatten(into, path+"[]", inner)
		}
	default:
		into[path] = true
	}
}

// The first decision there is can be explained: its version was published before it was made, by the stage that made it.
func TestEveryVersionOnADecisionIsPublished(t *testing.T) {
	h := newHouse(t)
	h.publish("events.raw", form("evt_1", "u_1", noConsent))
	h.shipped("validate")
	h.drained("ebbgate-validate", "events.raw")
	made := h.read("privacy.decisions")
	require.Len(t, made, 1)
	var decision struct{ Policy string }
	require.NoError(t, json.Unmarshal(made[0].Value, &decision))
	login, err := kafka.NewClient(kafka.Login{Seeds: h.seeds})
	require.NoError(t, err)
	rules, err := trace.Policies(h.ctx(), login, "privacy.policies")
	require.NoError(t, err)
	ws, err := rules(decision.Policy)
	require.NoError(t, err)
	require.Equal(t, h.ws.Hash(), ws.Hash())
}
