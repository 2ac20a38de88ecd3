package redpanda

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// session is one membership of the group, from Connect until it fails or is closed.
type session struct {
	in      *input
	cl      *kgo.Client
	commits *commits
	out     chan delivery

	living context.Context
	kill   context.CancelFunc
	failed chan struct{} // closed when the session cannot go on
	cause  error         // why; set before failed is closed
	once   sync.Once
	polled chan struct{} // closed when the poller has ended

	mu    sync.Mutex
	parts map[string]map[int32]*partition
}

// delivery is a chunk on its way through the engine.
type delivery struct {
	of     *partition
	chunk  *chunk
	answer chan error
}

func newSession(in *input) (*session, error) {
	s := &session{
		in: in, out: make(chan delivery), failed: make(chan struct{}), polled: make(chan struct{}),
		parts: map[string]map[int32]*partition{},
	}
	s.living, s.kill = context.WithCancel(context.Background())
	ready := make(chan struct{}) // the callbacks may run before the fields they use are set
	wait := func() { <-ready }
	opts := append(in.client.Options(), in.groupOptions()...)
	opts = append(opts,
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) { wait(); s.assigned(got) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { wait(); s.revoked(gone, in.patience) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { wait(); s.lost(gone) }),
		kgo.OnOffsetsFetched(func(_ context.Context, _ *kgo.Client, res *kmsg.OffsetFetchResponse) error {
			wait()
			return s.fetched(res)
		}),
	)
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		s.kill()
		return nil, err
	}
	s.cl = cl
	s.commits = newCommits(s.living, cl)
	close(ready)
	go s.poll()
	return s, nil
}

// groupOptions are the client options of a group member that commits by hand and never skips.
func (in *input) groupOptions() []kgo.Opt {
	start := kgo.NewOffset().AtStart()
	if in.startOffset == startLatest {
		start = kgo.NewOffset().AtEnd()
	}
	opts := []kgo.Opt{
		kgo.ConsumerGroup(in.group),
		kgo.ConsumeTopics(in.topics...),
		kgo.ConsumeStartOffset(start),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(in.sessionTimeout),
		kgo.RebalanceTimeout(in.rebalanceTimeout),
		kgo.HeartbeatInterval(in.heartbeat),
		kgo.FetchMaxBytes(in.fetchMaxBytes),
		kgo.FetchMaxPartitionBytes(in.fetchMaxPartitionBytes),
		kgo.FetchMaxWait(in.fetchMaxWait),
		kgo.ProducerBatchMaxBytes(quarantineMaxBytes), // the topic's own limit decides
	}
	if in.instanceID != "" {
		opts = append(opts, kgo.InstanceID(in.instanceID))
	}
	switch in.balancer {
	case balancerEager:
		opts = append(opts, kgo.Balancers(kgo.StickyBalancer()))
	case balancerServer:
		opts = append(opts, kgo.Balancers(kgo.StickyBalancer()), kgo.ServerSideBalancer())
	default:
		opts = append(opts, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	}
	return opts
}

// poll moves what the client has fetched into the partitions. No rebalance happens between a poll and AllowRebalance,
// so what was polled of a partition reaches that ownership of it or nobody.
func (s *session) poll() {
	defer close(s.polled)
	for {
		fetches := s.cl.PollFetches(s.living)
		if s.living.Err() != nil || fetches.IsClientClosed() {
			s.cl.AllowRebalance()
			return
		}
		bad := s.pollErrors(fetches)
		pause := map[string][]int32{}
		fetches.EachPartition(func(f kgo.FetchTopicPartition) {
			if len(f.Records) == 0 {
				return
			}
			if p := s.find(f.Topic, f.Partition); p != nil && p.add(f.Records, readableEnd(&f.FetchPartition)) {
				pause[f.Topic] = append(pause[f.Topic], f.Partition)
			}
		})
		if len(pause) > 0 {
			s.cl.PauseFetchPartitions(pause)
			s.unpauseLate(pause)
		}
		s.cl.AllowRebalance()
		if bad != nil {
			s.fail(bad)
			return
		}
	}
}

// readableEnd is where the records that can be read now end: open transactions hide what comes after their beginning.
func readableEnd(f *kgo.FetchPartition) int64 {
	if f.LastStableOffset >= 0 {
		return f.LastStableOffset
	}
	return f.HighWatermark
}

// unpauseLate resumes partitions that cut chunks between the decision to pause them and the pause.
func (s *session) unpauseLate(pause map[string][]int32) {
	for topic, ids := range pause {
		for _, id := range ids {
			p := s.find(topic, id)
			if p == nil {
				continue
			}
			p.mu.Lock()
			running := !p.paused
			p.mu.Unlock()
			if running {
				s.cl.ResumeFetchPartitions(map[string][]int32{topic: {id}})
			}
		}
	}
}

// pollErrors returns the error that ends the session, if there is one, and complains about the others.
func (s *session) pollErrors(fetches kgo.Fetches) (fatal error) {
	for _, e := range fetches.Errors() {
		var loss *kgo.ErrDataLoss
		switch {
		case errors.Is(e.Err, context.Canceled), errors.Is(e.Err, context.DeadlineExceeded):
		case errors.As(e.Err, &loss):
			fatal = &lostError{topic: e.Topic, partition: e.Partition, at: loss.ConsumedTo, end: loss.ResetTo, start: none}
			s.in.stopFor(fatal)
		case errors.Is(e.Err, kerr.OffsetOutOfRange):
			fatal = e.Err // Connect finds out and says which offset
		default:
			s.in.complain("Reading %s/%d: %v", e.Topic, e.Partition, explain(e.Err))
		}
	}
	return fatal
}

func (s *session) fail(err error) {
	s.once.Do(func() {
		s.cause = err
		close(s.failed)
	})
}

func (s *session) find(topic string, id int32) *partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parts[topic][id]
}

func (s *session) assigned(got map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic, ids := range got {
		if s.parts[topic] == nil {
			s.parts[topic] = map[int32]*partition{}
		}
		for _, id := range ids {
			s.parts[topic][id] = newPartition(s, topic, id)
		}
	}
}

// fetched begins partitions at what the group has committed for them.
func (s *session) fetched(res *kmsg.OffsetFetchResponse) error {
	for _, group := range res.Groups {
		for _, t := range group.Topics {
			for _, o := range t.Partitions {
				p := s.find(t.Topic, o.Partition)
				if p == nil || o.ErrorCode != 0 {
					continue
				}
				n, err := readNote(o.Metadata)
				if err != nil {
					s.in.stopFor(err)
					s.fail(err)
					return err
				}
				at := position{offset: o.Offset, note: n}
				if o.Offset < 0 {
					at = position{offset: none}
				}
				p.begin(at)
			}
		}
	}
	return nil
}

// revoked gives partitions back: each may finish the chunk it has under way, within patience.
func (s *session) revoked(gone map[string][]int32, patience time.Duration) {
	var wg sync.WaitGroup
	for _, p := range s.remove(gone) {
		wg.Go(func() { p.giveUp(patience) })
	}
	wg.Wait()
	s.cl.ResumeFetchPartitions(gone) // a pause would outlive the ownership
}

// lost drops partitions that are no longer ours: another member may own them already.
func (s *session) lost(gone map[string][]int32) {
	for _, p := range s.remove(gone) {
		p.kill()
		p.giveUp(0)
	}
	s.cl.ResumeFetchPartitions(gone)
}

func (s *session) remove(gone map[string][]int32) (out []*partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic, ids := range gone {
		for _, id := range ids {
			if p := s.parts[topic][id]; p != nil {
				delete(s.parts[topic], id)
				out = append(out, p)
			}
		}
	}
	return out
}

// close leaves the group. What was acknowledged is committed, what was not is left to the next owner.
func (s *session) close() {
	s.fail(errClosed)
	s.mu.Lock()
	all := map[string][]int32{}
	for topic, parts := range s.parts {
		for id := range parts {
			all[topic] = append(all[topic], id)
		}
	}
	s.mu.Unlock()
	s.revoked(all, 0)
	s.kill()
	<-s.polled
	<-s.commits.done
	ctx, cancel := context.WithTimeout(context.Background(), commitPatience)
	defer cancel()
	s.cl.AllowRebalance()
	_ = s.cl.LeaveGroupContext(ctx) // if it fails, the group notices by itself after session_timeout
	s.cl.CloseAllowingRebalance()
}

var errClosed = errors.New("the input is closed")
