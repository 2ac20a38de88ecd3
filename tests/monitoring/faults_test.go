package monitoring

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// refusedOnce publishes an event and has the broker refuse the record that becomes of it, once.
func (h *house) refusedOnce() {
	h.t.Helper()
	raw, err := h.admin.ListTopics(h.ctx(), "events.raw")
	require.NoError(h.t, err)
	var done atomic.Bool
	h.cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.ProduceRequest)
		h.cluster.KeepControl()
		if to := req.Topics[0]; done.Load() || to.Topic != "events.raw" && to.TopicID != [16]byte(raw["events.raw"].ID) {
			return nil, nil, false
		}
		done.Store(true)
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range req.Topics {
			refused := kmsg.NewProduceResponseTopic()
			refused.Topic, refused.TopicID = topic.Topic, topic.TopicID
			for _, partition := range topic.Partitions {
				p := kmsg.NewProduceResponseTopicPartition()
				p.Partition, p.ErrorCode = partition.Partition, kerr.PolicyViolation.Code
				refused.Partitions = append(refused.Partitions, p)
			}
			res.Topics = append(res.Topics, refused)
		}
		return res, nil, true
	})
	h.publish("inbound.events", time.Now(), h.visit("page_viewed", agreed, "web_app", `"path":"/"`))
	h.settled()
}

// waiting publishes an event while nobody can tell where the state's topics end, and sees that it waits.
func (h *house) waiting(p *program, s *server) {
	h.t.Helper()
	var known atomic.Bool
	h.cluster.ControlKey(int16(kmsg.ListOffsets), func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.ListOffsetsRequest)
		h.cluster.KeepControl()
		if known.Load() || len(req.Topics) == 0 || !strings.HasPrefix(req.Topics[0].Topic, "privacy.") {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, topic := range req.Topics {
			lost := kmsg.NewListOffsetsResponseTopic()
			lost.Topic = topic.Topic
			for _, partition := range topic.Partitions {
				p := kmsg.NewListOffsetsResponseTopicPartition()
				p.Partition, p.ErrorCode = partition.Partition, kerr.LeaderNotAvailable.Code
				lost.Partitions = append(lost.Partitions, p)
			}
			res.Topics = append(res.Topics, lost)
		}
		return res, nil, true
	})
	h.publish("inbound.events", time.Now(), h.visit("page_viewed", agreed, "web_app", `"path":"/"`))
	s.comes(`sum(ebbgate_state_waiting) > 0`)
	s.comes(`sum(ebbgate_input_lag{topic="events.raw"}) == 1`)
	require.Equal(h.t, http.StatusOK, p.ready(), "waiting for state is no reason to restart anything")
	known.Store(true)
	h.settled()
	s.comes(`sum(ebbgate_state_waiting) == 0`)
}
