package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/sender"
)

// Every provider's delivery goes from the door to the table, and one that was tampered with leaves a receipt and nothing else.
func TestSignedDeliveriesBecomeRows(t *testing.T) {
	h := newHouse(t)
	h.consents()
	h.pipelines()
	address := freeAddress(t)
	h.openDoor(address)
	rows := map[string]int{"stripe": 1, "github": 1, "shopify": 1, "sendgrid": 2, "paddle": 1, "partner": 1, "backend": 1, "slack": 1}
	for source := range rows {
		a, err := sender.Post(h.ctx(), http.DefaultClient, h.sample(source, address, "evt_1"))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, a.Status, source)
		a, err = sender.Post(h.ctx(), http.DefaultClient, h.forged(source, address))
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, a.Status, source)
	}
	h.drained()
	row := h.balance()
	require.Equal(t, 9, row.Delivered, "%v", row)
	require.Empty(t, row.Codes)
	for source, want := range rows {
		require.Equal(t, want, h.count("SELECT count() FROM events_unique WHERE source = ?", source), source)
	}
	require.Len(t, h.records(deliveries), len(rows))
	verified := map[string]int{}
	for _, r := range h.receipts() {
		verified[r.Verification]++
	}
	require.Equal(t, map[string]int{"ok": len(rows), "bad_signature": len(rows)}, verified)
	h.support()
}

// support answers what a customer asks: was it delivered, was the signature good, what became of it.
func (h *house) support() {
	h.t.Helper()
	var list struct{ Receipts []receipt.Receipt }
	require.NoError(h.t, json.Unmarshal([]byte(h.must("receipts", "list", "--source", "stripe", "--output", "json")), &list))
	require.Len(h.t, list.Receipts, 2)
	for _, r := range list.Receipts {
		shown, verdict := h.must("receipts", "show", r.ID), h.run("receipts", "verify", r.ID)
		if r.Verification == receipt.Verified {
			assert.Contains(h.t, shown, "the event below")
			assert.Contains(h.t, shown, "delivered")
			assert.Zero(h.t, verdict.code, verdict.both())
			h.write("other", "whsec_0123456789abcdef0123456789abcdef\n")
			assert.Equal(h.t, 3, h.run("receipts", "verify", "--secret-file", "other", r.ID).code)
			assert.Contains(h.t, h.must("trace", r.ID), r.EventID)
		} else {
			assert.Contains(h.t, shown, "it was refused at the door")
			assert.Equal(h.t, 5, verdict.code, verdict.both())
		}
	}
	assert.Equal(h.t, 4, h.run("receipts", "show", receipt.NewID()).code)
	assert.Equal(h.t, 4, h.run("receipts", "verify", receipt.NewID()).code)
}

// A webhook carries no consent: what is on record for its subject decides, and nothing on record is no.
func TestAWebhookReachesActivationForWhoSaidYes(t *testing.T) {
	h := newHouse(t)
	h.consents()
	h.pipelines()
	address := freeAddress(t)
	h.openDoor(address)
	// A customer of whom Stripe says no user is known by a link, and by nothing without one.
	h.must("identity", "link", "--user-id", "u_ada", "--with-user-id", "stripe:cus_ada", "--source", "test")
	customers := map[string]string{"evt_linked": "cus_ada", "evt_unlinked": "cus_other"}
	for id, user := range map[string]string{"evt_yes": "u_ada", "evt_nobody": "u_unknown", "evt_linked": "", "evt_unlinked": ""} {
		d := h.sample("stripe", address, id)
		d.Body = fmt.Appendf(nil, `{"id":%q,"object":"event","created":%d,"type":"customer.subscription.created","data":{"object":{"id":"sub_1",`+
			`"object":"subscription","customer":%[4]q,"metadata":{"user_id":%[3]q,"plan":"pro"},"currency":"eur","start_date":%[2]d,`+
			`"items":{"data":[{"quantity":3,"price":{"unit_amount":4900,"recurring":{"interval":"month"}}}]}}}}`, id, time.Now().Unix(), user, cmp.Or(customers[id], "cus_1"))
		a, err := sender.Post(h.ctx(), http.DefaultClient, d)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, a.Status)
	}
	h.drained()
	h.balance()
	known := map[string]string{} // event ids by the provider's
	for _, r := range h.receipts() {
		known[r.Delivery] = r.EventID
	}
	reached := h.records(activation)
	var ids []string
	for _, rec := range reached {
		ids = append(ids, header(rec, "event_id"))
	}
	require.ElementsMatch(t, []string{known["evt_yes"], known["evt_linked"]}, ids, "%s", h.must("trace", known["evt_linked"]))
	require.Equal(t, 2, h.count("SELECT count() FROM events"))
	for _, denied := range []string{"evt_nobody", "evt_unlinked"} {
		require.Contains(t, h.must("trace", known[denied]), "consent.missing")
	}
}

// Providers send a delivery again when they had no answer, and to whichever instance is there. Two doors and the pipelines are
// killed while they do. Whatever was answered with 2xx has its receipt, and analysts read each event once.
func TestRepeatsAtTwoDoorsThroughKillsAreOneEvent(t *testing.T) {
	const events, tries, kills = 60, 3, 3
	h := newHouse(t)
	h.consents()
	running := h.pipelines()
	addresses := []string{freeAddress(t), freeAddress(t)}
	doors := []*doorway{h.openDoor(addresses[0]), h.openDoor(addresses[1])}

	var answered atomic.Int64
	var mu sync.Mutex
	named := map[string]bool{} // receipts that an answer named
	var all sync.WaitGroup
	for n := range events {
		for try := range tries {
			d := h.sample("stripe", addresses[(n+try)%2], fmt.Sprintf("evt_%d", n))
			all.Go(func() {
				for t.Context().Err() == nil {
					a, err := sender.Post(t.Context(), http.DefaultClient, d)
					if err == nil && a.Accepted() {
						mu.Lock()
						named[a.Receipt] = true
						mu.Unlock()
						answered.Add(1)
						return
					}
					if err == nil && a.Status != http.StatusServiceUnavailable && a.Status != http.StatusTooManyRequests {
						t.Errorf("answered with %d", a.Status)
						return
					}
					<-time.After(20 * time.Millisecond) // as a provider waits before it tries again
				}
			})
		}
	}
	for k := range kills {
		h.until(func() bool { return answered.Load() >= int64(1+k*events*tries/(kills+1)) }, func() string { return "nothing is answered" })
		doors[k%2].kill()
		doors[k%2] = h.openDoor(addresses[k%2])
		running.kill()
		running = h.pipelines()
	}
	all.Wait()
	h.drained()

	durable := map[string]bool{}
	attempts := map[string]int{}
	for _, r := range h.receipts() {
		durable[r.ID] = true
		attempts[r.Delivery]++
	}
	for id := range named {
		require.True(t, durable[id], "an answer named receipt %s, which is nowhere", id)
	}
	require.Len(t, attempts, events)
	for id, n := range attempts {
		require.GreaterOrEqual(t, n, tries, id)
	}
	h.balance()
	require.Equal(t, events, h.count("SELECT count() FROM events_unique"))
	require.Equal(t, events, h.count("SELECT uniqExact(event_id) FROM events"))
	require.True(t, strings.HasPrefix(h.must("receipts", "list", "--limit", "1"), "┌"))
}

// The door dies when the raw record is durable and the receipt is not: the provider had no answer, sends again and is answered. Both
// records have the key of one event, and the receipt names the one it was written for.
func TestADoorKilledBetweenRecordAndReceiptLosesNothing(t *testing.T) {
	t.Parallel()
	h := bare(t)
	seeds, cluster := plugtest.Broker(t)
	h.env = append(h.env, sandbox.EnvBrokers+"="+seeds[0])
	h.connect(kgo.SeedBrokers(seeds...))
	h.must("topics", "apply")
	known, err := h.admin.ListTopics(h.ctx(), receiptsTopic)
	require.NoError(t, err)
	var full atomic.Bool
	full.Store(true)
	asked := make(chan struct{}, 100)
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		produce := req.(*kmsg.ProduceRequest)
		if !full.Load() || !slices.ContainsFunc(produce.Topics, func(t kmsg.ProduceRequestTopic) bool {
			return t.Topic == receiptsTopic || t.TopicID == known[receiptsTopic].ID
		}) {
			return nil, nil, false
		}
		asked <- struct{}{}
		return notEnoughReplicas(produce), nil, true
	})
	address := freeAddress(t)
	d := h.openDoor(address)
	lost := make(chan error, 1)
	delivery := h.sample("stripe", address, "evt_1")
	go func() {
		_, err := sender.Post(t.Context(), http.DefaultClient, delivery)
		lost <- err
	}()
	<-asked
	d.kill()
	require.Error(t, <-lost, "nobody answered")
	require.Len(t, h.records(deliveries), 1)
	require.Empty(t, h.records(receiptsTopic))

	full.Store(false)
	h.openDoor(address)
	a, err := sender.Post(h.ctx(), http.DefaultClient, delivery)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.Status)
	raws := h.records(deliveries)
	require.Len(t, raws, 2)
	require.Equal(t, raws[0].Key, raws[1].Key)
	found := h.receipts()
	require.Len(t, found, 1)
	require.Equal(t, a.Receipt, found[0].ID)
	require.EqualValues(t, 1, found[0].Raw.Offset)
}
