package monitoring

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/plugtest"
)

// program is the real binary with all shipped streams in one process, as the guide says, and streams that are wired wrongly.
type program struct {
	house   *house
	binary  string
	folder  string // it runs here, with a workspace of its own
	address string // of its HTTP server
	process *exec.Cmd
}

// faulty are streams beside the shipped ones: of which they are copies, and what is wrong with them.
var faulty = map[string]struct {
	of      string
	replace []string
}{
	"stalled": {"analytics", []string{
		"consumer_group: ebbgate-analytics", "consumer_group: ebbgate-stalled",
		"${EBBGATE_CLICKHOUSE_DSN:clickhouse://127.0.0.1:9000/default}", "${STALLED_DSN}",
	}},
	"misrouted": {"ingest-events", []string{
		"consumer_group: ebbgate-ingest-events", "consumer_group: ebbgate-misrouted",
		"topic: ${! @topic }", "topic: events.dlq",
	}},
}

func (h *house) program() *program {
	h.t.Helper()
	dir := h.t.TempDir()
	p := &program{house: h, folder: dir, binary: filepath.Join(dir, "ebbgate"), address: freeAddress(h.t)}
	out, err := exec.CommandContext(h.t.Context(), "go", "build", "-o", p.binary, "./cmd/ebbgate").CombinedOutput()
	require.NoError(h.t, err, "%s", out)

	for _, folder := range []string{"pipelines", "bloblang/lib"} {
		require.NoError(h.t, os.CopyFS(filepath.Join(dir, folder), os.DirFS(folder)))
	}
	streams := filepath.Join(dir, "streams")
	require.NoError(h.t, os.Mkdir(streams, 0o700))
	shipped, err := filepath.Glob("pipelines/streams/*.yaml")
	require.NoError(h.t, err)
	texts := map[string]string{}
	for _, file := range shipped {
		if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); !strings.HasSuffix(name, "_test") {
			text, err := os.ReadFile(file)
			require.NoError(h.t, err)
			texts[name] = string(text)
		}
	}
	for name, fault := range faulty {
		for i := 0; i < len(fault.replace); i += 2 {
			require.Contains(h.t, texts[fault.of], fault.replace[i])
		}
		texts[name] = strings.NewReplacer(fault.replace...).Replace(texts[fault.of])
	}
	for name, text := range texts {
		text = quick.ReplaceAllString(text, "$0\n${1}chunk_period: 50ms")
		require.NoError(h.t, os.WriteFile(filepath.Join(streams, name+".yaml"), []byte(text), 0o600))
	}
	h.door()
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(h.t, err)
	p.process = exec.Command(p.binary, "streams", "-o", "pipelines/service.yaml", streams, "pipelines/doors/webhooks.yaml")
	p.process.Dir = dir
	p.process.Env = append(os.Environ(), "EBBGATE_HTTP_ADDRESS="+p.address, "STALLED_DSN="+h.refusing())
	p.process.Stdout, p.process.Stderr = log, log
	require.NoError(h.t, p.process.Start())
	h.t.Cleanup(func() {
		p.kill()
		if text, err := os.ReadFile(log.Name()); err == nil && h.t.Failed() {
			h.t.Logf("%s", text[max(0, len(text)-8<<10):])
		}
	})
	h.awaitDoor()
	return p
}

// breakPolicy leaves a policy in the workspace that cannot come into force.
func (p *program) breakPolicy() {
	t := p.house.t
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(p.folder, "pipelines", "policy.yaml"), []byte("version: broken\n"), 0o600))
}

// kill ends the process as a crash does.
func (p *program) kill() {
	if err := p.process.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		_ = p.process.Wait()
	}
}

// metrics is what a scrape gets.
func (p *program) metrics() []byte {
	t := p.house.t
	t.Helper()
	res, err := http.Get("http://" + p.address + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(res.Body)
	require.NoError(t, err)
	return text.Bytes()
}

// refusing is the DSN of a database of its own that can be read and takes nothing.
func (h *house) refusing() string {
	h.t.Helper()
	own := plugtest.ClickHouse(h.t)
	h.tables(own)
	dsn, err := url.Parse(own)
	require.NoError(h.t, err)
	behind := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: dsn.Host})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(strings.ToUpper(r.URL.Query().Get("query")), "INSERT") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	h.t.Cleanup(server.Close)
	return "http://" + server.Listener.Addr().String() + dsn.Path
}

// freeAddress is one nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
