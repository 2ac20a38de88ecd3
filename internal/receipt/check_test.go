package receipt

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/signature"
)

func TestADeliveryIsVerifiedAgainAsOfItsTime(t *testing.T) {
	at := time.Date(2026, 4, 13, 10, 0, 0, 0, time.UTC)
	body := []byte(`{"id":"evt_1"}`)
	scheme := func(secrets ...signature.Secret) *signature.Scheme {
		s, err := signature.New(signature.Config{Provider: "stripe", Secrets: secrets})
		require.NoError(t, err)
		return s
	}
	rotated := signature.Secret{ID: "april", Value: "whsec_test_secret_of_april", Until: at.Add(time.Hour)}
	header, err := scheme(rotated).Sign(signature.Outgoing{At: at, Body: body})
	require.NoError(t, err)
	r := &Receipt{ID: NewID(), At: at, BodySHA256: SumBody(body)}

	require.Equal(t, Check{Receipt: r.ID, Verdict: Good, Key: "april"}, r.Check(scheme(rotated), header, body), "its overlap has ended since")
	require.Equal(t, Check{Receipt: r.ID, Verdict: Bad, Reason: ReasonBodyChanged}, r.Check(scheme(rotated), header, []byte(`{"id":"evt_2"}`)))
	other := signature.Secret{ID: "may", Value: "whsec_test_secret_of_may_26"}
	require.Equal(t, Check{Receipt: r.ID, Verdict: Bad, Reason: "bad_signature"}, r.Check(scheme(other), header, body))
	late := *r
	late.At = at.Add(time.Hour)
	require.Equal(t, "stale", late.Check(scheme(signature.Secret{ID: "april", Value: rotated.Value}), header, body).Reason)
}
