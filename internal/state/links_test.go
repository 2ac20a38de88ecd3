package state

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/identity"
)

const (
	withdrawal = `{"version":%d,"purposes":{"marketing":false},"source":"app"}`
	given      = `{"version":%d,"purposes":{"marketing":true},"source":"app"}`
	erasure    = `{"epoch":%d,"state":"fenced"}`
	linking    = `{"version":%d,"source":"web_app"}`
)

func pairKey(t *testing.T, a, b string) string {
	t.Helper()
	p, ok := identity.MakePair(a, b)
	require.True(t, ok)
	return p.Key()
}

func TestWhatIsSaidUnderOneIdentifierHoldsOfAll(t *testing.T) {
	seeds, put := broker(t)
	l := build(t, fmt.Sprintf("state: {seed_brokers: [ %q ]}", seeds), service.MockResources(), nil)
	put("privacy.consent", "user", fmt.Sprintf(withdrawal, 1))
	put("privacy.consent", "device", fmt.Sprintf(given, 1))
	require.True(t, one(t, l, "device").Consent.Purposes["marketing"])

	put("identity.links", pairKey(t, "device", "user"), fmt.Sprintf(linking, 1))
	put("identity.links", pairKey(t, "customer", "user"), fmt.Sprintf(linking, 1))
	states, err := l.Read(ctx(t), []string{"stranger", "device", "customer", "user", "device"})
	require.NoError(t, err)
	require.Equal(t, consent.State{}, states[0])
	for _, s := range states[1:] {
		require.False(t, s.Consent.Purposes["marketing"])
	}
	linked, err := l.Linked(ctx(t), []string{"device", "stranger"})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"user", "customer"}, linked[0])
	require.Empty(t, linked[1])

	put("privacy.erasures", "customer", fmt.Sprintf(erasure, 1))
	require.NotNil(t, one(t, l, "device").Erased)
	put("identity.links", pairKey(t, "customer", "user"), `{"version":2,"removed":true,"source":"support"}`)
	require.Nil(t, one(t, l, "device").Erased, "a link that was wrong is taken back")
	require.NotNil(t, one(t, l, "customer").Erased)
}

func TestBeyondTheLimitNobodyIsResolved(t *testing.T) {
	seeds, put := broker(t)
	l := build(t, fmt.Sprintf("state: {seed_brokers: [ %q ]}", seeds), service.MockResources(), nil)
	put("privacy.erasures", "k0", fmt.Sprintf(erasure, 1))
	for i := range identity.Limit {
		put("identity.links", pairKey(t, "k0", fmt.Sprint("k", i+1)), fmt.Sprintf(linking, 1))
	}
	for _, key := range []string{"k0", "k9"} {
		s := one(t, l, key)
		require.True(t, s.Unresolved)
		require.Equal(t, key == "k0", s.Erased != nil, "what is said of it directly is not lost")
	}
	linked, err := l.Linked(ctx(t), []string{"k9"})
	require.NoError(t, err)
	require.Empty(t, linked[0])
}

func TestTheConsentServiceIsAskedOfWhatIsLinked(t *testing.T) {
	seeds, put := broker(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/user" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = fmt.Fprintf(w, withdrawal, 3)
	}))
	t.Cleanup(srv.Close)
	l := build(t, fmt.Sprintf("state: {seed_brokers: [ %q ], http: {url: %q}}", seeds, srv.URL), service.MockResources(), nil)
	require.Nil(t, one(t, l, "device").Consent)
	put("identity.links", pairKey(t, "device", "user"), fmt.Sprintf(linking, 1))
	require.EqualValues(t, 3, one(t, l, "device").Consent.Version)
}

// Most keys have no links, and pay a look for that and nothing else.
func TestAKeyWithoutLinksCostsNoMemory(t *testing.T) {
	l := newLinks("identity.links")
	l.Content.Apply(pairKey(t, "a", "b"), fmt.Appendf(nil, linking, 1))
	var p people
	require.Zero(t, testing.AllocsPerRun(100, func() { p.find(l, 0, "stranger") }))
	require.Empty(t, p.each)
}
