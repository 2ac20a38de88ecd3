package redpanda

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// input reads topics as a member of a consumer group, in chunks.
type input struct {
	client      *kafka.Client
	topics      []string
	group       string
	instanceID  string
	startOffset string
	balancer    string
	replayEpoch uint32

	sessionTimeout, rebalanceTimeout, heartbeat time.Duration
	fetchMaxBytes, fetchMaxPartitionBytes       int32
	fetchMaxWait                                time.Duration

	limits              limits
	packed              bool
	period              time.Duration
	patience            time.Duration // for a chunk under way when its partition is given back
	nackFirst, nackMost time.Duration

	quarantineTopic string
	maxAttempts     int
	stage           string
	cipher          *quarantine.Cipher

	log     *service.Logger
	metrics *inputMetrics
	tracer  *hop.Tracer
	doors   map[string]bool // by topic: written by senders; only where the process traces

	mu         sync.Mutex
	session    *session
	stopped    error // set once: reading on would skip or repeat what cannot be made good
	complained map[string]time.Time
}

// Connect checks that the broker has what the group wants to read, and joins the group.
func (in *input) Connect(ctx context.Context) error {
	in.mu.Lock()
	old, stopped := in.session, in.stopped
	in.session = nil
	in.mu.Unlock()
	if old != nil {
		old.close()
	}
	if stopped != nil {
		return stopped
	}
	if err := in.preflight(ctx); err != nil {
		return err
	}
	s, err := newSession(in)
	if err != nil {
		return fmt.Errorf("joining group %s: %w", in.group, err)
	}
	in.mu.Lock()
	in.session = s
	in.mu.Unlock()
	return nil
}

// ReadBatch returns the next chunk of any partition, as one batch. Its acknowledgement never fails: what it leads to
// happens after it.
func (in *input) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	in.mu.Lock()
	s := in.session
	in.mu.Unlock()
	if s == nil {
		return nil, nil, service.ErrNotConnected
	}
	select {
	case d := <-s.out:
		var once sync.Once
		// Messages are made here and not earlier: they weigh more than the records, and most partitions wait.
		spans := in.beginSpans(d.of, d.chunk)
		batch, written := in.messages(d.of, d.chunk, spans), func() bool { return true }
		if in.packed {
			batch, written = stage.NewPack(batch)
		}
		return batch, func(_ context.Context, err error) error {
			once.Do(func() {
				if err == nil && !written() {
					err = stage.ErrPack
					in.complain("A chunk was dropped on its way and comes again: %v", err)
				}
				endSpans(spans, err)
				d.answer <- err
			})
			return nil
		}, nil
	case <-s.failed:
		if !errors.Is(s.cause, errClosed) {
			in.log.Errorf("Reading stopped: %v", s.cause)
		}
		return nil, nil, service.ErrNotConnected
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// Close commits what was acknowledged and leaves the group. It takes no longer than commitPatience twice.
func (in *input) Close(context.Context) error {
	in.mu.Lock()
	s := in.session
	in.session = nil
	in.mu.Unlock()
	if s != nil {
		s.close()
	}
	return nil
}

// ConnectionTest tells whether the brokers answer and the topics and offsets can be read.
func (in *input) ConnectionTest(ctx context.Context) service.ConnectionTestResults {
	if err := in.preflight(ctx); err != nil {
		return service.ConnectionTestFailed(err).AsList()
	}
	return service.ConnectionTestSucceeded().AsList()
}

// stopFor stops the input for good: only a restart, after somebody has looked, reads on.
func (in *input) stopFor(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.stopped == nil {
		in.stopped = err
	}
}

const complainEvery = 30 * time.Second

// complain warns, the same thing at most twice a minute. No argument may be a value of an event.
func (in *input) complain(format string, args ...any) {
	in.mu.Lock()
	last := in.complained[format]
	due := time.Since(last) > complainEvery
	if due {
		in.complained[format] = time.Now()
	}
	in.mu.Unlock()
	if due {
		in.log.Warnf(format, args...)
	}
}
