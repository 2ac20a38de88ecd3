package segment

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/npm"
)

// sdkFolder is a folder in which node finds the packages.
func sdkFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := npm.Install(t.Context(), dir, npm.SegmentNode)
	if errors.Is(err, npm.ErrNoClient) && os.Getenv("EBBGATE_REQUIRE_ENGINE") != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	script, err := os.ReadFile(filepath.Join("testdata", "calls.js"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "calls.js"), script, 0o644))
	return dir
}

// sent is what one request of the SDK brought.
type sent struct {
	agent, retries string
	outcomes       []Outcome
}

// door hands every request to the mapper, and answers 500 to the first of each batch.
type door struct {
	sync.Mutex
	house *house
	t     *testing.T
	got   []sent
	known map[string]bool // event ids whose batch was refused once
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.Lock()
	defer d.Unlock()
	body, err := io.ReadAll(r.Body)
	route, ok := ParseRoute(r.Method, r.URL.Path)
	if err != nil || !ok || d.house.reader.Open(route, body) != nil || string(d.house.reader.WriteKey()) != "wk_sdk" {
		d.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	outcomes := d.house.reader.Map(server, &Request{ReceivedAt: time.Now()}, nil)
	d.got = append(d.got, sent{r.UserAgent(), r.Header.Get("X-Retry-Count"), outcomes})
	if first := string(outcomes[0].EventID); !d.known[first] {
		d.known[first] = true
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	io.WriteString(w, `{"success":true}`)
}

// TestTheRealSDK: every event of @segment/analytics-node becomes an envelope, and what the SDK sends again gets the same id
// and digest.
func TestTheRealSDK(t *testing.T) {
	dir := sdkFolder(t)
	d := &door{house: newHouse(t, Limits{}), t: t, known: map[string]bool{}}
	server := httptest.NewServer(d)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "--preserve-symlinks", "--preserve-symlinks-main", "calls.js", server.URL)
	node.Dir = dir
	out, err := node.CombinedOutput()
	require.NoError(t, err, "%s", out)

	seen, names := map[string]Outcome{}, map[string]int{}
	retried, consents := 0, 0
	for _, request := range d.got {
		for _, o := range request.outcomes {
			require.Nil(t, o.Fault, "%s", o.Raw)
			id := string(o.EventID)
			if before, again := seen[id]; again {
				retried++
				require.NotEmpty(t, request.retries)
				require.Equal(t, before.Digest, o.Digest)
				continue
			}
			seen[id] = o
			name, _, _ := strings.Cut(strings.TrimPrefix(string(o.Envelope), `{"event_name":"`), `"`)
			names[name]++
			if strings.Contains(string(o.Envelope), `"consent":{"analytics":true,"marketing":false,"source":"segment"`) {
				consents++
			}
		}
	}
	require.Equal(t, map[string]int{
		"identify": 1, "trial_started": 1, "page_viewed": 1, "screen_viewed": 1, "group": 1, "alias": 1, "past_event": 1, "item_viewed": 50,
	}, names)
	require.Equal(t, len(seen), retried, "each batch was refused once")
	require.Contains(t, seen, "my-own-id")
	require.Equal(t, 2, consents, "events that carry consent")
	for _, o := range seen {
		require.NotContains(t, string(o.Envelope), "wk_sdk")
		require.NotContains(t, string(o.Envelope), "nodeVersion")
	}
}
