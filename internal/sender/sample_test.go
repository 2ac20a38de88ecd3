package sender

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/signature"
)

func schemeOf(t *testing.T, provider string) *signature.Scheme {
	t.Helper()
	secret, err := signature.NewSecret(provider)
	require.NoError(t, err)
	c := signature.Config{Provider: provider, Secrets: []signature.Secret{{ID: "new", Value: secret}}}
	if provider == "generic" {
		c.Generic = &signature.Generic{Header: "X-Signature", Content: "{timestamp}.{body}", TimestampHeader: "X-Timestamp"}
		c.ID = signature.Place{Path: "event_id"}
	}
	s, err := signature.New(c)
	require.NoError(t, err)
	return s
}

// Every provider has a sample that its own scheme takes, with the id it was given.
func TestEveryProviderHasASample(t *testing.T) {
	for _, provider := range signature.Providers() {
		t.Run(provider, func(t *testing.T) {
			scheme, now := schemeOf(t, provider), time.Now()
			body, err := Sample(provider, "evt_7", now)
			require.NoError(t, err)
			header, err := scheme.Sign(signature.Outgoing{ID: "evt_7", Type: SampleType(provider), At: now, Body: body})
			require.NoError(t, err)
			require.True(t, scheme.Verify(header, body, now).OK())
			d, err := scheme.Describe(header, body)
			require.NoError(t, err)
			require.NotEmpty(t, d.Events)
			for i, e := range d.Events {
				want := "evt_7"
				if scheme.Lists() {
					want = []string{"evt_7-1", "evt_7-2"}[i]
				}
				require.Equal(t, want, e.ID)
				if provider != "generic" {
					require.NotEmpty(t, e.Type)
				}
			}
		})
	}
	_, err := Sample("../post", "x", time.Now())
	require.Error(t, err)
	_, err = signature.NewSecret("nobody")
	require.ErrorContains(t, err, "stripe")
}

func TestAnAnswerIsTold(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NotEmpty(t, r.Header.Get("Stripe-Signature"))
		w.Header().Set("X-Receipt-Id", "rcp_1")
		w.Header().Set("X-Correlation-Id", "req_1")
		w.WriteHeader(status)
	}))
	defer server.Close()
	d := Delivery{URL: server.URL, Scheme: schemeOf(t, "stripe"), Body: []byte("{}")}
	a, err := Post(t.Context(), server.Client(), d)
	require.NoError(t, err)
	require.Equal(t, Answer{Status: 200, Receipt: "rcp_1", Correlation: "req_1", Seconds: a.Seconds}, a)
	require.True(t, a.Accepted())
	status = http.StatusUnauthorized
	a, err = Post(t.Context(), server.Client(), d)
	require.NoError(t, err)
	require.False(t, a.Accepted())

	server.Close()
	_, err = Post(t.Context(), http.DefaultClient, d)
	require.ErrorContains(t, err, "reaching the door")
	require.NotContains(t, err.Error(), server.URL)
}
