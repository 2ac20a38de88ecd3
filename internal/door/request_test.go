package door

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheClientIsWhoTheConnectionOrATrustedProxySays(t *testing.T) {
	proxies, err := ParseProxies([]string{"10.0.0.0/8", "127.0.0.1", "2001:db8::/32"})
	require.NoError(t, err)
	for _, c := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"192.0.2.7:1234", nil, "192.0.2.7"},
		{"192.0.2.7:1234", []string{"198.51.100.1"}, "192.0.2.7"},
		{"10.1.2.3:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.1.2.3:1234", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"10.1.2.3:1234", []string{"203.0.113.9", "198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		{"10.1.2.3:1234", []string{"203.0.113.9, nonsense"}, "10.1.2.3"},
		{"[::ffff:10.1.2.3]:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"[2001:db8::1]:1234", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		require.Equal(t, c.want, proxies.Client(r).String(), "%+v", c)
	}
	_, err = ParseProxies([]string{"proxy.example.com"})
	require.ErrorContains(t, err, "trusted_proxies")
}

func TestAddressClasses(t *testing.T) {
	for addr, class := range map[string]string{"127.0.0.1": "loopback", "::1": "loopback", "10.0.0.1": "private", "fe80::1": "private", "192.0.2.1": "public"} {
		require.Equal(t, class, AddressClass(netip.MustParseAddr(addr)))
	}
	require.Equal(t, "unknown", AddressClass(netip.Addr{}))
}

func TestCorrelationIDs(t *testing.T) {
	trace := "4bf92f3577b34da6a3ce929d0e0e4736"
	of := func(name, value string) string {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set(name, value)
		return CorrelationID(r)
	}
	require.Equal(t, trace, of("Traceparent", "00-"+trace+"-00f067aa0ba902b7-01"))
	require.Equal(t, "order-7:a_b.C", of(HeaderCorrelationID, "order-7:a_b.C"))
	for _, bad := range []string{"", "a b", "a\x00", "<script>", strings.Repeat("a", 129)} {
		require.Regexp(t, `^req_[a-z2-7]{26}$`, of(HeaderCorrelationID, bad))
	}
	require.Regexp(t, `^req_`, of("Traceparent", "00-"+strings.Repeat("0", 32)+"-00f067aa0ba902b7-01"))
	require.NotEqual(t, of("A", ""), of("A", ""))
}

func TestASourceIsBounded(t *testing.T) {
	start := time.Now()
	a := NewAdmission(2, 0)
	require.Nil(t, a.Enter(start))
	require.Nil(t, a.Enter(start))
	refusal := a.Enter(start)
	require.Equal(t, http.StatusTooManyRequests, refusal.Status)
	require.InDelta(t, 0.5, refusal.RetryAfter.Seconds(), 0.01)
	require.Nil(t, a.Enter(start.Add(500*time.Millisecond)), "a refused request uses nothing up")

	a = NewAdmission(0, 1)
	require.Nil(t, a.Enter(start))
	require.Equal(t, RefuseRate, a.Enter(start))
	a.Leave()
	require.Nil(t, a.Enter(start))
}

func TestRefusalsSayWhenToComeBack(t *testing.T) {
	w := httptest.NewRecorder()
	RefuseRate.After(1200 * time.Millisecond).Write(w)
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.JSONEq(t, `{"success":false,"code":"rate_limited","message":"too many requests of this source: send again later"}`, w.Body.String())
}
