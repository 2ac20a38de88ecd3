package e2e

import (
	"encoding/json"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/sandbox"
)

var (
	canaryLine  = regexp.MustCompile(`canaries: (\d+) planted, (\d+) places searched, (\d+) leaks`)
	publishLine = regexp.MustCompile(`demo: (\d+) records published, (\d+) were there`)
)

// The demo proves itself on a fresh folder; again it finds all of its events there; with --kill it loses none.
func TestDemo(t *testing.T) {
	t.Parallel()
	plugtest.ClickHouse(t) // skips where there is no engine
	h := bare(t)
	demo := func(args ...string) outcome {
		return h.run(append([]string{"demo", "--dir", "sandbox", "--keep"}, args...)...)
	}
	t.Cleanup(func() { h.leave("demo", "stop", "--dir", "sandbox") })

	first := demo("--events", "1500")
	require.Zero(t, first.code, first.both())
	require.Contains(t, first.out, "balanced: every accepted event came to exactly one end")
	require.Regexp(t, `stripe +│ bad_signature │ +401 │ +1 │`, first.out)
	require.Regexp(t, `customer_profiles +│ +\d+ │ +0 │ user_token=t1\.`, first.out)
	require.Contains(t, first.errors, "sent 200 events and believes 200 delivered")
	require.Regexp(t, `sendgrid │ ok +│ +200 │ +4 │`, first.out)
	canaries := numbers(t, canaryLine, first.out)
	require.GreaterOrEqual(t, canaries[0], 200)
	require.GreaterOrEqual(t, canaries[1], 10)
	require.Zero(t, canaries[2])
	published := numbers(t, publishLine, first.errors)
	require.Greater(t, published[0], 1500)
	require.Zero(t, published[1], "a fresh folder has no earlier run")

	require.NotContains(t, first.both(), "\x1b", "nobody watches: no drawing")
	state, err := sandbox.Status(h.path("sandbox"))
	require.NoError(t, err)
	h.conn = open(t, state.Endpoints.ClickHouseDSN)
	h.latencies(first.out)
	h.officer(first.out)
	h.supporter(first.out)
	before := h.rows()
	require.NotEmpty(t, before)

	again := demo("--events", "1500", "--output", "json")
	require.Zero(t, again.code, again.both())
	require.Equal(t, []int{0, published[0]}, numbers(t, publishLine, again.errors))
	require.Equal(t, before, h.rows())

	killed := demo("--events", "3000", "--seed", "2", "--kill", "--output", "json")
	require.Zero(t, killed.code, killed.both())
	require.Contains(t, killed.errors, "kill -9")
	var result books.Books
	require.NoError(t, json.Unmarshal([]byte(killed.out), &result))
	require.True(t, result.Balanced() && result.Drained(), killed.out)
	require.Equal(t, h.count("SELECT uniqExact(event_id, topic, partition, offset) FROM events"), h.count("SELECT count() FROM events"))
	require.Greater(t, len(h.rows()), len(before))
}

// leave runs a command after the test, when nothing may fail it any more.
func (h *house) leave(args ...string) {
	cmd := h.command(args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Logf("%v: %v: %s", args, err, out)
	}
}

func numbers(t *testing.T, line *regexp.Regexp, text string) (out []int) {
	t.Helper()
	found := line.FindStringSubmatch(text)
	require.NotNil(t, found, "no line like %s in:\n%s", line, text)
	for _, digits := range found[1:] {
		n, err := strconv.Atoi(digits)
		require.NoError(t, err)
		out = append(out, n)
	}
	return out
}
