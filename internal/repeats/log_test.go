package repeats_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/repeats"
)

// naive is the definition: the nearest record before with the same id, within the window.
func naive(all []repeats.Sighting, i int, size int64) repeats.Verdict {
	for j := i - 1; j >= 0; j-- {
		switch {
		case all[j].Offset < all[i].Offset-size:
			return repeats.New
		case all[j].ID == all[i].ID && all[j].Content == all[i].Content:
			return repeats.Duplicate
		case all[j].ID == all[i].ID:
			return repeats.Conflict
		}
	}
	return repeats.New
}

// Whatever the chunks, however often one comes again, and wherever the process starts anew, the verdicts are those of the definition.
func TestVerdictsAreAFunctionOfTheLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 12).Draw(t, "size")
		var all []repeats.Sighting
		offset := rapid.Int64Range(0, 5).Draw(t, "start")
		for range rapid.IntRange(1, 60).Draw(t, "records") {
			all = append(all, repeats.Sighting{
				Offset: offset, ID: rapid.Uint64Range(0, 6).Draw(t, "id"), Content: rapid.Uint64Range(0, 1).Draw(t, "content"),
			})
			offset += rapid.Int64Range(1, 3).Draw(t, "gap")
		}
		log := repeats.NewLog(size)
		for at := 0; at < len(all); {
			end := min(len(all), at+rapid.IntRange(1, 8).Draw(t, "chunk"))
			first, last := all[at].Offset, all[end-1].Offset
			if end < len(all) {
				last = all[end].Offset - 1 // chunks meet, records may not
			}
			if rapid.IntRange(0, 5).Draw(t, "restart") == 0 {
				log = repeats.NewLog(size)
			}
			for range rapid.IntRange(1, 3).Draw(t, "times") {
				if !log.Begin(first, last) {
					for _, s := range all[:at] {
						if s.Offset >= log.From(first) {
							log.Learn(s)
						}
					}
					log.Learned(first)
					require.True(t, log.Begin(first, last))
				}
				for i := at; i < end; i++ {
					require.Equal(t, naive(all, i, size), log.Judge(all[i]), "record %d of %v, window %d", i, all, size)
				}
			}
			at = end
		}
	})
}

func TestAnotherOwnersChunksHaveToBeRead(t *testing.T) {
	log := repeats.NewLog(10)
	log.Learned(0)
	require.True(t, log.Begin(0, 4))
	require.Equal(t, repeats.New, log.Judge(repeats.Sighting{Offset: 0, ID: 1}))
	require.False(t, log.Begin(10, 14), "somebody else took 5 to 9")
	require.Zero(t, log.Len())
}

func BenchmarkJudge(b *testing.B) {
	const chunk = 1000
	h, log := repeats.NewHasher(), repeats.NewLog(100_000)
	log.Learned(0)
	body := make([]byte, 32)
	ids := make([]string, 250_000)
	for i := range ids {
		ids[i] = fmt.Sprintf("evt_%08d", i)
	}
	b.ReportAllocs()
	offset := int64(0)
	for b.Loop() {
		if offset%chunk == 0 {
			log.Begin(offset, offset+chunk-1)
		}
		log.Judge(h.Sight(offset, ids[offset%int64(len(ids))], body))
		offset++
	}
}
