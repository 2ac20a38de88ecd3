package door

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/receipt"
)

// names are those of everything that is said of a delivery somewhere: headers, metadata of the input and of the engine, members
// of the body.
var names = []string{
	"webhook_source", "webhook_provider", "webhook_id", "webhook_type", "webhook_receipt", "webhook_signature", "topic", "key", "event_id",
	"subject_key", "correlation_id", "Stripe-Signature", "X-Hub-Signature-256", "http_server_remote_ip", "http_server_request_path",
	"http_server_verb", "X-Forwarded-For", "X-Real-IP", "Forwarded", "X-HTTP-Method-Override", "X-Original-URL", "id", "type",
	"src_topic", "src_partition", "src_offset", "kafka_topic", "ebbgate_seal",
}

// What a delivery says counts in one place each: the signature's own header, and the signed body. Ten thousand requests say it
// otherwise in every other place, and in headers of names that look as good.
func TestWhatOthersSayIsNotBelieved(t *testing.T) {
	const requests, workers = 10_000, 16
	g := webhooks(t)
	var next, accepted atomic.Int64
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 7))
			for n := next.Add(1); n <= requests; n = next.Add(1) {
				signed := n%100 == 0
				if signed {
					accepted.Add(1)
				}
				spoof(t, g, random, n, signed)
			}
		})
	}
	all.Wait()
	raws := g.records(deliveries, int(accepted.Load()))
	kept := map[string]bool{}
	for _, rec := range raws {
		require.Equal(t, "billing", header(rec, "webhook_source"))
		require.Equal(t, "stripe", header(rec, "webhook_provider"))
		require.Contains(t, string(rec.Value), `"id":"`+header(rec, "webhook_id")+`"`)
		require.Equal(t, "invoice.paid", header(rec, "webhook_type"))
		for _, h := range rec.Headers {
			require.NotContains(t, string(h.Value), "spoofed", h.Key)
		}
		kept[string(rec.Key)] = true
	}
	require.Len(t, kept, len(raws), "each signed delivery is another event")
	for _, r := range g.receipts(requests) {
		require.Equal(t, "loopback", r.Remote, "no proxy is trusted")
		require.Equal(t, "billing", r.Source)
		require.Equal(t, r.Verification == receipt.Verified, r.Raw != nil)
		require.NotContains(t, r.Delivery+r.EventID+r.Type, "spoofed")
	}
}

// spoof sends one request that says everything wherever it can be said. Only a signed one has its signature where it counts.
func spoof(t *testing.T, g *gate, random *rand.Rand, n int64, signed bool) {
	body := fmt.Sprintf(`{"id":"evt_%d","type":"invoice.paid"}`, n)
	good := stripe(t, newSecret, body, time.Now())["Stripe-Signature"][0]
	said := func(name string) string {
		switch {
		case strings.HasSuffix(name, "Signature"):
			return good
		case strings.Contains(name, "IP") || strings.Contains(name, "_ip") || strings.Contains(name, "orward"):
			return "203.0.113.7"
		}
		return "spoofed"
	}
	var query, cookies []string
	req, err := http.NewRequest(http.MethodPost, g.url+"/stripe", strings.NewReader(body))
	if !assert.NoError(t, err) {
		return
	}
	for _, name := range names {
		if place := random.IntN(8); place&1 != 0 {
			query = append(query, name+"="+strings.NewReplacer(",", "%2C", "=", "%3D").Replace(said(name)))
		} else if place&2 != 0 {
			cookies = append(cookies, name+"="+said(name))
		} else if name != "Stripe-Signature" {
			req.Header.Set(name, said(name))
		}
	}
	req.URL.RawQuery = strings.Join(query, "&")
	req.Header.Set("Cookie", strings.Join(cookies, "; "))
	want := http.StatusUnauthorized
	if signed {
		req.Header.Set("Stripe-Signature", good)
		want = http.StatusOK
	}
	resp, err := http.DefaultClient.Do(req)
	if !assert.NoError(t, err) {
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	assert.NoError(t, err)
	assert.Equal(t, want, resp.StatusCode)
	assert.NotContains(t, string(text), "spoofed")
}

// A stream that drops a delivery has not stored it, so it is not answered with success.
func TestADeliveryThatIsDroppedIsToBeSentAgain(t *testing.T) {
	t.Setenv("TEST_STRIPE_SECRET", newSecret)
	g := open(t, `
input:
  webhook:
    address: %[1]s
    timeout: 3s
    receipts: { seed_brokers: [ %[2]q ] }
    endpoints: [ { path: /stripe, source: billing, provider: stripe, secrets: [ { id: november, env: TEST_STRIPE_SECRET } ] } ]
pipeline: { processors: [ { mapping: root = deleted() } ] }
`)
	resp, _ := g.post("/stripe", stripe(t, newSecret, charge, time.Now()), []byte(charge))
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Empty(t, resp.Header.Get("X-Receipt-Id"), "what was not written is not named")
}

// Two thousand connections that send a byte a second, and never all, keep nobody else waiting and cost little memory.
func TestSlowConnectionsKeepNobodyOut(t *testing.T) {
	const slow = 2000
	hold, soaks := 30*time.Second, os.Getenv("EBBGATE_SOAK") != ""
	if soaks {
		hold = 2 * time.Minute
	}
	g := webhooks(t)
	g.honest(3 * time.Second) // warm
	before, memory := g.honest(hold/3), inUse()

	var held atomic.Int64
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range slow {
		all.Go(func() { dribble(strings.TrimPrefix(g.url, "http://"), &held, stop) })
	}
	require.Eventually(t, func() bool { return held.Load() > slow*9/10 }, patience, 10*time.Millisecond)
	during := g.honest(hold)
	grown := inUse() - memory
	close(stop)
	all.Wait()
	t.Logf("p99 %s before, %s with %d slow connections; %d MiB more", before, during, slow, grown>>20)
	bound := before + 250*time.Millisecond // the machine does other work
	if soaks {
		bound = before * 6 / 5
	}
	require.LessOrEqual(t, during, bound)
	require.Less(t, grown, int64(128<<20), "both ends of the connections are in this process")
}

// dribble sends the head of a request a byte at a time, and again when it is cut. Each does it in a time of its own: two thousand that
// tick as one would be a storm of requests once a second, made and suffered by this very process.
func dribble(address string, held *atomic.Int64, stop <-chan struct{}) {
	tick := time.NewTicker(time.Second/2 + time.Duration(rand.Int64N(int64(time.Second))))
	defer tick.Stop()
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			held.Add(1)
			_, err = io.WriteString(conn, "POST /stripe HTTP/1.1\r\nHost: example.com\r\nX-Slow: ")
		}
		for err == nil {
			select {
			case <-stop:
				conn.Close()
				return
			case <-tick.C:
				_, err = conn.Write([]byte("x"))
			}
		}
		if conn != nil {
			conn.Close()
			held.Add(-1)
		}
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}

// honest delivers for a while and returns the 99th percentile of the time to an answer. Every answer is 200.
func (g *gate) honest(length time.Duration) time.Duration {
	g.t.Helper()
	var took []time.Duration
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(length); time.Now().Before(end); <-tick.C {
		begin := time.Now()
		resp, text := g.post("/stripe", stripe(g.t, newSecret, charge, begin), []byte(charge))
		took = append(took, time.Since(begin))
		require.Equal(g.t, http.StatusOK, resp.StatusCode, text)
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// inUse is the memory of this process after what it needs no more is gone.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
