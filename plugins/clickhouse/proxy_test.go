package clickhouse

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// action is what the proxy does with a request.
type action uint8

const (
	pass    action = iota
	refuse         // close the connection before the server hears of it
	cut            // let the server do its work, then close the connection instead of answering
	swallow        // take half of the body, then close both sides
	lie            // say that all went well, without asking the server
)

// proxy stands between the sink and the server and breaks connections on demand.
type proxy struct {
	dsn     string
	backend *url.URL
	decide  atomic.Pointer[func(query string) action]
	after   atomic.Pointer[func()]
}

func newProxy(t testing.TB, dsn string) *proxy {
	t.Helper()
	backend, err := url.Parse(dsn)
	require.NoError(t, err)
	p := &proxy{backend: backend}
	p.on(func(string) action { return pass })
	front := httptest.NewServer(p)
	t.Cleanup(front.Close)
	p.dsn = front.URL + backend.Path
	return p
}

func (p *proxy) on(decide func(query string) action) { p.decide.Store(&decide) }

// afterwards runs work when the server has answered and the answer is about to be cut.
func (p *proxy) afterwards(work func()) { p.after.Store(&work) }

// once breaks the first query that contains part.
func (p *proxy) once(part string, a action) {
	var done atomic.Bool
	p.on(func(query string) action {
		if strings.Contains(query, part) && done.CompareAndSwap(false, true) {
			return a
		}
		return pass
	})
}

// insertRows is how the proxy knows the insert of rows.
const (
	insertRows = "INSERT INTO `events`"
	insertMark = "INSERT INTO `ebbgate_chunks`"
)

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	decision := (*p.decide.Load())(r.URL.Query().Get("query") + string(body[:min(len(body), 4096)]))
	if decision == refuse {
		panic(http.ErrAbortHandler)
	}
	if decision == lie {
		return
	}
	target := *r.URL
	target.Scheme, target.Host = "http", p.backend.Host
	var payload io.Reader = strings.NewReader(string(body))
	if decision == swallow {
		payload = io.MultiReader(strings.NewReader(string(body[:len(body)/2])), broken{})
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, target.String(), payload)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out.Header = r.Header.Clone()
	out.ContentLength = int64(len(body))
	res, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if work := p.after.Load(); work != nil && decision == cut {
		(*work)()
	}
	if err != nil || decision == cut {
		panic(http.ErrAbortHandler)
	}
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(answer)
}

// broken is a body that ends in an error.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
