package gate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// mounted is a workspace that is replaced the way Kubernetes replaces a ConfigMap: a link is turned from one folder to
// another.
type mounted struct {
	h       *house
	dir     string
	shipped map[string]string // the files of a generation, as shipped
}

const shippedVersion = "2026-11-01"

func (h *house) mounted() *mounted {
	h.t.Helper()
	m := &mounted{h: h, dir: h.t.TempDir(), shipped: map[string]string{}}
	for _, pattern := range []string{"policy.yaml", "contracts/*.yaml"} {
		names, err := filepath.Glob(filepath.Join("pipelines", pattern))
		require.NoError(h.t, err)
		for _, name := range names {
			m.shipped[strings.TrimPrefix(name, "pipelines"+string(filepath.Separator))] = h.file(name)
		}
	}
	require.NoError(h.t, os.WriteFile(filepath.Join(m.dir, "topics.yaml"), []byte(h.file("pipelines/topics.yaml")), 0o600))
	m.replace("v0", m.generation(0))
	for _, name := range []string{"policy.yaml", "contracts"} {
		require.NoError(h.t, os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)))
	}
	return m
}

func (h *house) file(name string) string {
	h.t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(h.t, err)
	return string(text)
}

// generation is number n of many that alternate: those with an even number declare and keep alpha, the others beta, so that a
// contract of the one with the policy of the other would let neither through.
func (m *mounted) generation(n int) map[string]string {
	name := []string{"alpha", "beta"}[n%2]
	files := map[string]string{}
	for file, text := range m.shipped {
		files[file] = text
	}
	files["contracts/form_submitted.yaml"] = strings.Replace(files["contracts/form_submitted.yaml"], "\nundeclared: quarantine\nproperties:\n",
		"\nproperties:\n  "+name+": { type: string, description: Of the test., classification: none, allowed_for: [analytics] }\n", 1)
	files["policy.yaml"] = strings.Replace(strings.Replace(files["policy.yaml"], shippedVersion, "v"+strconv.Itoa(n), 1),
		"      properties.form_id: keep\n", "      properties.form_id: keep\n      properties."+name+": keep\n", 1)
	return files
}

// replace turns the link.
func (m *mounted) replace(folder string, files map[string]string) {
	m.h.t.Helper()
	for name, text := range files {
		name = filepath.Join(m.dir, folder, name)
		require.NoError(m.h.t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(m.h.t, os.WriteFile(name, []byte(text), 0o600))
	}
	next := filepath.Join(m.dir, "..next")
	require.NoError(m.h.t, os.Symlink(folder, next))
	require.NoError(m.h.t, os.Rename(next, filepath.Join(m.dir, "..data")))
}

func (m *mounted) stream(processors string) {
	m.h.t.Helper()
	m.h.stream(strings.NewReplacer("DIR", fmt.Sprintf("workspace: %q, reload_period: 5ms", m.dir), "SEEDS", fmt.Sprintf("%q", m.h.seeds)).Replace(`
input: { redpanda: { seed_brokers: SEEDS, topics: [ events.raw ], consumer_group: reload, chunk_offsets: 64, chunk_period: 10ms } }
pipeline:
  processors: ` + processors + `
    - consent: { stage: validate, DIR, state: { seed_brokers: SEEDS } }
    - consent: { stage: govern, DIR, state: { seed_brokers: SEEDS } }
    - redact: { DIR }
output: { redpanda: { seed_brokers: SEEDS, topic: "${! @topic }", key: "${! @key }" } }
`))
}

// published are the versions on the policies topic.
func (h *house) published() map[string]*kgo.Record {
	versions := map[string]*kgo.Record{}
	for _, rec := range h.read("privacy.policies") {
		versions[string(rec.Key)] = rec
	}
	return versions
}

// Policy and contracts are replaced many times while events flow. Each record is made anew from the raw event by the version it
// names, as that lies on the topic, and must come out the same.
func TestEveryRecordIsWhatItsVersionMakesOfTheEvent(t *testing.T) {
	for name, processors := range map[string]string{
		"batch by batch":   "\n    - contract: { DIR }",
		"event by event":   "\n    - for_each: [ { contract: { DIR } } ]",
		"rewritten within": "\n    - contract: { DIR }\n    - mapping: root = this.without(\"nothing\")",
	} {
		t.Run(name, func(t *testing.T) {
			const generations, each = 12, 150
			h := newHouse(t)
			m := h.mounted()
			m.stream(processors)
			for n := range generations {
				if n > 0 {
					m.replace("g"+strconv.Itoa(n), m.generation(n))
				}
				for i := range each {
					h.publish("events.raw", labelled(n*each+i))
					if i == each/2 {
						h.until(func() bool { return h.published()["v"+strconv.Itoa(n)] != nil }, "v%d is not in force", n)
					}
				}
				if n%3 != 0 { // so that it has judged some, however busy the machine is
					h.drained("reload", "events.raw")
				}
			}
			h.drained("reload", "events.raw")
			require.Empty(t, h.codes())
			r := &remaker{h: h, policies: h.published(), raw: map[string][]byte{}, made: map[string]*remade{}}
			for _, rec := range h.read("events.raw") {
				var e struct {
					EventID string `json:"event_id"`
				}
				require.NoError(t, json.Unmarshal(rec.Value, &e))
				r.raw[e.EventID] = rec.Value
			}
			seen := map[string]bool{}
			for _, topic := range authorized {
				for _, rec := range h.read(topic) {
					r.check(rec)
					if topic == authorized[0] {
						seen[header(rec, "event_id")] = true
					}
				}
			}
			require.Len(t, seen, generations*each, "every event is judged")
			require.Greater(t, len(r.made), generations/2, "versions that judged")
		})
	}
}

func labelled(n int) string {
	return strings.Replace(form("evt_"+strconv.Itoa(n), "u_"+strconv.Itoa(n%9), yes), `"form_id"`, `"alpha":"a","beta":"b","form_id"`, 1)
}

// remaker makes records anew from what lies on the topics.
type remaker struct {
	h        *house
	policies map[string]*kgo.Record
	raw      map[string][]byte
	made     map[string]*remade // by version
}

type remade struct {
	rules *workspace.Workspace
	plan  *policy.Plan
}

func (r *remaker) version(rec *kgo.Record) *remade {
	name := header(rec, "ebbgate_policy")
	if v := r.made[name]; v != nil {
		return v
	}
	known := r.policies[name]
	require.NotNil(r.h.t, known, "version %s judged, and nobody knows it", name)
	parsed, err := workspace.ParsePublished(known.Value)
	require.NoError(r.h.t, err)
	v := &remade{}
	v.rules, err = parsed.Rules()
	require.NoError(r.h.t, err)
	v.plan, err = v.rules.Policy.Bind(v.rules.Dict, r.h.ring)
	require.NoError(r.h.t, err)
	r.made[name] = v
	return v
}

func (r *remaker) check(rec *kgo.Record) {
	t, v := r.h.t, r.version(rec)
	require.False(t, r.policies[v.rules.Policy.Version].Timestamp.After(rec.Timestamp), "it is judged by what was published before")
	ix := r.kept(v, r.raw[header(rec, "event_id")])
	claims, err := consent.NewReader(v.rules.Dict, v.rules.Policy.Purposes())
	require.NoError(t, err)
	claim, fault := claims.Read(ix)
	require.Nil(t, fault)
	verdict := consent.Judge(v.rules.Policy.Purposes(), claim, nil, time.Now())
	to, ok := v.rules.Policy.Index(header(rec, "ebbgate_destination"))
	require.True(t, ok)
	body, err := v.plan.Worker().Project(to, nil, ix, &verdict, &policy.Projection{})
	require.NoError(t, err)
	require.Equal(t, timeless(t, body), timeless(t, rec.Value), "version %s", v.rules.Policy.Version)
	if to == 0 {
		name := []string{"alpha", "beta"}[v.number(t)%2]
		require.Contains(t, string(rec.Value), name, "policy and contracts are of one generation")
	}
}

func (v *remade) number(t *testing.T) int {
	n, err := strconv.Atoi(strings.TrimPrefix(v.rules.Policy.Version, "v"))
	require.NoError(t, err)
	return n
}

// kept is the event without what the version's contract does not declare.
func (r *remaker) kept(v *remade, raw []byte) *event.Index {
	t := r.h.t
	scan := func(body []byte) *event.Index {
		var ix event.Index
		require.NoError(t, event.NewScanner(v.rules.Dict, event.DefaultLimits).Scan(body, &ix))
		return &ix
	}
	ix := scan(raw)
	agreed, fault := v.rules.Contracts.For(ix)
	require.Nil(t, fault)
	var res contract.Result
	agreed.Check(ix, &res)
	require.Empty(t, res.Faults)
	return scan(contract.AppendWithout(nil, ix, res.Remove))
}

// timeless is a record's content but for when consent was looked up.
func timeless(t *testing.T, body []byte) map[string]any {
	var content map[string]any
	require.NoError(t, json.Unmarshal(body, &content))
	if c, ok := content["consent"].(map[string]any); ok {
		delete(c, "checked_at")
	}
	return content
}
