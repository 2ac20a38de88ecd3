package demo

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/npm"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/writekey"
)

const (
	sdkEvents = 200
	sdkSource = "backend" // as the shipped collector knows whose key it is
)

//go:embed sdk.js
var sdkScript []byte

// makeWriteKeys makes keys for the collector's sources, and keeps the one that the demo's SDK uses beside the other data of the
// sandbox: the door has hashes alone.
func (r *run) makeWriteKeys() error {
	for _, source := range []string{"web_app", sdkSource} {
		if _, err := os.Stat(filepath.Join(r.endpoints.SecretsDir, source+".sha256")); err == nil {
			continue
		}
		key, _, err := writekey.Create(r.endpoints.SecretsDir, source)
		if err != nil {
			return err
		}
		if source == sdkSource {
			if err := os.WriteFile(r.keptKey(), []byte(key), 0o600); err != nil {
				return fmt.Errorf("keeping a write key: %w", err)
			}
		}
	}
	return nil
}

func (r *run) keptKey() string { return filepath.Join(r.Dir, "demo-write-key") }

// sendBySDK has the vendor's own SDK send events to the collector, unless an earlier run did. It returns how many it sent and how
// many were there.
func (r *run) sendBySDK(ctx context.Context, client *kgo.Client) (sent, there int, err error) {
	key, err := os.ReadFile(r.keptKey())
	switch {
	case r.pipelines.doors.collector == "":
		return 0, 0, nil
	case err != nil:
		r.tell("no SDK sends: the write key of %s was made elsewhere, and is not known here", sdkSource)
		return 0, 0, nil
	}
	prefix := "demo-" + strconv.FormatUint(r.Seed, 10) + "-node-"
	if there, err = r.bySDK(ctx, client, prefix); err != nil || there >= sdkEvents {
		return 0, there, err
	}
	if _, err := exec.LookPath("node"); err != nil {
		r.tell("no SDK sends: there is no node on this machine; install Node.js with npm to see Segment's own SDK do it")
		return 0, there, nil
	}
	if err := r.awaitCollector(ctx); err != nil {
		return 0, there, err
	}
	delivered, err := r.runSDK(ctx, strings.TrimSpace(string(key)), strings.TrimSuffix(prefix, "-"))
	if errors.Is(err, npm.ErrNoClient) {
		r.tell("no SDK sends: %v", err)
		return 0, there, nil
	}
	if err == nil {
		r.tell("%s sent %d events and believes %d delivered", npm.SegmentNode[0], sdkEvents, delivered)
	}
	if err == nil && delivered != sdkEvents {
		err = fmt.Errorf("sending events by %s: the door answered for %d of %d", npm.SegmentNode[0].Name, delivered, sdkEvents)
	}
	return delivered - there, there, err
}

// bySDK counts the events of the SDK that are durable, good or in quarantine.
func (r *run) bySDK(ctx context.Context, client *kgo.Client, prefix string) (int, error) {
	found := map[string]bool{}
	for _, role := range []topics.Role{topics.Raw, topics.Quarantine} {
		topic, _ := r.ws.Topics.ByRole(role)
		err := books.EachRecord(ctx, []kgo.Opt{kgo.SeedBrokers(r.endpoints.Brokers)}, kadm.NewClient(client), topic.Name, func(rec *kgo.Record) {
			for _, h := range rec.Headers {
				if h.Key == "event_id" && strings.HasPrefix(string(h.Value), prefix) {
					found[string(h.Value)] = true
				}
			}
		})
		if err != nil {
			return 0, err
		}
	}
	return len(found), nil
}

// awaitCollector waits until the door is open: an SDK gives up some errors at once.
func (r *run) awaitCollector(ctx context.Context) error {
	for {
		resp, err := http.Get("http://" + r.pipelines.doors.collector + "/ready")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if failed := r.pipelines.failed(); failed != nil {
			return failed
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the collector to open: %w", ctx.Err())
		case <-time.After(lookEvery / 2):
		}
	}
}

// runSDK returns how many events the SDK believes delivered.
func (r *run) runSDK(ctx context.Context, key, prefix string) (int, error) {
	dir, err := os.MkdirTemp(r.Dir, "sdk-")
	if err != nil {
		return 0, fmt.Errorf("making room for an SDK: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := npm.Install(ctx, dir, npm.SegmentNode); err != nil {
		return 0, err
	}
	script := filepath.Join(dir, "sdk.js")
	if err := os.WriteFile(script, sdkScript, 0o600); err != nil {
		return 0, fmt.Errorf("making room for an SDK: %w", err)
	}
	var out, errs bytes.Buffer
	node := exec.CommandContext(ctx, "node", "--preserve-symlinks", "--preserve-symlinks-main", "sdk.js",
		"http://"+r.pipelines.doors.collector, key, prefix, strconv.Itoa(sdkEvents))
	node.Dir, node.Stdout, node.Stderr = dir, &out, &errs
	if err := node.Run(); err != nil {
		return 0, fmt.Errorf("running %s: %w: %s", npm.SegmentNode[0].Name, err, bytes.TrimSpace(errs.Bytes()))
	}
	return len(strings.Fields(out.String())), nil
}
