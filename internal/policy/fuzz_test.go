package policy_test

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
)

const fuzzEvent = `{"event_name":"signed_up","event_id":"e","subject":{"user_id":"cnry00001q"},"consent":{"analytics":true},` +
	`"context":{"ip":"203.0.113.9"},"properties":{"plan":"pro","email":"cnry00002q@example.com","seats":3,"items":[{"sku":"s","note":"cnry00003q"}],"x":"cnry00004q"}}`

// FuzzCompile: whatever the file says, it is refused in words or becomes a policy that lets no guarded value go as it is.
func FuzzCompile(f *testing.F) {
	for _, name := range []string{"../../pipelines/policy.yaml"} {
		shipped, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(shipped)
	}
	f.Add(withRules("properties.plan: { keep: true, requires: marketing }", "subject.user_id: tokenize")["policy.yaml"].Data)
	f.Add([]byte("version: 1\ndestinations: {a: {purpose: p, fields: {event_id: keep, properties.email: {truncate: 3}}}}"))
	f.Add([]byte("version: &v 1\ndestinations: {<<: *v}"))
	f.Add([]byte("version: 1\ndestinations: {a: {purpose: p, fields: {event_id: keep, properties.items[].note: {scrub: true}, consent.p: keep}}}"))
	files := withRules()
	set, err := contract.Load(files, "contracts")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, src []byte) {
		lintErr := policy.Lint(src, "policy.yaml")
		p, err := policy.Compile(src, "policy.yaml", set)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.NoError(t, lintErr, "what compiles passes alone")
		paths := set.Paths()
		for _, name := range p.Purposes().Names() {
			paths = append(paths, "consent."+name)
		}
		dict, err := event.NewDictionary(paths...)
		if err != nil {
			return // a purpose that looks like consent.source, which the workspace reports
		}
		plan, err := p.Bind(dict, testRing)
		require.NoError(t, err)
		h := &harness{policy: p, worker: plan.Worker(), dict: dict, scanner: event.NewScanner(dict, event.DefaultLimits)}
		require.NoError(t, h.scanner.Scan([]byte(fuzzEvent), &h.index))
		for i, d := range p.Destinations {
			var out policy.Projection
			got, err := h.worker.Project(i, nil, &h.index, h.verdict(p.Purposes().Names()...), &out)
			if err != nil {
				continue
			}
			for _, canary := range []string{"cnry00001q", "cnry00004q"} {
				require.NotContains(t, string(got), canary, "destination %s", d.Name)
			}
		}
	})
}

// TestWorkersShareAPlan runs workers of one plan side by side; the race detector watches.
func TestWorkersShareAPlan(t *testing.T) {
	files, body := benchWorkspace()
	h := newHarness(t, files)
	plan, err := h.policy.Bind(h.dict, testRing)
	require.NoError(t, err)
	require.NoError(t, h.scanner.Scan(body, &h.index))
	var want policy.Projection
	expected, err := plan.Worker().Project(0, nil, &h.index, h.verdict("analytics"), &want)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			worker, verdict := plan.Worker(), h.verdict("analytics")
			for range 200 {
				var out policy.Projection
				got, err := worker.Project(0, nil, &h.index, verdict, &out)
				if err != nil || string(got) != string(expected) || out != want {
					t.Errorf("%s, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
