package monitoring

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/sender"
	"github.com/ebbgate/ebbgate/internal/signature"
	"github.com/ebbgate/ebbgate/plugins/webhook"
)

// door says where the shipped webhook door is to be, and gives it secrets to try with.
func (h *house) door() {
	h.t.Helper()
	h.t.Setenv("EBBGATE_WEBHOOK_ADDRESS", freeAddress(h.t))
	h.t.Setenv("EBBGATE_SECRETS", h.t.TempDir())
	for _, ep := range h.endpoints() {
		_, err := ep.MakeSecrets()
		require.NoError(h.t, err)
	}
}

func (h *house) endpoints() []webhook.Described {
	h.t.Helper()
	all, err := webhook.DescribeAll(os.DirFS("pipelines"), os.LookupEnv)
	require.NoError(h.t, err)
	return all
}

// openDoor runs it as a stream of this process.
func (h *house) openDoor() {
	h.t.Helper()
	h.door()
	h.runFile("webhooks", filepath.Join("pipelines", "doors", "webhooks.yaml"))
	h.awaitDoor()
}

func (h *house) awaitDoor() {
	h.t.Helper()
	h.until(func() bool {
		resp, err := http.Get("http://" + os.Getenv("EBBGATE_WEBHOOK_ADDRESS") + "/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, "the webhook door does not open")
}

// deliver posts Stripe's deliveries, good ones and forged ones.
func (h *house) deliver(good, forged int) {
	h.t.Helper()
	ep, err := webhook.Choose(h.endpoints(), "stripe")
	require.NoError(h.t, err)
	scheme, err := ep.Scheme()
	require.NoError(h.t, err)
	stranger, err := ep.Scheme(signature.Secret{ID: "stranger", Value: "whsec_of_a_stranger_0123"})
	require.NoError(h.t, err)
	for n := range good + forged {
		h.published++
		d := sender.Delivery{URL: ep.URL, Scheme: scheme, Body: fmt.Appendf(nil, `{"id":"evt_%d","type":"invoice.paid","data":{"object":{"customer":"cus_1"}}}`, h.published)}
		want := http.StatusOK
		if n >= good {
			d.Scheme, want = stranger, http.StatusUnauthorized
		}
		a, err := sender.Post(h.ctx(), http.DefaultClient, d)
		require.NoError(h.t, err)
		require.Equal(h.t, want, a.Status)
	}
}

// deliverAgain posts what Slack says it sends for the second time.
func (h *house) deliverAgain() {
	h.t.Helper()
	ep, err := webhook.Choose(h.endpoints(), "slack")
	require.NoError(h.t, err)
	scheme, err := ep.Scheme()
	require.NoError(h.t, err)
	h.published++
	body := fmt.Appendf(nil, `{"type":"event_callback","event_id":"Ev%d","event":{"type":"app_mention"}}`, h.published)
	header, err := scheme.Sign(signature.Outgoing{At: time.Now(), Body: body})
	require.NoError(h.t, err)
	req, err := http.NewRequestWithContext(h.ctx(), http.MethodPost, ep.URL, bytes.NewReader(body))
	require.NoError(h.t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("X-Slack-Retry-Num", "1")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(h.t, err)
	resp.Body.Close()
	require.Equal(h.t, http.StatusOK, resp.StatusCode)
}

// deliverCaptured posts a delivery of Shopify, again as Shopify does, and again under another id, as only somebody else does.
func (h *house) deliverCaptured() {
	h.t.Helper()
	ep, err := webhook.Choose(h.endpoints(), "shopify")
	require.NoError(h.t, err)
	scheme, err := ep.Scheme()
	require.NoError(h.t, err)
	h.published++
	body := fmt.Appendf(nil, `{"id":%d}`, h.published)
	for _, id := range []string{"one", "one", "another"} {
		d := sender.Delivery{URL: ep.URL, Scheme: scheme, ID: fmt.Sprint(id, h.published), Type: "orders/create", Body: body}
		a, err := sender.Post(h.ctx(), http.DefaultClient, d)
		require.NoError(h.t, err)
		require.Equal(h.t, http.StatusOK, a.Status)
	}
}
