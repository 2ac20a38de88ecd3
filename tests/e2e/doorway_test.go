package e2e

import (
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/sender"
	"github.com/ebbgate/ebbgate/internal/signature"
	"github.com/ebbgate/ebbgate/plugins/webhook"
)

const (
	deliveries    = "inbound.webhooks"
	receiptsTopic = "ingest.receipts"
)

// doorway is one process that takes webhooks.
type doorway struct {
	*process
	address string
}

// openDoor starts the shipped door, with secrets to try it with, at an address of its own. It takes requests when this returns.
func (h *house) openDoor(address string) *doorway {
	h.t.Helper()
	h.env = append(h.env, "EBBGATE_SECRETS="+h.path("secrets"), "EBBGATE_WEBHOOK_ADDRESS="+address)
	h.must("webhook", "secrets")
	d := &doorway{h.start("streams", "-o", "pipelines/service.yaml", "pipelines/doors/webhooks.yaml"), address}
	h.until(func() bool {
		resp, err := http.Get("http://" + address + "/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, func() string { return "the door does not open:\n" + tail(d.log()) })
	return d
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

// endpoints are those of the shipped door, where it is open.
func (h *house) endpoints(address string) []webhook.Described {
	h.t.Helper()
	lookup := func(name string) (string, bool) {
		value, ok := map[string]string{"EBBGATE_SECRETS": h.path("secrets"), "EBBGATE_WEBHOOK_ADDRESS": address}[name]
		return value, ok
	}
	all, err := webhook.DescribeAll(os.DirFS(h.path("pipelines")), lookup)
	require.NoError(h.t, err)
	return all
}

// sample is a delivery of a source, to the door at an address.
func (h *house) sample(source, address, id string) sender.Delivery {
	h.t.Helper()
	ep, err := webhook.Choose(h.endpoints(address), source)
	require.NoError(h.t, err)
	scheme, err := ep.Scheme()
	require.NoError(h.t, err)
	body, err := sender.Sample(ep.Provider, id, time.Now())
	require.NoError(h.t, err)
	return sender.Delivery{URL: ep.URL, Scheme: scheme, ID: id, Type: sender.SampleType(ep.Provider), Body: body}
}

func (h *house) receipts() (found []*receipt.Receipt) {
	h.t.Helper()
	for _, rec := range h.records(receiptsTopic) {
		r, err := receipt.Parse(rec.Value)
		require.NoError(h.t, err)
		found = append(found, r)
	}
	return found
}

// consents says yes for everybody the samples are about.
func (h *house) consents() {
	h.t.Helper()
	for _, user := range sender.Subjects() {
		h.must("consent", "set", "--user-id", user, "analytics=true", "marketing=true")
	}
}

// forged is the source's sample, signed with a secret that is not the endpoint's.
func (h *house) forged(source, address string) sender.Delivery {
	h.t.Helper()
	ep, err := webhook.Choose(h.endpoints(address), source)
	require.NoError(h.t, err)
	secret, err := signature.NewSecret(ep.Provider)
	require.NoError(h.t, err)
	d := h.sample(source, address, "evt_forged")
	d.Scheme, err = ep.Scheme(signature.Secret{ID: "forged", Value: secret})
	require.NoError(h.t, err)
	return d
}

func notEnoughReplicas(req *kmsg.ProduceRequest) kmsg.Response {
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
