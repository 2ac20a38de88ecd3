package metrics

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// mux takes the engine's endpoints, as its HTTP server would.
type mux struct{ handlers map[string]http.HandlerFunc }

func newMux() *mux { return &mux{map[string]http.HandlerFunc{}} }

func (m *mux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.handlers[pattern] = handler
}

func (m *mux) get(t *testing.T, path string) string {
	t.Helper()
	require.Contains(t, m.handlers, path)
	res := httptest.NewRecorder()
	m.handlers[path](res, httptest.NewRequest("GET", path, nil))
	return res.Body.String()
}
