package monitoring

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (m *mux) ready() int {
	handler, known := m.handlers["/ready"]
	if !known {
		return 0 // the stream has only begun
	}
	res := httptest.NewRecorder()
	handler(res, httptest.NewRequest(http.MethodGet, "/ready", nil))
	return res.Code
}

// Ready means connected: a sink that is not says so, and one that is stays ready while events wait for state.
func TestReadyMeansConnected(t *testing.T) {
	h := newHouse(t)
	h.unreachable()
	h.publish(sinkTopic, time.Now(), "{}")
	h.reads("analytics")
	require.Equal(t, http.StatusServiceUnavailable, h.exporters["analytics"].ready())
	h.run("validate")
	h.until(func() bool { return h.exporters["validate"].ready() == http.StatusOK }, "validate is not ready")
}

// ready is what the process answers to who asks whether it may be sent traffic.
func (p *program) ready() int {
	t := p.house.t
	t.Helper()
	res, err := http.Get("http://" + p.address + "/ready")
	require.NoError(t, err)
	defer res.Body.Close()
	return res.StatusCode
}
