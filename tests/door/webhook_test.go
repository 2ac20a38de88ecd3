package door

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/signature"
)

const (
	newSecret, oldSecret = "whsec_test_secret_of_november", "whsec_test_secret_of_may_2026"
	charge               = `{"id":"evt_charge_1","type":"invoice.paid","data":{"object":{"id":"in_1","amount_paid":4200}}}`
)

func webhooks(t *testing.T) *gate {
	t.Helper()
	t.Setenv("TEST_STRIPE_SECRET", newSecret)
	return open(t, `
input:
  webhook:
    address: %[1]s
    timeout: 3s
    max_body_bytes: 64KiB
    receipts: { seed_brokers: [ %[2]q ] }
    endpoints:
      - path: /stripe
        source: billing
        provider: stripe
        secrets:
          - { id: november, env: TEST_STRIPE_SECRET }
          - { id: may, file: `+secretFile(t, oldSecret)+`, until: "2999-01-01T00:00:00Z" }
          - { id: retired, file: `+secretFile(t, "whsec_of_long_ago_2020")+`, until: "2020-01-01T00:00:00Z" }
`)
}

func stripe(t *testing.T, secret, body string, at time.Time) map[string][]string {
	t.Helper()
	scheme, err := signature.New(signature.Config{Provider: "stripe", Secrets: []signature.Secret{{ID: "any", Value: secret}}})
	require.NoError(t, err)
	signed, err := scheme.Sign(signature.Outgoing{At: at, Body: []byte(body)})
	require.NoError(t, err)
	return signed
}

func TestADeliveryIsDurableWithItsReceiptBeforeItIsAnswered(t *testing.T) {
	g := webhooks(t)
	now := time.Now()
	for i, secret := range []string{newSecret, oldSecret} {
		resp, text := g.post("/stripe", stripe(t, secret, charge, now), []byte(charge))
		require.Equal(t, http.StatusOK, resp.StatusCode, text)
		raws := g.records(deliveries, i+1)
		rcpt := g.receipts(i + 1)[i]
		require.Equal(t, charge, string(raws[i].Value), "byte for byte")
		require.Equal(t, raws[0].Key, raws[i].Key, "repeats meet")
		require.Equal(t, &receipt.Ref{Topic: deliveries, Partition: 0, Offset: int64(i)}, rcpt.Raw)
		require.Equal(t, []string{"november", "may"}[i], rcpt.Key)
		require.Equal(t, receipt.Verified, rcpt.Verification)
		require.Equal(t, "evt_charge_1", rcpt.Delivery)
		require.Equal(t, string(raws[i].Key), rcpt.EventID)
		require.Equal(t, receipt.SumBody([]byte(charge)), rcpt.BodySHA256)
		require.Equal(t, http.StatusOK, rcpt.Status)
		require.Equal(t, rcpt.Correlation, resp.Header.Get("X-Correlation-Id"))
		require.Equal(t, rcpt.ID, header(raws[i], "webhook_receipt"))
		kept, err := signature.ParseHeaders(header(raws[i], "webhook_signature"))
		require.NoError(t, err)
		scheme, err := signature.New(signature.Config{Provider: "stripe", Secrets: []signature.Secret{{ID: "any", Value: secret}}})
		require.NoError(t, err)
		require.True(t, scheme.Verify(kept, raws[i].Value, now).OK(), "a disputed delivery can be verified again")
	}
}

// Stripe counts in the body how many endpoints it still has to deliver to: that is the same event. Anything else is another.
func TestARetryOfStripeHasTheContentOfTheFirst(t *testing.T) {
	g := webhooks(t)
	counted := func(amount, pending int) string {
		return fmt.Sprintf(`{"id":"evt_1","type":"invoice.paid","pending_webhooks":%d,"data":{"amount_paid":%d,"pending_webhooks":7}}`, pending, amount)
	}
	var digests []string
	for i, body := range []string{counted(42, 2), counted(42, 10), counted(43, 2), strings.Replace(counted(42, 2), ":7", ":8", 1), strings.Replace(counted(42, 2), ".paid", ".sent", 1)} {
		resp, text := g.post("/stripe", stripe(t, newSecret, body, time.Now()), []byte(body))
		require.Equal(t, http.StatusOK, resp.StatusCode, text)
		rec := g.records(deliveries, i+1)[i]
		require.Equal(t, body, string(rec.Value), "byte for byte")
		digests = append(digests, header(rec, "content_digest"))
	}
	require.NotEmpty(t, digests[0])
	require.Equal(t, digests[0], digests[1])
	require.NotEqual(t, digests[0], digests[2])
	require.NotEqual(t, digests[0], digests[3])
	require.NotEqual(t, digests[0], digests[4])
}

func TestNothingUnsignedGoesOn(t *testing.T) {
	g := webhooks(t)
	now := time.Now()
	good := stripe(t, newSecret, charge, now)
	attempts := []struct {
		name, path, body string
		header           map[string][]string
		verification     string
	}{
		{"no signature", "/stripe", charge, nil, "missing_header"},
		{"another body", "/stripe", strings.Replace(charge, "4200", "4201", 1), good, "bad_signature"},
		{"another secret", "/stripe", charge, stripe(t, "whsec_of_a_stranger_x", charge, now), "bad_signature"},
		{"a retired secret", "/stripe", charge, stripe(t, "whsec_of_long_ago_2020", charge, now), "retired_secret"},
		{"too old", "/stripe", charge, stripe(t, newSecret, charge, now.Add(-time.Hour)), "stale"},
		{"two signatures", "/stripe", charge, map[string][]string{"Stripe-Signature": {good["Stripe-Signature"][0], "t=1,v1=a"}}, "malformed_header"},
		{"in the query", "/stripe?Stripe-Signature=" + good["Stripe-Signature"][0], charge, nil, "missing_header"},
		{"in a cookie", "/stripe", charge, map[string][]string{"Cookie": {"Stripe-Signature=" + good["Stripe-Signature"][0]}}, "missing_header"},
	}
	for i, a := range attempts {
		resp, text := g.post(a.path, a.header, []byte(a.body))
		require.Equal(t, http.StatusUnauthorized, resp.StatusCode, a.name)
		require.NotContains(t, text, "evt_charge")
		rcpt := g.receipts(i + 1)[i]
		require.Equal(t, a.verification, rcpt.Verification, a.name)
		require.Equal(t, http.StatusUnauthorized, rcpt.Status)
		require.Nil(t, rcpt.Raw)
		require.Empty(t, rcpt.Delivery, "nothing a stranger wrote is kept")
	}
	for path, status := range map[string]int{"/": 404, "/stripe/": 404, "/paddle": 404} {
		resp, _ := g.post(path, good, []byte(charge))
		require.Equal(t, status, resp.StatusCode, path)
	}
	resp, _ := g.post("/stripe", good, bytes.Repeat([]byte("x"), 1<<20))
	require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	g.post("/stripe", good, []byte(charge))
	require.Len(t, g.records(deliveries, 1), 1, "only the good one is there")
}

// refusal says that no replica took anything.
func refusal(req *kmsg.ProduceRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			part := kmsg.NewProduceResponseTopicPartition()
			part.Partition, part.ErrorCode = p.Partition, kerr.NotEnoughReplicas.Code
			topic.Partitions = append(topic.Partitions, part)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// What the broker does not take is not answered with success, and the provider's next try is.
func TestADeliveryThatIsNotDurableIsToBeSentAgain(t *testing.T) {
	for name, pass := range map[string]int32{"the raw record": 0, "the receipt": 1} {
		t.Run(name, func(t *testing.T) {
			g := webhooks(t)
			var produced, mended atomic.Int32
			g.cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
				g.cluster.KeepControl()
				if mended.Load() == 1 || produced.Add(1) <= pass {
					return nil, nil, false
				}
				return refusal(req.(*kmsg.ProduceRequest)), nil, true
			})
			resp, _ := g.post("/stripe", stripe(t, newSecret, charge, time.Now()), []byte(charge))
			require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
			require.NotEmpty(t, resp.Header.Get("Retry-After"))
			mended.Store(1)
			require.Eventually(t, func() bool {
				resp, _ := g.post("/stripe", stripe(t, newSecret, charge, time.Now()), []byte(charge))
				return resp.StatusCode == http.StatusOK
			}, patience, 10*time.Millisecond)
		})
	}
}

func TestAnEndpointThatCouldBeForgedDoesNotStart(t *testing.T) {
	t.Setenv("TEST_EMPTY", "")
	for secret, says := range map[string]string{
		"{ id: a, env: TEST_EMPTY }":        "not set, or empty",
		"{ id: a, env: TEST_A, file: /b }":  "either",
		"{ id: a }":                         "either",
		"{ id: a, file: /nowhere/at/all }":  "no such file",
		"{ id: a, env: TEST_SHORT_SECRET }": "could be guessed",
	} {
		t.Setenv("TEST_A", newSecret)
		t.Setenv("TEST_SHORT_SECRET", "short")
		_, err := build(t, fmt.Sprintf("{ path: /stripe, source: billing, provider: stripe, secrets: [ %s ] }", secret))
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), newSecret)
	}
}
