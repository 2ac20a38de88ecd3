package e2e

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/generate"
)

// Clients send every event two or three times, and all streams run in two processes that are killed in turn. Each event is one row,
// not only in the views: nobody downstream has seen it twice.
func TestWhatClientsSendAgainIsOneRow(t *testing.T) {
	const kills, events = 4, 3_000
	h := newHouse(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	_, all := generated(generate.Options{Seed: seed, Count: events, BadShare: 0.02, MissingConsentShare: 0.03})
	running := []*process{h.pipelines(), h.pipelines()}
	for part := range kills {
		sent := all[part*events/kills : (part+1)*events/kills]
		again := slices.Concat(sent, sent[:len(sent)/2], sent)
		h.produce(inboundRecords(again)...)
		h.moved(h.passed() + 1 + random.IntN(events/kills))
		running[part%2].kill()
		running[part%2] = h.pipelines()
	}
	h.drained()
	h.balance()
	require.Equal(t, deliverable(all), h.rows(), "counted in the table itself")
}
