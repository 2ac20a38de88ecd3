// Package door runs the inputs that stand on a network in the engine, against a broker in this process.
package door

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/plugins/all"
)

const (
	deliveries = "inbound.webhooks"
	receipts   = "ingest.receipts"
	raw        = "events.raw"
	// quarantined is the topic of what could not go on.
	quarantined = "events.dlq"
	patience    = 30 * time.Second
)

// gate is a stream with a door, and a broker behind it.
type gate struct {
	t       *testing.T
	cluster *kfake.Cluster
	cl      *kgo.Client
	url     string
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

// open runs a stream of which yaml is the input, with %[1]s for the address and %[2]s for the broker.
func open(t *testing.T, yaml string) *gate {
	t.Helper()
	return openWith(t, yaml, "")
}

// openWith is open with processors.
func openWith(t *testing.T, yaml, pipeline string) *gate {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	seeds, cluster := plugtest.Broker(t, kfake.SeedTopics(1, deliveries, receipts, raw, quarantined))
	cl, err := kgo.NewClient(kgo.SeedBrokers(seeds...))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	address := freeAddress(t)
	env, err := all.Environment(false)
	require.NoError(t, err)
	builder := env.NewStreamBuilder()
	require.NoError(t, builder.SetYAML(fmt.Sprintf(yaml, address, seeds[0])+pipeline+fmt.Sprintf(`
output:
  redpanda:
    seed_brokers: [ %q ]
    topic: ${! @topic }
    key: ${! @key }
    timeout: 1s
    metadata: { include_prefixes: [ webhook_ ] }
logger: { level: OFF }
`, seeds[0])))
	stream, err := builder.Build()
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- stream.Run(context.Background()) }()
	t.Cleanup(func() {
		require.NoError(t, stream.StopWithin(patience))
		<-done
	})
	g := &gate{t: t, cluster: cluster, cl: cl, url: "http://" + address}
	require.Eventually(t, func() bool {
		resp, err := http.Get(g.url + "/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, patience, 10*time.Millisecond)
	return g
}

// post sends a request and returns the answer and its body.
func (g *gate) post(path string, header map[string][]string, body []byte) (*http.Response, string) {
	g.t.Helper()
	return g.do(http.MethodPost, path, header, body)
}

func (g *gate) do(method, path string, header map[string][]string, body []byte) (*http.Response, string) {
	g.t.Helper()
	req, err := http.NewRequest(method, g.url+path, bytes.NewReader(body))
	require.NoError(g.t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(g.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(g.t, err)
	return resp, string(text)
}

// records are the first n of a topic's only partition.
func (g *gate) records(topic string, n int) (found []*kgo.Record) {
	g.t.Helper()
	cl, err := kgo.NewClient(append(g.cl.Opts(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))...)
	require.NoError(g.t, err)
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for len(found) < n {
		fetches := cl.PollFetches(ctx)
		require.NoError(g.t, fetches.Err())
		found = append(found, fetches.Records()...)
	}
	require.Len(g.t, found, n)
	return found
}

func (g *gate) receipts(n int) (found []*receipt.Receipt) {
	g.t.Helper()
	for _, rec := range g.records(receipts, n) {
		r, err := receipt.Parse(rec.Value)
		require.NoError(g.t, err)
		found = append(found, r)
	}
	return found
}

func header(rec *kgo.Record, name string) string {
	for _, h := range rec.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

func secretFile(t *testing.T, secret string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	return file
}

// build makes a stream with one webhook endpoint, and lets it start.
func build(t *testing.T, endpoint string) (*service.Stream, error) {
	t.Helper()
	return buildInput(t, `webhook:
    workspace: ../../pipelines
    receipts: { seed_brokers: [ "127.0.0.1:1" ] }
    endpoints: [ `+endpoint+` ]`)
}

// buildInput makes a stream with an input, and lets it start.
func buildInput(t *testing.T, input string) (*service.Stream, error) {
	t.Helper()
	env, err := all.Environment(false)
	require.NoError(t, err)
	builder := env.NewStreamBuilder()
	err = builder.SetYAML(`
input:
  ` + input + `
output: { reject: "" }
logger: { level: OFF }
`)
	require.NoError(t, err)
	stream, err := builder.Build()
	if err != nil {
		return nil, err
	}
	return stream, stream.Run(context.Background())
}
