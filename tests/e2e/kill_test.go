package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/generate"
)

// The process that runs every stream is killed again and again while events come. Each event is in the table once, or where
// its label says.
func TestKillsOfThePipelinesLoseAndRepeatNothing(t *testing.T) {
	const kills, events = 8, 20_000
	h := newHouse(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	_, all := generated(generate.Options{Seed: seed, Count: events, BadShare: 0.02, MissingConsentShare: 0.03})

	running := h.pipelines()
	for part := range kills {
		h.produce(inboundRecords(all[part*events/kills : (part+1)*events/kills])...)
		// Anything from the first event of the part to what is left of three hops of it.
		h.moved(h.passed() + 1 + random.IntN(3*events/kills))
		running.kill()
		running = h.pipelines()
	}
	h.drained()

	row := h.balance()
	require.Equal(t, events, row.Accepted)
	require.Equal(t, deliverable(all), h.rows())
	require.True(t, running.runs())
}

// The broker dies with events at every stage, and comes back. So does ClickHouse.
func TestKillsOfBrokerAndClickHouseLoseAndRepeatNothing(t *testing.T) {
	const events = 6_000
	h := newHouseWithServer(t)
	_, all := generated(generate.Options{Seed: 6, Count: events, BadShare: 0.02, MissingConsentShare: 0.03})
	h.produce(inboundRecords(all)...)
	running := h.pipelines()

	h.moved(events / 2)
	h.broker.Kill()
	h.broker.Start(t)
	h.moved(events * 3 / 2)
	h.server.Kill()
	h.moved(events * 2) // up to the sink it all goes on
	h.broker.Kill()
	h.server.Start(t)
	h.broker.Start(t)
	h.drained()

	h.balance()
	require.Equal(t, deliverable(all), h.rows())
	require.True(t, running.runs())
}

// passed is how many records the hops have brought forth so far.
func (h *house) passed() (n int) {
	for _, topic := range []string{raw, validated, analytics} {
		more, err := h.end(topic)
		if err != nil {
			return 0 // ask again: it is only ever more
		}
		n += int(more)
	}
	return n
}

// moved waits until the hops have brought forth n records, or have nothing left to do.
func (h *house) moved(n int) {
	h.t.Helper()
	hops := h.hops() // the sink may be down
	h.until(func() bool {
		if h.passed() >= n {
			return true
		}
		for _, s := range hops {
			if left, err := h.lag(s); err != nil || left > 0 {
				return false
			}
		}
		return true
	}, func() string { return "the pipelines do not move" })
}

// Brokers and ClickHouse are both away when the pipelines start. The streams wait, say for what, and go on by themselves.
func TestStreamsWaitForBrokerAndClickHouse(t *testing.T) {
	h := newHouseWithServer(t)
	h.publish(inbound, view("evt_1", "u_1"), view("evt_2", "u_2"))
	h.broker.Kill()
	h.server.Kill()

	running := h.pipelines()
	running.says("stream=analytics", "level=error", "refused", h.server.Address())
	for _, stream := range []string{"ingest-events", "validate", "govern", "analytics"} {
		running.says("stream="+stream, "level=error", "refused", h.broker.Address())
	}
	h.broker.Start(t)
	h.drained(h.hops()...)
	end, err := h.end(analytics)
	require.NoError(t, err)
	require.EqualValues(t, 2, end)
	require.Empty(t, h.records(dlq), "an absence is nobody's fault")

	h.server.Start(t)
	h.drained()
	h.balance()
	require.Equal(t, map[string]int{"evt_1": 1, "evt_2": 1}, h.rows())
	require.True(t, running.runs())
}

// A rollout waits for what is in flight and for nothing else, though some outputs may never have had anything to write.
func TestPipelinesStopWhenTheyAreAsked(t *testing.T) {
	h := newHouse(t)
	h.publish(inbound, view("evt_1", "u_1"))
	running := h.pipelines()
	h.drained()
	begin := time.Now()
	running.stop()
	require.Less(t, time.Since(begin), 15*time.Second, "shutdown_timeout is 30 s: something never ends\n%s", tail(running.log()))
}
