package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/npm"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/sandbox"
)

// browserSDKs are the files that a page loads.
var browserSDKs = map[string]struct {
	npm.Package
	dir string
}{
	"segment":     {npm.AnalyticsNext, "dist/umd"},
	"rudderstack": {npm.RudderStackJS, "dist/npm/modern/bundled/umd"},
}

// withBroker is a workspace with a broker, and nothing behind it.
func withBroker(t *testing.T) *house {
	t.Helper()
	h := bare(t)
	h.broker = plugtest.BrokerProcess(t)
	h.env = append(h.env, sandbox.EnvBrokers+"="+h.broker.Address())
	h.connect(kgo.SeedBrokers(h.broker.Address()))
	h.must("topics", "apply")
	return h
}

// site serves a page with an SDK, and takes what the page has to tell.
type site struct {
	*httptest.Server
	done, failed chan string
}

func serveSite(t *testing.T, sdk string) *site {
	t.Helper()
	cache, err := npm.CacheDir()
	require.NoError(t, err)
	from, err := npm.Fetcher{CacheDir: cache}.Fetch(t.Context(), browserSDKs[sdk].Package)
	if errors.Is(err, npm.ErrNoClient) && os.Getenv("EBBGATE_REQUIRE_ENGINE") != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	s := &site{done: make(chan string, 1), failed: make(chan string, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join("testdata", "page.html"))
	})
	mux.Handle("GET /sdk/", http.StripPrefix("/sdk/", http.FileServer(http.Dir(filepath.Join(from, filepath.FromSlash(browserSDKs[sdk].dir))))))
	for path, told := range map[string]chan string{"POST /done": s.done, "POST /failed": s.failed} {
		mux.HandleFunc(path, func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			told <- string(body)
		})
	}
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// visit opens a page in a real browser, which is closed when the test ends.
func visit(t *testing.T, page string) {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("EBBGATE_REQUIRE_ENGINE") == "1" {
			t.Fatal(err)
		}
		t.Skip("no chromium on PATH: `make chromium` installs it")
	}
	cmd := exec.Command(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--user-data-dir="+t.TempDir(), page)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a browser is many processes
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
}

// The page is of another origin than the door, so the browser asks before it sends. The door is killed three times meanwhile.
func TestABrowsersSDKLosesNothingThroughKillsOfTheDoor(t *testing.T) {
	for sdk := range browserSDKs {
		t.Run(sdk, func(t *testing.T) {
			const total, kills = 1000, 3
			t.Parallel()
			h := withBroker(t)
			door, page := h.openCollector(), serveSite(t, sdk)
			visit(t, fmt.Sprintf("%s/?sdk=%s&total=%d&key=%s&door=%s", strings.Replace(page.URL, "127.0.0.1", "localhost", 1), sdk, total,
				door.web, url.QueryEscape("http://"+door.address)))
			for k := range kills {
				h.until(func() bool { n, err := h.end("events.raw"); return err == nil && n >= int64((k+1)*total/(2*kills)) },
					func() string {
						n, err := h.end("events.raw")
						return fmt.Sprintf("%d events came, %v; the door says:\n%s", n, err, tail(door.process.log()))
					})
				door.crash()
			}
			var delivered []string
			select {
			case told := <-page.done:
				delivered = strings.Fields(told)
			case why := <-page.failed:
				t.Fatal(why)
			case <-h.ctx().Done():
				t.Fatal("the page does not come to an end")
			}
			stored, quarantined := h.byEvent("events.raw"), h.byEvent(dlq)
			for _, id := range delivered {
				require.Positive(t, stored[id]+quarantined[id], "%s was delivered and is nowhere", id)
			}
			t.Logf("%d delivered; %d of %d good and %d of %d bad records are repeats", len(delivered), repeats(stored), sum(stored), repeats(quarantined), sum(quarantined))
			require.Len(t, stored, total-total/10)
			require.Len(t, quarantined, total/10)
			require.Len(t, delivered, total)
		})
	}
}
