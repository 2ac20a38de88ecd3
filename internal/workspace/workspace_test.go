package workspace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

const shipped = "../../pipelines"

// TestShippedWorkspace holds the files of pipelines/ to what they are an example of.
func TestShippedWorkspace(t *testing.T) {
	w, err := workspace.Load(shipped)
	require.NoError(t, err)
	assert.Equal(t, shipped, w.Dir)
	assert.Len(t, w.Contracts.Events(), 23)
	for _, c := range w.Contracts.All() {
		assert.NotEmpty(t, c.Description, c.File)
		assert.Contains(t, []string{"product", "platform", "data"}, c.Owner, c.File)
		for _, p := range c.Properties {
			assert.NotEmpty(t, p.Description, "%s %s", c.File, p.Path)
		}
	}
	for _, class := range w.Contracts.Classes() {
		assert.NotEmpty(t, class.Description, class.Name)
	}
	for _, d := range w.Policy.Destinations {
		assert.NotEmpty(t, d.Owner, d.Name)
		assert.True(t, d.CanDelete, d.Name)
		assert.NotZero(t, d.Retention, d.Name)
	}
	assert.Equal(t, []string{"analytics", "marketing"}, w.Policy.Purposes().Names())
	assert.True(t, w.Policy.LookupOnly([]byte("github")))
	_, err = w.Policy.Bind(w.Dict, keys.ForTesting("shipped"))
	require.NoError(t, err)
	for _, rule := range w.Policy.Destinations[0].Rules {
		for _, p := range w.Contracts.Leaf(rule.Path) {
			if p.Classification.Guarded() {
				assert.Equal(t, policy.Transform, rule.Op, "analytics knows nobody: %s", rule.Path)
			}
		}
	}
}

// TestShippedPolicyHidesPeople projects a form that is full of a person.
func TestShippedPolicyHidesPeople(t *testing.T) {
	w, err := workspace.Load(shipped)
	require.NoError(t, err)
	plan, err := w.Policy.Bind(w.Dict, keys.ForTesting("shipped"))
	require.NoError(t, err)
	body := `{"event_name":"form_submitted","event_id":"evt_1","timestamp":"2026-04-13T09:59:58Z","subject":{"user_id":"u_person"},` +
		`"consent":{"analytics":true,"marketing":true},"context":{"source":"web_app","ip":"203.0.113.77","user_agent":"person agent"},` +
		`"properties":{"form_id":"contact","email":"person@example.com","phone":"+1 555 010 0199","full_name":"A Person","company":"Person Ltd",` +
		`"company_size":12,"message":"I am a person","utm_campaign":"spring"}}`
	var ix event.Index
	require.NoError(t, event.NewScanner(w.Dict, event.DefaultLimits).Scan([]byte(body), &ix))
	verdict := held(t, w, "analytics", "marketing")
	worker := plan.Worker()
	for i, d := range w.Policy.Destinations {
		var out policy.Projection
		got, err := worker.Project(i, nil, &ix, verdict, &out)
		require.NoError(t, err, d.Name)
		assert.Contains(t, string(got), `"event_id":"evt_1"`, d.Name)
		assert.NotContains(t, string(got), "0199", d.Name)
		assert.NotContains(t, string(got), "203.0.113.77", d.Name)
		if d.Name != "activation" {
			assert.NotContains(t, strings.ToLower(string(got)), "person", d.Name)
			assert.Contains(t, string(got), "spring", d.Name)
		} else {
			assert.Contains(t, string(got), "person@example.com", d.Name)
			assert.NotContains(t, string(got), "I am", d.Name)
		}
	}
}

func TestHashCoversPolicyAndContracts(t *testing.T) {
	good := func() fstest.MapFS { return overlay(t, base, base) }
	load := func(files fstest.MapFS) string {
		w, err := workspace.LoadFS(files)
		require.NoError(t, err)
		return w.Hash()
	}
	first := load(good())
	assert.Len(t, first, 64)
	assert.Equal(t, first, load(good()))
	for _, name := range []string{"policy.yaml", "contracts/classes.yaml", "contracts/signed_up.yaml"} {
		files := good()
		files[name].Data = append(files[name].Data, "# remark\n"...)
		assert.NotEqual(t, first, load(files), name)
	}
	files := good()
	files["topics.yaml"].Data = append(files["topics.yaml"].Data, "# remark\n"...)
	assert.Equal(t, first, load(files), "topics decide nothing about an event")
	files = good()
	files["contracts/left.yaml"] = &fstest.MapFile{Data: []byte("event: left\nversion: 1.0.0\nowner: data\nclass: product\n")}
	assert.NotEqual(t, first, load(files))
}

func TestDictionaryKnowsEveryPath(t *testing.T) {
	w, err := workspace.Load(shipped)
	require.NoError(t, err)
	for _, path := range append(w.Contracts.LeafPaths(), "consent.analytics", "consent.marketing", "properties.items[].sku") {
		assert.NotEqual(t, event.NoField, w.Dict.Field(path), path)
	}
}

func TestLoadWithoutFolder(t *testing.T) {
	_, err := workspace.Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorContains(t, err, "name the one that holds policy.yaml")
	empty := t.TempDir()
	_, err = workspace.Load(empty)
	require.EqualError(t, err, "contracts: folder cannot be read: create it with one YAML file per event\n"+
		"contracts/classes.yaml: file cannot be read: create it and make it readable\n"+
		"policy.yaml: file cannot be read: create it and make it readable\n"+
		"topics.yaml: file cannot be read: create it and make it readable")
}

// TestEveryBadCaseIsSmall keeps the golden folder readable: a case is about one thing.
func TestEveryBadCaseIsSmall(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "bad", "*", "want.txt"))
	require.NoError(t, err)
	for _, name := range cases {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.LessOrEqual(t, strings.Count(string(text), "\n"), 20, name)
	}
}
