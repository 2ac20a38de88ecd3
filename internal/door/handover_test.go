package door

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"
)

var errBroker = errors.New("no broker")

func batchOf(texts ...string) service.MessageBatch {
	var batch service.MessageBatch
	for _, text := range texts {
		batch = append(batch, service.NewMessage([]byte(text)))
	}
	return batch
}

func textsOf(t *testing.T, batch service.MessageBatch) (texts []string) {
	t.Helper()
	for _, msg := range batch {
		body, err := msg.AsBytes()
		require.NoError(t, err)
		texts = append(texts, string(body))
	}
	return texts
}

// deliver hands over in the background and returns once the delivery waits in the queue, at place n.
func deliver(t *testing.T, h *Handover, n int, texts ...string) chan error {
	t.Helper()
	answer := make(chan error, 1)
	go func() { answer <- h.Deliver(context.Background(), batchOf(texts...)) }()
	require.Eventually(t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.waiting) == n
	}, 5*time.Second, time.Millisecond)
	return answer
}

func next(t *testing.T, h *Handover) ([]string, service.AckFunc) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	batch, ack, err := h.Next(ctx)
	require.NoError(t, err)
	return textsOf(t, batch), ack
}

func TestWaitingRequestsShareABatch(t *testing.T) {
	h := NewHandover(3)
	a, b, c := deliver(t, h, 1, "a1", "a2"), deliver(t, h, 2, "b"), deliver(t, h, 3, "c")
	texts, ack := next(t, h)
	require.Equal(t, []string{"a1", "a2", "b"}, texts, "no more than three, in order")
	require.NoError(t, ack(context.Background(), nil))
	require.NoError(t, <-a)
	require.NoError(t, <-b)
	require.Empty(t, c, "nobody is answered before the engine is")
	texts, ack = next(t, h)
	require.Equal(t, []string{"c"}, texts)
	require.NoError(t, ack(context.Background(), errBroker))
	require.ErrorIs(t, <-c, errBroker)
}

func TestOneRequestMayBringMoreThanABatch(t *testing.T) {
	h := NewHandover(1)
	answer := deliver(t, h, 1, "a", "b", "c")
	texts, ack := next(t, h)
	require.Equal(t, []string{"a", "b", "c"}, texts)
	require.NoError(t, ack(context.Background(), nil))
	require.NoError(t, <-answer)
}

func TestARequestThatFailsCostsItsNeighboursNothing(t *testing.T) {
	h := NewHandover(10)
	good, bad := deliver(t, h, 1, "good"), deliver(t, h, 2, "bad")
	_, ack := next(t, h)
	require.NoError(t, ack(context.Background(), errBroker))
	require.Empty(t, good)
	require.Empty(t, bad)
	for range 2 {
		texts, ack := next(t, h)
		require.Len(t, texts, 1, "each tries again by itself")
		var result error
		if texts[0] == "bad" {
			result = errBroker
		}
		require.NoError(t, ack(context.Background(), result))
	}
	require.NoError(t, <-good)
	require.ErrorIs(t, <-bad, errBroker)
}

func TestARequestThatGaveUpIsNotHandedOver(t *testing.T) {
	h := NewHandover(10)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, h.Deliver(ctx, batchOf("late")), context.Canceled)
	answer := deliver(t, h, 1, "kept")
	texts, ack := next(t, h)
	require.Equal(t, []string{"kept"}, texts)
	require.NoError(t, ack(context.Background(), nil))
	require.NoError(t, <-answer)
}

func TestClosingAnswersWhoWaits(t *testing.T) {
	h := NewHandover(10)
	taken := deliver(t, h, 1, "taken")
	_, ack := next(t, h)
	waiting := deliver(t, h, 1, "waiting")
	h.Close()
	require.ErrorIs(t, <-waiting, ErrClosed)
	require.ErrorIs(t, h.Deliver(context.Background(), batchOf("late")), ErrClosed)
	_, _, err := h.Next(context.Background())
	require.ErrorIs(t, err, service.ErrEndOfInput)
	require.NoError(t, ack(context.Background(), nil))
	require.NoError(t, <-taken, "what the engine has is waited for")
}
