package tracing

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/hop"
)

// answering is a collector that answers with one status after the other, the last one for ever.
type answering struct {
	*httptest.Server

	mu       sync.Mutex
	statuses []int
	headers  []http.Header
}

func newAnswering(t *testing.T, statuses ...int) *answering {
	t.Helper()
	a := &answering{statuses: statuses}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		status := a.statuses[0]
		if len(a.statuses) > 1 {
			a.statuses = a.statuses[1:]
		}
		a.headers = append(a.headers, r.Header)
		if status/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *answering) asked() []http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.headers
}

func (a *answering) client(headers http.Header) *client {
	c := newClient(collector{a.URL, headers}, nil)
	c.pause = time.Millisecond
	return c
}

func TestWhatACollectorMayYetTakeIsSentAgain(t *testing.T) {
	for _, tc := range []struct {
		statuses []int
		asked    int
		fails    string
	}{
		{[]int{503, 429, 504, 200}, 4, ""},
		{[]int{400}, 1, "400"},
		{[]int{401}, 1, "401"},
		{[]int{307}, 1, "307"}, // where another host would be given the headers
	} {
		a := newAnswering(t, tc.statuses...)
		err := a.client(nil).upload(t.Context(), nil)
		assert.Len(t, a.asked(), tc.asked, "%v", tc.statuses)
		if tc.fails == "" {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorContains(t, err, tc.fails)
	}
}

func TestRetriesEnd(t *testing.T) {
	a := newAnswering(t, http.StatusServiceUnavailable)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c := a.client(nil)
	assert.Error(t, c.upload(ctx, nil))
	assert.NoError(t, c.UploadTraces(ctx, nil), "the SDK would print an error past our log")
	assert.Greater(t, len(a.asked()), 2)
}

// A collector that takes nothing and says nothing slows nobody: what is beyond the queue is dropped.
func TestAFullQueueBlocksNobody(t *testing.T) {
	gone := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-gone }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(gone) })
	p := newProvider(config{service: "test", share: 1, collectors: []collector{{url: silent.URL}}})
	tracer := p.Tracer(hop.Scope)
	begun := time.Now()
	for range 4 * queue {
		_, span := tracer.Start(t.Context(), "send")
		span.End()
	}
	ended, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_ = p.(*provider).Shutdown(ended)
	require.Less(t, time.Since(begun), lastWords)
}

func parsedHeaders(t *testing.T, yaml string) (http.Header, error) {
	t.Helper()
	conf, err := tracerSpec().ParseYAML("http: [ { address: 'localhost:1', "+yaml+" } ]", service.NewEmptyEnvironment())
	require.NoError(t, err)
	found, err := parseCollectors(conf)
	if err != nil {
		return nil, err
	}
	require.Len(t, found, 1)
	return found[0].headers, nil
}

func TestCredentialsComeFromTheEnvironmentOrAFile(t *testing.T) {
	t.Setenv("COLLECTOR_HEADERS", "api-key=k%2C1, authorization=Bearer%20abc")
	headers, err := parsedHeaders(t, "headers_env: COLLECTOR_HEADERS")
	require.NoError(t, err)
	require.Equal(t, http.Header{"Api-Key": {"k,1"}, "Authorization": {"Bearer abc"}}, headers)
	a := newAnswering(t, http.StatusOK)
	require.NoError(t, a.client(headers).upload(t.Context(), nil))
	assert.Equal(t, "Bearer abc", a.asked()[0].Get("Authorization"))
	assert.Equal(t, "k,1", a.asked()[0].Get("Api-Key"))
	assert.Equal(t, "application/x-protobuf", a.asked()[0].Get("Content-Type"))

	file := filepath.Join(t.TempDir(), "headers")
	require.NoError(t, os.WriteFile(file, []byte("X-Token: a:b\n\n"), 0o600))
	headers, err = parsedHeaders(t, "headers_file: "+file)
	require.NoError(t, err)
	require.Equal(t, http.Header{"X-Token": {"a:b"}}, headers)

	headers, err = parsedHeaders(t, "headers_env: NOT_SET_ANYWHERE")
	require.NoError(t, err)
	require.Empty(t, headers)
}

func TestErrorsOfCredentialsDoNotQuoteThem(t *testing.T) {
	for _, text := range []string{"sekret", "a=sekret%zz", "a b=sekret", "a=sekret%0ab"} {
		t.Setenv("COLLECTOR_HEADERS", text)
		_, err := parsedHeaders(t, "headers_env: COLLECTOR_HEADERS")
		require.ErrorContains(t, err, "COLLECTOR_HEADERS")
		require.NotContains(t, err.Error(), "sekret")
	}
	file := filepath.Join(t.TempDir(), "headers")
	require.NoError(t, os.WriteFile(file, []byte("sekret"), 0o600))
	_, err := parsedHeaders(t, "headers_file: "+file)
	require.ErrorContains(t, err, "headers_file")
	require.NotContains(t, err.Error(), "sekret")
	_, err = parsedHeaders(t, "headers_file: /nowhere")
	require.Error(t, err)
}
