package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	ids "github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/npm"
)

// sdkDoor is a process with the shipped door for SDKs.
type sdkDoor struct {
	h       *house
	process *process
	address string
	web     string // write keys
	backend string
}

// openCollector starts the shipped door with keys to try it with. It takes requests when this returns.
func (h *house) openCollector() *sdkDoor {
	h.t.Helper()
	d := &sdkDoor{h: h, address: freeAddress(h.t)}
	h.env = append(h.env, "EBBGATE_SECRETS="+h.path("secrets"), "EBBGATE_COLLECTOR_ADDRESS="+d.address, "EBBGATE_COLLECTOR_URL=http://"+d.address)
	d.web = strings.TrimSpace(h.must("keys", "write-key", "web_app"))
	d.backend = strings.TrimSpace(h.must("keys", "write-key", "backend"))
	d.open()
	return d
}

func (d *sdkDoor) open() {
	d.h.t.Helper()
	d.process = d.h.start("streams", "-o", "pipelines/service.yaml", "pipelines/doors/collector.yaml")
	d.h.until(func() bool {
		resp, err := http.Get("http://" + d.address + "/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, func() string { return "the door does not open:\n" + tail(d.process.log()) })
}

// crash ends the door as a crash does, and opens it again.
func (d *sdkDoor) crash() {
	d.h.t.Helper()
	d.process.kill()
	d.open()
}

// stubborn is a client that sends a batch until it is answered with 2xx, whatever the answer, as segment's Go and Python SDKs do.
func (d *sdkDoor) stubborn(body string) error {
	client := http.Client{Timeout: 10 * time.Second}
	for d.h.t.Context().Err() == nil {
		req, err := http.NewRequest(http.MethodPost, "http://"+d.address+"/v1/batch", strings.NewReader(body))
		if err != nil {
			return err
		}
		req.SetBasicAuth(d.backend, "")
		if resp, err := client.Do(req); err == nil {
			resp.Body.Close()
			switch {
			case resp.StatusCode == http.StatusOK:
				return nil
			case resp.StatusCode != http.StatusServiceUnavailable:
				return fmt.Errorf("answered with %d", resp.StatusCode)
			}
		}
		<-time.After(20 * time.Millisecond) // as it waits before it tries again
	}
	return d.h.t.Context().Err()
}

// thousandFromNode sends a thousand events by the real SDK and returns the ids of those it believes delivered.
func (d *sdkDoor) thousandFromNode() ([]string, error) {
	t := d.h.t
	dir := t.TempDir()
	if err := npm.Install(t.Context(), dir, npm.SegmentNode); err != nil {
		return nil, err
	}
	script, err := os.ReadFile(filepath.Join("testdata", "thousand.js"))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "thousand.js"), script, 0o600); err != nil {
		return nil, err
	}
	var out, errs bytes.Buffer
	node := exec.CommandContext(t.Context(), "node", "--preserve-symlinks", "--preserve-symlinks-main", "thousand.js", "http://"+d.address, d.backend, "3")
	node.Dir, node.Stdout, node.Stderr = dir, &out, &errs
	dieWithParent(node)
	if err := node.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, errs.String())
	}
	return strings.Fields(out.String()), nil
}

// batchOfTen has eight good events, one that breaks a rule and one that is no JSON.
func batchOfTen(n int) (body string, good []string, bad []string) {
	var events []string
	for i := range 8 {
		id := fmt.Sprintf("go-%d-%d", n, i)
		good = append(good, id)
		events = append(events, fmt.Sprintf(`{"type":"track","messageId":%q,"userId":"u_go","event":"Feature Used","properties":{"feature":"export"},`+
			`"context":{"consent":{"categoryPreferences":{"Analytics":true}}}}`, id))
	}
	unnamed, malformed := fmt.Sprintf("bad-go-%d", n), fmt.Sprintf(`{"type":tru,"n":%d}`, n)
	events = append(events, fmt.Sprintf(`{"type":"track","messageId":%q,"userId":"u_go"}`, unnamed), malformed)
	return `{"batch":[` + strings.Join(events, ",") + `]}`, good, []string{unnamed, ids.DeriveID("backend", malformed)}
}

// A door is killed three times while the real SDK and a client that sends until it is answered send a thousand events each.
// What they believe delivered is on the topics, good or quarantined, and analysts read each event once.
func TestSDKsLoseNothingThroughKillsOfTheDoor(t *testing.T) {
	const batches, kills = 100, 3
	h := newHouse(t)
	for _, user := range []string{"u_node", "u_go"} {
		h.must("consent", "set", "--user-id", user, "analytics=true", "marketing=false")
	}
	h.pipelines()
	door := h.openCollector()

	var all sync.WaitGroup
	var sent atomic.Int64
	good, bad := map[string]bool{}, map[string]bool{}
	all.Go(func() {
		for n := range batches {
			body, fine, broken := batchOfTen(n)
			if err := door.stubborn(body); err != nil {
				t.Errorf("batch %d: %v", n, err)
				return
			}
			for _, id := range fine {
				good[id] = true
			}
			for _, id := range broken {
				bad[id] = true
			}
			sent.Add(1)
			<-time.After(10 * time.Millisecond) // so that the kills come in between
		}
	})
	var fromNode []string
	var nodeErr error
	all.Go(func() { fromNode, nodeErr = door.thousandFromNode() })
	for k := range kills {
		h.until(func() bool { return sent.Load() >= int64((k+1)*batches/(kills+1)) }, func() string { return "nothing is sent" })
		door.crash()
	}
	all.Wait()
	if errors.Is(nodeErr, npm.ErrNoClient) && os.Getenv("EBBGATE_REQUIRE_ENGINE") != "1" {
		t.Log("without the real SDK:", nodeErr)
	} else {
		require.NoError(t, nodeErr)
		require.Len(t, fromNode, 1000, "the SDK believes all delivered")
	}
	for _, id := range fromNode {
		if strings.HasPrefix(id, "bad-") {
			bad[id] = true
		} else {
			good[id] = true
		}
	}
	h.drained()

	stored, quarantined := h.byEvent("events.raw"), h.byEvent(dlq)
	for id := range good {
		assert.Positive(t, stored[id], "%s was delivered and is nowhere", id)
	}
	for id := range bad {
		assert.Positive(t, quarantined[id], "%s was delivered and is nowhere", id)
	}
	t.Logf("%d of %d good and %d of %d bad records are repeats", repeats(stored), sum(stored), repeats(quarantined), sum(quarantined))
	require.Equal(t, len(good), h.count("SELECT count() FROM events_unique"))
	require.Equal(t, len(good), h.count("SELECT uniqExact(event_id) FROM events"))
	h.balance()
}

// byEvent counts a topic's records by event id.
func (h *house) byEvent(topic string) map[string]int {
	h.t.Helper()
	counts := map[string]int{}
	for _, rec := range h.records(topic) {
		counts[header(rec, "event_id")]++
	}
	return counts
}

func sum(counts map[string]int) (n int) {
	for _, one := range counts {
		n += one
	}
	return n
}

func repeats(counts map[string]int) int { return sum(counts) - len(counts) }
