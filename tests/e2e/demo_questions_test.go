package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"
)

var (
	latencyLine  = regexp.MustCompile(`from published to queryable: p50 ([0-9.]+) s, p95 ([0-9.]+) s, p99 ([0-9.]+) s, over (\d+) rows`)
	ruleOf       = regexp.MustCompile(`(\S+) .*policy\.yaml:(\d+) `)
	eventID      = regexp.MustCompile(`evt_[0-9a-v]{26}`)
	officerTitle = "As a privacy officer you would ask:\n"
	supportTitle = "On the question whether a webhook came, and what became of it:\n"
)

// latencies holds that every row of the demo was measured, and no time is one that cannot be.
func (h *house) latencies(out string) {
	h.t.Helper()
	found := latencyLine.FindStringSubmatch(out)
	require.NotNil(h.t, found, out)
	require.Equal(h.t, strconv.Itoa(h.count("SELECT count() FROM events")), found[4])
	before := 0.0
	for _, text := range found[1:4] {
		seconds, err := strconv.ParseFloat(text, 64)
		require.NoError(h.t, err)
		require.GreaterOrEqual(h.t, seconds, before)
		require.Less(h.t, seconds, patience.Seconds())
		before = seconds
	}
	require.Positive(h.t, before)
}

// commands are those that a kept demo prints under a title.
func commands(h *house, out, title string) []string {
	h.t.Helper()
	_, block, ok := strings.Cut(out, title)
	require.True(h.t, ok, out)
	block, _, _ = strings.Cut(block, "\n\n")
	return strings.Split(strings.TrimSpace(block), "\n")
}

// supporter runs those that say whether a webhook came.
func (h *house) supporter(out string) {
	h.t.Helper()
	where := commands(h, out, officerTitle)[0]
	asked := commands(h, out, supportTitle)
	require.Len(h.t, asked, 4)
	list := h.shell(where, asked[0])
	require.Contains(h.t, list, "bad_signature")
	require.Contains(h.t, list, "evt_demo-1-stripe-2")
	require.Contains(h.t, h.shell(where, asked[1]), "verification   ok, with secret main")
	require.Contains(h.t, h.shell(where, asked[2]), "good: these bytes arrived")
}

// officer runs the commands that a kept demo ends with, as they are printed, and holds the answers against the row that is
// there, the row that is not, and the policy.
func (h *house) officer(out string) {
	h.t.Helper()
	asked := commands(h, out, officerTitle)
	require.Len(h.t, asked, 4)
	delivered, denied := eventID.FindString(asked[1]), eventID.FindString(asked[2])
	require.Equal(h.t, delivered, eventID.FindString(asked[3]))
	require.NotEqual(h.t, delivered, denied)

	why := h.shell(asked[0], asked[1])
	require.Contains(h.t, why, "analytics: allowed at govern")
	require.Contains(h.t, why, "has exactly the fields that go by this")
	policy, rules := strings.Split(h.read("pipelines/policy.yaml"), "\n"), map[string]bool{}
	for line := range strings.Lines(why) {
		if found := ruleOf.FindStringSubmatch(strings.TrimLeft(line, "│ ")); found != nil {
			at, err := strconv.Atoi(found[2])
			require.NoError(h.t, err)
			rules[found[1]] = strings.HasPrefix(strings.TrimSpace(policy[at-1]), found[1]+":")
		}
	}
	for _, field := range h.fieldsOf(delivered) {
		require.True(h.t, rules[field], "%s is in the row and no line of the policy is named for it:\n%s", field, why)
	}

	require.Zero(h.t, h.count("SELECT count() FROM events WHERE event_id = ?", denied))
	require.Contains(h.t, h.shell(asked[0], asked[2]), "analytics: denied at govern: consent.")

	version := h.ws.Policy.Version
	require.Equal(h.t, 1, h.count("SELECT count() FROM events WHERE event_id = ? AND policy_version = ?", delivered, version))
	require.Regexp(h.t, `export +│ analytics +│ delivered +│ +│ `+regexp.QuoteMeta(version)+`, consent \d`, h.shell(asked[0], asked[3]))
}

// shell runs printed commands where the program is where they say.
func (h *house) shell(commands ...string) string {
	h.t.Helper()
	if _, err := os.Lstat(h.path("bin/ebbgate")); err != nil {
		require.NoError(h.t, os.MkdirAll(h.path("bin"), 0o700))
		require.NoError(h.t, os.Symlink(ebbgate(h.t), h.path("bin/ebbgate")))
	}
	cmd := exec.Command("sh", "-ec", strings.Join(commands, "\n"))
	cmd.Dir, cmd.Env = filepath.Clean(h.root), h.environment()
	dieWithParent(cmd)
	out, err := cmd.CombinedOutput()
	require.NoError(h.t, err, "%v: %s", commands, out)
	return string(out)
}

// fieldsOf are the properties that a row has.
func (h *house) fieldsOf(id string) (fields []string) {
	h.t.Helper()
	var text string
	require.NoError(h.t, h.conn.QueryRow(h.ctx(), "SELECT properties FROM events WHERE event_id = ?", id).Scan(&text))
	var properties map[string]any
	require.NoError(h.t, json.Unmarshal([]byte(text), &properties))
	require.NotEmpty(h.t, properties)
	for name := range properties {
		fields = append(fields, fmt.Sprintf("properties.%s", name))
	}
	return fields
}
