package policy_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/mask"
	"github.com/ebbgate/ebbgate/internal/policy"
)

// harness is a compiled workspace with one worker.
type harness struct {
	policy  *policy.Policy
	worker  *policy.Worker
	scanner *event.Scanner
	dict    *event.Dictionary
	index   event.Index
	set     *contract.Set
}

type tester interface {
	require.TestingT
	Helper()
}

var testRing = keys.ForTesting("policy")

func newHarness(t tester, files fs.FS) *harness {
	t.Helper()
	set, err := contract.Load(files, "contracts")
	require.NoError(t, err)
	src, err := fs.ReadFile(files, "policy.yaml")
	require.NoError(t, err)
	p, err := policy.Compile(src, "policy.yaml", set)
	require.NoError(t, err, "%s", src)
	paths := set.Paths()
	for _, name := range p.Purposes().Names() {
		paths = append(paths, "consent."+name)
	}
	dict, err := event.NewDictionary(paths...)
	require.NoError(t, err)
	plan, err := p.Bind(dict, testRing)
	require.NoError(t, err)
	return &harness{policy: p, worker: plan.Worker(), scanner: event.NewScanner(dict, event.DefaultLimits), dict: dict, set: set.Bind(dict)}
}

// verdict holds the named purposes.
func (h *harness) verdict(held ...string) *consent.Verdict {
	v := &consent.Verdict{Purposes: h.policy.Purposes()}
	for _, name := range held {
		bit, _ := h.policy.Purposes().Bit(name)
		v.Held |= bit
	}
	return v
}

var canaryForm = regexp.MustCompile(`cnry\d{5}q|(?:77|88)\d{5}`)

// TestProjectionAgreesWithNaiveEvaluator is promise 1 for single events: whatever the policy and however the event is written, the
// output means exactly what a plain evaluator over maps computes, and no byte of a field that may not go is in it.
func TestProjectionAgreesWithNaiveEvaluator(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		h := newHarness(t, m.files())
		for range 4 {
			checkProjection(t, h, m, m.drawEvent(t))
		}
	})
}

func checkProjection(t *rapid.T, h *harness, m *model, body []byte) {
	require.True(t, json.Valid(body), "%s", body)
	if err := h.scanner.Scan(body, &h.index); err != nil {
		return // another name for a governed field: refused before any policy
	}
	held := []string{modelPurpose}
	if rapid.Bool().Draw(t, "marketing") {
		held = append(held, modelOther)
	}
	verdict := h.verdict(held...)
	if rapid.Bool().Draw(t, "recorded") {
		verdict.Recorded, verdict.Source, verdict.Version = true, "consent_service", 8
	}
	var out policy.Projection
	prefix := []byte("earlier")
	got, err := h.worker.Project(0, prefix, &h.index, verdict, &out)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(got, prefix))
	got = got[len(prefix):]

	want := (&naive{m: m, marketing: len(held) == 2, verdict: verdict}).project(t, body)
	wantText, err := json.Marshal(want)
	require.NoError(t, err)
	require.Equal(t, decode(t, wantText), decode(t, got), "event %s\npolicy %v", body, m.rules)

	allowed := map[string]bool{}
	for _, canary := range canaryForm.FindAllString(string(wantText), -1) {
		allowed[canary] = true
	}
	for _, canary := range canaryForm.FindAllString(string(got), -1) {
		require.True(t, allowed[canary], "%s leaks in %s", canary, got)
	}
	require.Equal(t, bytes.Count(got, []byte("cnry")), len(regexp.MustCompile(`cnry\d{5}q`).FindAll(got, -1)), "part of a canary in %s", got)

	var again event.Index
	require.NoError(t, h.scanner.Scan(got, &again), "%s", got)
	require.Equal(t, string(event.AppendValue(nil, again.Root())), string(got), "the output is not in canonical form")

	decisions, err := h.worker.Explain(0, &h.index, verdict)
	require.NoError(t, err)
	count := map[string]int{}
	for _, d := range decisions {
		count[d.Verdict]++
		require.NotEmpty(t, d.Path)
		require.NotContains(t, d.Path+d.Reason, "cnry")
	}
	require.Equal(t, map[string]int{"kept": out.Kept, "dropped": out.Dropped, "transformed": out.Transformed, "failed": out.Failed},
		map[string]int{"kept": count["kept"], "dropped": count["dropped"], "transformed": count["transformed"], "failed": count["failed"]})
}

func decode(t require.TestingT, text []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	require.NoError(t, decoder.Decode(&v), "%s", text)
	return v
}

// naive evaluates a policy over maps, the slow and obvious way.
type naive struct {
	m         *model
	marketing bool
	verdict   *consent.Verdict
}

func (n *naive) project(t *rapid.T, body []byte) map[string]any {
	in := decode(t, body).(map[string]any)
	out, _ := n.value("", in).(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	own, _ := in["consent"].(map[string]any)
	delete(out, "consent")
	if c := n.consent(own); len(c) > 0 {
		out["consent"] = c
	}
	return out
}

func (n *naive) consent(own map[string]any) map[string]any {
	c := map[string]any{}
	for name, overlay := range map[string]string{"source": n.verdict.Source, "version": map[bool]string{true: "8"}[n.verdict.Version == 8]} {
		if n.m.rules["consent."+name].op != "keep" {
			continue
		}
		if overlay != "" {
			c[name] = overlay
		} else if text, ok := own[name].(string); ok {
			c[name] = text
		}
	}
	if n.m.rules["consent.marketing"].op == "keep" {
		c["marketing"] = n.marketing
	}
	return c
}

// value gives nil for what does not go; a JSON null that goes is the null type below.
func (n *naive) value(path string, v any) any {
	if r, ruled := n.m.rules[path]; ruled {
		return n.apply(path, r, v)
	}
	switch v := v.(type) {
	case map[string]any:
		if n.isValue(path, "object") {
			return nil
		}
		out := map[string]any{}
		for name, inner := range v {
			below := strings.TrimPrefix(path+"."+name, ".")
			if kept := n.value(below, inner); kept != nil {
				out[name] = kept
			}
		}
		if len(out) == 0 && path != "" {
			return nil
		}
		return out
	case []any:
		if n.isValue(path, "array") {
			return nil
		}
		var out []any
		for _, inner := range v {
			if kept := n.value(path+"[]", inner); kept != nil {
				out = append(out, kept)
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	}
	return nil
}

// isValue reports whether path is declared as something that cannot be of this kind.
func (n *naive) isValue(path, kind string) bool {
	shape := map[string]string{"": "object", "subject": "object", "consent": "object", "context": "object", "properties": "object"}
	var walk func([]*prop)
	walk = func(list []*prop) {
		for _, p := range list {
			switch p.typ {
			case "object":
				shape[p.path] = "object"
			case "objects":
				shape[p.path], shape[p.path+"[]"] = "array", "object"
			case "array":
				shape[p.path] = "array"
			}
			walk(p.inside)
		}
	}
	walk(n.m.props)
	return shape[path] != kind
}

type null struct{}

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

func (n *naive) apply(path string, r rule, v any) any {
	if r.op == "drop" || (r.requires == modelOther && !n.marketing) || !n.typed(path, v) {
		return nil
	}
	if v == nil {
		return null{}
	}
	if r.op == "keep" {
		return v
	}
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	}
	shown, err := n.transform(path, r.op).Append(nil, []byte(text))
	if err != nil {
		return nil
	}
	return string(shown)
}

func (n *naive) transform(path, op string) mask.Transform {
	switch op {
	case "tokenize":
		return mask.Tokenize(testRing.Token("out", path))
	case "mask":
		return mask.MaskEmail()
	case "scrub":
		return mask.Scrub()
	case "truncate_ip":
		transform, _ := mask.TruncateIP(24, 48)
		return transform
	case "truncate_time":
		transform, _ := mask.TruncateTime("day")
		return transform
	}
	transform, _ := mask.Bucket([]float64{10, 50, 100})
	return transform
}

func (n *naive) typed(path string, v any) bool {
	typ := "string"
	for _, leaf := range n.m.leaves {
		if leaf.path == path {
			typ = leaf.typ
		}
	}
	switch v.(type) {
	case nil:
		return true
	case string:
		return typ == "string" || typ == "timestamp" || typ == "json"
	case json.Number:
		return typ == "integer" || typ == "number" || typ == "json"
	case bool:
		return typ == "boolean" || typ == "json"
	}
	return typ == "json"
}
