package monitoring

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// server is a real Prometheus with the shipped configuration and rules. Only its pauses are shorter, and where it scrapes is
// the test's.
type server struct {
	t   *testing.T
	api string
}

var pauses = regexp.MustCompile(`(?m)^( *(?:for|interval|scrape_interval|evaluation_interval): ).*$`)

func newServer(t *testing.T, target string) *server {
	t.Helper()
	dir := t.TempDir()
	shorter := func(file, pause string, replace ...string) {
		text, err := os.ReadFile(filepath.Join("pipelines", "monitoring", file))
		require.NoError(t, err)
		for i := 0; i < len(replace); i += 2 {
			require.Contains(t, string(text), replace[i])
		}
		changed := strings.NewReplacer(replace...).Replace(pauses.ReplaceAllString(string(text), "${1}"+pause))
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(changed), 0o600))
	}
	shorter("prometheus.yaml", "250ms", "ebbgate:4195", target)
	shorter("rules.yaml", "1s")
	address := freeAddress(t)
	cmd := exec.Command(tool(t, "prometheus"), "--config.file="+filepath.Join(dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=error")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &server{t, "http://" + address + "/api/v1/"}
}

// in is the server for a part of the test.
func (s *server) in(t *testing.T) *server { return &server{t, s.api} }

// ask gets data of the API; ok is false until the server answers.
func (s *server) ask(what string, params url.Values, data any) (ok bool) {
	s.t.Helper()
	res, err := http.Get(s.api + what + "?" + params.Encode())
	if err != nil || res.StatusCode == http.StatusServiceUnavailable {
		return false
	}
	defer res.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	require.NoError(s.t, json.NewDecoder(res.Body).Decode(&answer))
	require.Equal(s.t, "success", answer.Status, "%s: %s", params, answer.Error)
	require.NoError(s.t, json.Unmarshal(answer.Data, data))
	return true
}

// sample is one series a query found.
type sample struct {
	labels map[string]string
	value  float64
}

func (s *server) query(query string) (found []sample) {
	s.t.Helper()
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	if !s.ask("query", url.Values{"query": {query}}, &data) {
		return nil
	}
	for _, r := range data.Result {
		value, err := strconv.ParseFloat(r.Value[1].(string), 64)
		require.NoError(s.t, err)
		found = append(found, sample{r.Metric, value})
	}
	return found
}

// comes waits until a query finds something, and returns it.
func (s *server) comes(query string) (found []sample) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		found = s.query(query)
		return len(found) > 0
	}, patience, 50*time.Millisecond, "nothing is found by %s", query)
	return found
}

// labels are those the series of a metric have.
func (s *server) labels(metric string) map[string]bool {
	s.t.Helper()
	var series []map[string]string
	require.True(s.t, s.ask("series", url.Values{"match[]": {metric}}, &series))
	names := map[string]bool{}
	for _, labels := range series {
		for name := range labels {
			names[name] = true
		}
	}
	return names
}

// rule is one of those the server evaluates.
type rule struct {
	Name, Query, Type, Health, LastError string
	Annotations                          map[string]string
}

func (s *server) rules() (list []rule) {
	s.t.Helper()
	var data struct{ Groups []struct{ Rules []rule } }
	require.True(s.t, s.ask("rules", nil, &data))
	for _, group := range data.Groups {
		list = append(list, group.Rules...)
	}
	return list
}
