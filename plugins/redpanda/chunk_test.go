package redpanda

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func records(offsets ...int64) []*kgo.Record {
	out := make([]*kgo.Record, len(offsets))
	for i, o := range offsets {
		out[i] = &kgo.Record{Offset: o, Value: []byte("12345678")}
	}
	return out
}

func spanOf(c *chunk) string { return fmt.Sprintf("%d-%d", c.first, c.last) }

func TestCutterEndsFullChunksByArithmetic(t *testing.T) {
	big := limits{Offsets: 10, Bytes: 1 << 20}
	intent := func(last int64) position { return position{offset: 4, note: note{Limits: big, Last: &last}} }
	cases := []struct {
		name string
		conf limits
		at   position
		recs []int64
		want []string
	}{
		{"up to the boundary", big, position{offset: 0}, []int64{0, 1, 9, 10}, []string{"0-9"}},
		{"the last offset of a chunk completes it", big, position{offset: 7}, []int64{7, 8, 9}, []string{"7-9"}},
		{"gaps move nothing", big, position{offset: 0}, []int64{2, 3, 15, 27}, []string{"0-9", "10-19"}},
		{"stretches without records are passed over", big, position{offset: 0}, []int64{57, 61}, []string{"50-59"}},
		{"nothing committed: the first record begins", big, position{offset: none}, []int64{13, 20}, []string{"13-19"}},
		{"size", limits{Offsets: 1000, Bytes: 3 * (recordCost + 8)}, position{offset: 0}, []int64{0, 1, 2, 3, 4, 5, 6}, []string{"0-2", "3-5"}},
		{"an intent decides", big, intent(6), []int64{4, 5, 6, 7, 8, 9}, []string{"4-6", "7-9"}},
		{"an intent over a gap", big, intent(6), []int64{4, 9}, []string{"4-6", "7-9"}},
		{"limits of the commit hold for the first chunk", limits{Offsets: 100, Bytes: 1 << 20}, position{offset: 0, note: note{Limits: limits{Offsets: 5, Bytes: 1 << 20}}}, []int64{0, 5, 100}, []string{"0-4", "5-99"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cut := newCutter(c.conf, time.Second, c.at)
			cut.add(records(c.recs...), 1<<40, epoch)
			var got []string
			for chunk, _ := cut.cut(epoch); chunk != nil; chunk, _ = cut.cut(epoch) {
				assert.False(t, chunk.timed)
				got = append(got, spanOf(chunk))
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestCutterWaitsForTheBrokerBeforeItCutsEarly(t *testing.T) {
	cut := newCutter(limits{Offsets: 100, Bytes: 1 << 20}, time.Second, position{offset: 0})
	cut.add(records(0), 3, epoch)
	c, _ := cut.cut(epoch.Add(time.Hour))
	require.Nil(t, c, "the owner before may have handed the first chunk out with what the broker has more")
	cut.add(records(1, 2), 3, epoch)
	c, wait := cut.cut(epoch)
	require.Nil(t, c)
	assert.Equal(t, time.Second, wait)
	c, _ = cut.cut(epoch.Add(time.Second))
	require.NotNil(t, c)
	assert.True(t, c.timed)
	assert.Equal(t, "0-2", spanOf(c))

	cut.add(records(3, 4), 50, epoch.Add(time.Second)) // the broker has more
	c, wait = cut.cut(epoch.Add(1900 * time.Millisecond))
	require.Nil(t, c)
	assert.Positive(t, wait)
	cut.add(records(5), 50, epoch.Add(2*time.Second))
	c, _ = cut.cut(epoch.Add(2500 * time.Millisecond))
	assert.Nil(t, c, "records keep coming: the period alone does not end the chunk")
	c, _ = cut.cut(epoch.Add(3100 * time.Millisecond))
	require.NotNil(t, c, "they stopped coming")
	assert.Equal(t, "3-5", spanOf(c))
}

// Whatever way records arrive, whenever the reader dies and from whichever commit it resumes, a chunk that was handed
// out comes back as it was, and chunks cover the log without overlap.
func TestChunksComeBackTheSameWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logOf(t)
		handed := map[int64]string{} // by first offset
		written := 0                 // how much of the log the broker has; it only grows
		at := position{offset: none}
		for life := 0; life < 6; life++ {
			conf := limits{
				Offsets: rapid.Int64Range(1, 20).Draw(t, "offsets"),
				Bytes:   rapid.Int64Range(recordCost, 10*recordCost).Draw(t, "bytes"),
			}
			at = live(t, log, &written, conf, at, handed)
		}
	})
}

func logOf(t *rapid.T) []*kgo.Record {
	var log []*kgo.Record
	offset := rapid.Int64Range(0, 30).Draw(t, "start")
	for range rapid.IntRange(1, 60).Draw(t, "records") {
		log = append(log, &kgo.Record{Offset: offset, Value: make([]byte, rapid.IntRange(0, 200).Draw(t, "size"))})
		offset += rapid.Int64Range(1, 4).Draw(t, "gap")
	}
	return log
}

// live is one reader from a committed position until it dies at a random point; it returns what is committed then.
func live(t *rapid.T, log []*kgo.Record, written *int, conf limits, at position, handed map[int64]string) position {
	cut := newCutter(conf, time.Second, at)
	from, _ := slices.BinarySearchFunc(log, max(at.offset, 0), func(r *kgo.Record, o int64) int { return int(r.Offset - o) })
	now := epoch
	committed := at
	for i := from; i < len(log); {
		*written = max(*written, min(len(log), i+rapid.IntRange(1, 12).Draw(t, "written")))
		end := min(*written, i+rapid.IntRange(1, 8).Draw(t, "fetched"))
		cut.add(log[i:end], log[*written-1].Offset+1, now)
		i = end
		now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
		for c, _ := cut.cut(now); c != nil; c, _ = cut.cut(now) {
			if committed.offset == none || c.timed {
				n := note{Limits: conf}
				if c.timed {
					n.Last = &c.last
				}
				committed = position{offset: c.first, note: roundTrip(t, n)}
			}
			if len(c.recs) > 0 {
				was, again := handed[c.first]
				if now := spanOf(c) + fmt.Sprint(len(c.recs)); again && was != now {
					t.Fatalf("the chunk %s came back as %s", was, now)
				} else {
					handed[c.first] = now
				}
			}
			switch rapid.SampledFrom([]string{"ack", "ack", "ack", "die"}).Draw(t, "then") {
			case "die":
				return committed
			case "ack":
				committed = position{offset: c.last + 1, note: roundTrip(t, note{Limits: conf})}
			}
		}
	}
	return committed
}

func roundTrip(t *rapid.T, n note) note {
	text := n.encode()
	back, err := readNote(&text)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestNotesOfOthersSayNothingAndNewerOnesStop(t *testing.T) {
	for _, text := range []string{"", "kgo-member-1", "{}", `{"x":1}`, "{broken"} {
		n, err := readNote(&text)
		require.NoError(t, err)
		assert.Nil(t, n.Last)
	}
	newer := `{"v":2,"last":7}`
	_, err := readNote(&newer)
	require.Error(t, err)
}

// Whatever part of the largest chunk is in quarantine, its successor is told, so that it tries none of it again.
func TestANoteTellsEveryRecordInQuarantine(t *testing.T) {
	const first = math.MaxInt64 - 2*maxChunkOffsets
	rapid.Check(t, func(t *rapid.T) {
		last := int64(first + maxChunkOffsets - 1)
		n := note{Limits: limits{maxChunkOffsets, math.MaxInt64}, Last: &last}
		one := rapid.IntRange(1, 4).Draw(t, "one in")
		chance := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for i := rapid.IntRange(0, maxChunkOffsets-1).Draw(t, "begin"); i < maxChunkOffsets; i++ {
			if chance.IntN(one) == 0 {
				n.Settled = append(n.Settled, first+int64(i))
			}
		}
		require.Equal(t, n.Settled, roundTrip(t, n).Settled)
		require.Less(t, len(n.encode()), 4096, "metadata must fit the broker")
	})
	whole := note{}
	for i := range int64(maxChunkOffsets) {
		whole.Settled = append(whole.Settled, i)
	}
	text := whole.encode()
	back, err := readNote(&text)
	require.NoError(t, err)
	require.Equal(t, whole.Settled, back.Settled)
}
