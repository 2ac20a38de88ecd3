package signature_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/signature"
)

func describe(t *testing.T, name string, header http.Header, body string) (signature.Delivery, error) {
	t.Helper()
	return scheme(t, configs(t)[name]).Describe(header, []byte(body))
}

func TestWhatADeliveryIs(t *testing.T) {
	for name, c := range map[string]struct {
		scheme, body string
		header       http.Header
		want         signature.Delivery
	}{
		"Standard Webhooks": {
			"standard_webhooks", `{"type":"user.created"}`,
			http.Header{"Webhook-Id": {"msg_1"}},
			signature.Delivery{IDSigned: true, Events: []signature.Event{{ID: "msg_1", Type: "user.created"}}},
		},
		"Stripe": {
			"stripe", `{"id":"evt_1","type":"invoice.paid"}`, nil,
			signature.Delivery{IDSigned: true, Events: []signature.Event{{ID: "evt_1", Type: "invoice.paid"}}},
		},
		"Stripe, escaped": {
			"stripe", `{"i\u0064":"ev\u0074_1","type":"invoice\u002epaid"}`, nil,
			signature.Delivery{IDSigned: true, Events: []signature.Event{{ID: "evt_1", Type: "invoice.paid"}}},
		},
		"GitHub, whatever the body": {
			"github", `Hello, World!`,
			http.Header{"X-Github-Delivery": {"d-1"}, "X-Github-Event": {"push"}},
			signature.Delivery{Events: []signature.Event{{ID: "d-1", Type: "push"}}},
		},
		"an id that comes twice": {
			"github", `{}`,
			http.Header{"X-Github-Delivery": {"d-1", "d-2"}},
			signature.Delivery{Events: []signature.Event{{}}},
		},
		"Shopify": {
			"shopify", `{}`,
			http.Header{"X-Shopify-Webhook-Id": {"w-1"}, "X-Shopify-Topic": {"orders/create"}},
			signature.Delivery{Events: []signature.Event{{ID: "w-1", Type: "orders/create"}}},
		},
		"Slack": {
			"slack", `{"event_id":"Ev1","event":{"type":"message"}}`, nil,
			signature.Delivery{Attempt: 1, IDSigned: true, Events: []signature.Event{{ID: "Ev1", Type: "message"}}},
		},
		"Slack again": {
			"slack", `{"event_id":"Ev1","event":{"type":"message"}}`,
			http.Header{"X-Slack-Retry-Num": {"2"}},
			signature.Delivery{Attempt: 3, IDSigned: true, Events: []signature.Event{{ID: "Ev1", Type: "message"}}},
		},
		"Slack, nobody knows": {
			"slack", `{"event_id":"Ev1"}`,
			http.Header{"X-Slack-Retry-Num": {"two"}},
			signature.Delivery{IDSigned: true, Events: []signature.Event{{ID: "Ev1"}}},
		},
		"Paddle": {
			"paddle", `{"event_id":"evt_1","event_type":"price.created","notification_id":"ntf_1"}`, nil,
			signature.Delivery{IDSigned: true, Events: []signature.Event{{ID: "evt_1", Type: "price.created"}}},
		},
		"an id that is none": {"stripe", `{"id":{"a":1},"type":"a b"}`, nil, signature.Delivery{IDSigned: true, Events: []signature.Event{{}}}},
		"an id in digits":    {"stripe", `{"id":9007199254740993}`, nil, signature.Delivery{IDSigned: true, Events: []signature.Event{{ID: "9007199254740993"}}}},
		"an endless id":      {"stripe", `{"id":"` + strings.Repeat("a", 257) + `"}`, nil, signature.Delivery{IDSigned: true, Events: []signature.Event{{}}}},
		"generic":            {"generic", `{}`, http.Header{"X-Acme-Id": {"a-1"}}, signature.Delivery{IDSigned: true, Events: []signature.Event{{ID: "a-1"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Events[0].Body = []byte(c.body)
			got, err := describe(t, c.scheme, c.header, c.body)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestPlacesOfOnesOwn(t *testing.T) {
	c := configs(t)["github"]
	c.ID, c.Type = signature.Place{Path: "hook.id"}, signature.Place{Header: "x-kind"}
	got, err := scheme(t, c).Describe(http.Header{"X-Kind": {"made"}}, []byte(`{"hook":{"id":"h-1"}}`))
	require.NoError(t, err)
	assert.Equal(t, signature.Event{ID: "h-1", Type: "made", Body: []byte(`{"hook":{"id":"h-1"}}`)}, got.Events[0])
	assert.True(t, got.IDSigned, "it stands in the body")
}

func TestSendGridSendsManyEvents(t *testing.T) {
	first := `{"sg_event_id":"a", "event":"open","timestamp":1}`
	got, err := describe(t, "sendgrid", nil, ` [`+first+`,{"event":"click"}]`)
	require.NoError(t, err)
	assert.Equal(t, []signature.Event{{ID: "a", Type: "open", Body: []byte(first)}, {Type: "click", Body: []byte(`{"event":"click"}`)}}, got.Events)
	got, err = describe(t, "sendgrid", nil, `[]`)
	require.NoError(t, err)
	assert.Empty(t, got.Events)
	for _, body := range []string{``, `{}`, `[`, `[1]`, `[{}],"x":[{}]`, `[{}]}{`, `[{}] x`, `[{"a":1,"a":2}]`, `null`} {
		_, err := describe(t, "sendgrid", nil, body)
		_, faulty := event.AsFault(err)
		assert.True(t, faulty, "%q: %v", body, err)
	}
}

func TestFaultyBodiesAreTold(t *testing.T) {
	for _, body := range []string{``, `[]`, `{"id":"a","id":"b"}`, `{"id":"a"}x`, "{\"id\":\"\xff\"}"} {
		_, err := describe(t, "stripe", nil, body)
		fault, faulty := event.AsFault(err)
		require.True(t, faulty, "%q: %v", body, err)
		assert.NotEmpty(t, fault.Code)
	}
}

func TestSlackChallenge(t *testing.T) {
	slack := scheme(t, configs(t)["slack"])
	for body, want := range map[string]string{
		`{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}`: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
		`{"challenge":"abc","type":"event_callback"}`:                                                                "",
		`{"challenge":"<script> alert(1)","type":"url_verification"}`:                                                "",
		`{"type":"url_verification"}`:                                                                                "",
		`{"challenge":"a","challenge":"b","type":"url_verification"}`:                                                "",
		`payload=%7B%22type%22%3A%22url_verification%22%7D`:                                                          "",
		`{"challenge":"abc","event":{"type":"url_verification"},"type":1}`:                                           "",
	} {
		got, is := slack.Challenge([]byte(body))
		assert.Equal(t, want, got, body)
		assert.Equal(t, want != "", is, body)
	}
	_, is := scheme(t, configs(t)["stripe"]).Challenge([]byte(`{"challenge":"abc","type":"url_verification"}`))
	assert.False(t, is, "only Slack asks")
}

// What is kept of a delivery verifies it again.
func TestKeptHeadersVerifyAgain(t *testing.T) {
	d := sample(1)
	for name, c := range configs(t) {
		s := scheme(t, c)
		header := sign(t, s, d)
		header["Cookie"] = []string{"x=1"}
		kept, err := signature.ParseHeaders(signature.FormatHeaders(s.SignedHeaders(header)))
		require.NoError(t, err)
		assert.True(t, s.Verify(kept, d.Body, now).OK(), name)
		assert.NotContains(t, kept, "Cookie")
	}
	_, err := signature.ParseHeaders("Cookie: x=1")
	assert.Error(t, err)
}
