package door

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

func gzipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func encoded(key string, encodings ...string) map[string][]string {
	header := basic(key)
	header["Content-Encoding"] = encodings
	return header
}

// endless is a body that somebody announces with its length, or in chunks.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	copy(p[:n], bytes.Repeat([]byte(" "), int(n)))
	e.left -= n
	return int(n), nil
}

func TestNoBodyCostsMoreThanItMay(t *testing.T) {
	g := collector(t)
	one := []byte(`{"batch":[` + track("m", "") + `]}`)
	zw, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	bomb := bytes.Repeat([]byte(" "), 64<<20)
	squeezed := gzipped(t, bomb)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, c := range []struct {
		name   string
		header map[string][]string
		body   []byte
		status int
	}{
		{"gzip", encoded(webKey, "gzip"), gzipped(t, one), 200},
		{"a gzip bomb", encoded(webKey, "gzip"), squeezed, 413},
		{"one in another", encoded(webKey, "gzip"), gzipped(t, squeezed), 400},
		{"one in another, as it says", encoded(webKey, "gzip, gzip"), gzipped(t, squeezed), 415},
		{"one in another, on two lines", encoded(webKey, "gzip", "gzip"), gzipped(t, squeezed), 415},
		{"a zstd bomb", encoded(webKey, "zstd"), zw.EncodeAll(bomb, nil), 415},
		{"deflate", encoded(webKey, "deflate"), one, 415},
		{"br", encoded(webKey, "br"), one, 415},
		{"no gzip", encoded(webKey, "gzip"), one, 400},
		{"half a gzip", encoded(webKey, "gzip"), gzipped(t, one)[:40], 400},
	} {
		resp, text := g.post("/v1/batch", c.header, c.body)
		require.Equal(t, c.status, resp.StatusCode, "%s: %s", c.name, text)
	}
	for name, length := range map[string]int64{"64 MiB, announced": 64 << 20, "64 MiB, in chunks": -1} {
		req, err := http.NewRequest(http.MethodPost, g.url+"/v1/batch", &endless{64 << 20})
		require.NoError(t, err)
		req.Header, req.ContentLength = basic(webKey), length
		if resp, err := http.DefaultClient.Do(req); err == nil { // else the connection was cut while it sent
			resp.Body.Close()
			require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode, name)
		}
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<20), "of sender and receiver together, for more than 500 MiB of bodies")
	require.Len(t, g.records(raw, 1), 1)
}

// Clients that send a part and wait are cut off, and cost those beside them nothing.
func TestSlowAndHalfOpenClientsAreCutOff(t *testing.T) {
	g := collector(t)
	address := strings.TrimPrefix(g.url, "http://")
	auth := basic(webKey)["Authorization"][0]
	parts := []string{
		"",
		"POST /v1/batch HT",
		"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthoriz",
		"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: " + auth + "\r\nContent-Length: 100\r\n\r\n{",
		"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: " + auth + "\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
	}
	const each = 40
	var held []net.Conn
	for range each {
		for _, part := range parts {
			conn, err := net.Dial("tcp", address)
			require.NoError(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, part)
			require.NoError(t, err)
			held = append(held, conn)
		}
	}
	for i := range 50 {
		resp, text := g.post("/v1/t", basic(backendKey), []byte(track(fmt.Sprintf("m%d", i), "")))
		require.Equal(t, 200, resp.StatusCode, text)
	}
	for _, conn := range held {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, err := io.Copy(io.Discard, conn)
		require.False(t, isTimeout(err), "the door holds a connection that sends nothing")
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// Many senders at once: each is answered for itself, within one batch of the engine or not.
func TestRequestsAtOnceAreAnsweredEachForItself(t *testing.T) {
	g := collector(t)
	const senders, batches = 16, 10
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for b := range batches {
				bad := (s+b)%3 == 0
				body := `{"batch":[` + track(fmt.Sprintf("m-%d-%d", s, b), "") + `]}`
				key := webKey
				if bad {
					key = "wk_nobody"
				}
				req, err := http.NewRequest(http.MethodPost, g.url+"/v1/batch", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header = basic(key)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if want := map[bool]int{true: 401, false: 200}[bad]; resp.StatusCode != want {
					t.Errorf("answered with %d, not %d", resp.StatusCode, want)
				}
			}
		})
	}
	all.Wait()
	want := 0
	for s := range senders {
		for b := range batches {
			if (s+b)%3 != 0 {
				want++
			}
		}
	}
	var ids []string
	for _, rec := range g.records(raw, want) {
		ids = append(ids, header(rec, "event_id"))
	}
	slices.Sort(ids)
	require.Len(t, slices.Compact(ids), want)
}
