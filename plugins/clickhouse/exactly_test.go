package clickhouse

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/stage"
)

func TestChunkBecomesRows(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(0, 99)...)))
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(100, 149)...)))
	assert.Equal(t, offsetTexts(0, 149), s.offsets(t))
	assert.Equal(t, []string{"0-99: 100 = 100 + 0 + 0 + 0", "100-149: 50 = 50 + 0 + 0 + 0"}, s.books(t))
	assert.Equal(t, []string{"evt_00000007|trial_started|2026-04-13 09:00:07.120|2026-04-13 10:00:00.004|t1.user0|||web_app|1.4.2|product|" +
		`{"plan":"pro","trial_length_days":7,"utm_campaign":"spring"}` + "|req_abc|2026-11-01|7|events.authorized.analytics|0|7|events.validated|3|1007|0"},
		s.texts(t, "SELECT concat(event_id, '|', event_name, '|', toString(timestamp), '|', toString(received_at), '|', user_id, '|', account_id, '|', anonymous_id, '|', source, '|', schema_version, '|', class, '|', properties, '|', correlation_id, '|', policy_version, '|', consent_version, '|', topic, '|', toString(partition), '|', toString(offset), '|', src_topic, '|', toString(src_partition), '|', toString(src_offset), '|', toString(replay_epoch)) FROM events WHERE offset = 7"))
}

func TestSameChunkTwiceIsOnce(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	for range 3 {
		require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(0, 99)...)))
	}
	assert.Equal(t, offsetTexts(0, 99), s.offsets(t))
	assert.Equal(t, []string{"0-99: 100 = 100 + 0 + 0 + 0"}, s.books(t))
}

// TestKilledBetweenInsertAndMark has the state a kill leaves: rows in, ledger without them.
func TestKilledBetweenInsertAndMark(t *testing.T) {
	s := newServer(t)
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(run(0, 99)...)))
	s.exec(t, "TRUNCATE TABLE ebbgate_chunks")
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(run(0, 99)...)))
	assert.Equal(t, offsetTexts(0, 99), s.offsets(t))
	assert.Equal(t, []string{"0-99: 100 = 100 + 0 + 0 + 0"}, s.books(t))
}

// TestDifferentRowsUnderUsedToken has half of a chunk in the table under the chunk's own token: the server drops
// whatever comes under that token again, and says it was inserted.
func TestDifferentRowsUnderUsedToken(t *testing.T) {
	s := newServer(t)
	half := chunkOf(run(0, 99)...)[:50]
	require.NoError(t, s.output(t).WriteBatch(t.Context(), half))
	s.exec(t, "TRUNCATE TABLE ebbgate_chunks")
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(run(0, 99)...)))
	assert.Equal(t, offsetTexts(0, 99), s.offsets(t))
}

// TestRowsDeletedUnderRememberedToken deletes the rows while the server still remembers their token: without a look
// at the table afterwards the chunk would count as delivered and be gone.
func TestRowsDeletedUnderRememberedToken(t *testing.T) {
	s := newServer(t)
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(run(0, 99)...)))
	s.exec(t, "ALTER TABLE events DELETE WHERE 1 SETTINGS mutations_sync = 2")
	s.exec(t, "TRUNCATE TABLE ebbgate_chunks")
	require.Zero(t, s.count(t, "events"))
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(run(0, 99)...)))
	assert.Equal(t, offsetTexts(0, 99), s.offsets(t))
}

func TestUnknownOutcomeIsReadBack(t *testing.T) {
	for name, broken := range map[string]struct {
		query string
		act   action
	}{
		"answer of the insert lost":  {insertRows, cut},
		"insert never arrived":       {insertRows, refuse},
		"insert arrived in part":     {insertRows, swallow},
		"answer of the mark lost":    {insertMark, cut},
		"mark never arrived":         {insertMark, refuse},
		"read-back fails":            {"SELECT offset, event_id", refuse},
		"mark cannot be read":        {"SELECT last, sources", cut},
		"running inserts not listed": {"system.processes", refuse},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			p := newProxy(t, s.dsn)
			o := s.output(t, withDSN(p.dsn))
			p.once(broken.query, broken.act)
			require.Error(t, o.WriteBatch(t.Context(), chunkOf(run(0, 99)...)))
			replay(t, o, func() []*sealedEvent { return run(0, 99) })
			require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(100, 199)...)))
			assert.Equal(t, offsetTexts(0, 199), s.offsets(t))
			assert.Len(t, s.books(t), 2)
		})
	}
}

// TestTrustedChunkStillReadsBackAfterDoubt breaks the second chunk, which started without any doubt.
func TestTrustedChunkStillReadsBackAfterDoubt(t *testing.T) {
	s := newServer(t)
	p := newProxy(t, s.dsn)
	o := s.output(t, withDSN(p.dsn))
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(0, 9)...)))
	p.once(insertRows, cut)
	require.Error(t, o.WriteBatch(t.Context(), chunkOf(run(10, 19)...)[:5]), "the chunk's first half, so that the token is used")
	replay(t, o, func() []*sealedEvent { return run(10, 19) })
	assert.Equal(t, offsetTexts(0, 19), s.offsets(t))
}

func TestNewOwnerContinues(t *testing.T) {
	s := newServer(t)
	first, second := s.output(t), s.output(t)
	require.NoError(t, first.WriteBatch(t.Context(), chunkOf(run(0, 9)...)))
	require.NoError(t, second.WriteBatch(t.Context(), chunkOf(run(0, 9)...)))
	require.NoError(t, second.WriteBatch(t.Context(), chunkOf(run(10, 19)...)))
	require.NoError(t, first.WriteBatch(t.Context(), chunkOf(run(10, 19)...)), "the partition came back")
	require.NoError(t, first.WriteBatch(t.Context(), chunkOf(run(20, 29)...)))
	assert.Equal(t, offsetTexts(0, 29), s.offsets(t))
}

// TestChunkCutAnew has chunks of another size after a restart with another chunk_offsets.
func TestChunkCutAnew(t *testing.T) {
	s := newServer(t)
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(run(0, 9)...)))
	o := s.output(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(5, 24)...)))
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(20, 39)...)))
	assert.Equal(t, offsetTexts(0, 39), s.offsets(t))
}

func TestChunkOverManyTablePartitions(t *testing.T) {
	s := newServer(t)
	p := newProxy(t, s.dsn)
	o := s.output(t, withDSN(p.dsn))
	events := func() []*sealedEvent {
		events := run(0, 199)
		for i, e := range events {
			e.rec.Class = []string{"product", "billing", "engineering"}[i/5%3]
			e.rec.Body = []byte(strings.Replace(string(e.rec.Body), "2026-04", fmt.Sprintf("202%d-%02d", i/12%4+3, i%12+1), 1))
		}
		return events
	}
	require.Greater(t, len(tableParts(events())), 30)
	p.once(insertRows, cut)
	require.Error(t, o.WriteBatch(t.Context(), chunkOf(events()...)[:120]))
	replay(t, o, events)
	assert.Equal(t, offsetTexts(0, 199), s.offsets(t))
}

func tableParts(events []*sealedEvent) map[string]bool {
	parts := map[string]bool{}
	for _, e := range events {
		at := strings.Index(string(e.rec.Body), `"timestamp":"`) + len(`"timestamp":"`)
		parts[e.rec.Class+string(e.rec.Body[at:at+7])] = true
	}
	return parts
}

func TestRepeatsOfEarlierHopsAreDropped(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(0, 9)...)))
	// The stage before produced 5..9 again, at new offsets, and went on.
	var again []*sealedEvent
	for offset := int64(10); offset <= 19; offset++ {
		e := newEvent(offset - 5)
		e.offset = offset
		again = append(again, e)
	}
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(again...)))
	assert.Equal(t, 15, s.count(t, "events"))
	assert.Equal(t, "15", s.texts(t, "SELECT toString(uniqExact(src_offset)) FROM events")[0])
	assert.Equal(t, "10-19: 10 = 5 + 0 + 5 + 0", s.books(t)[1])
	// A restarted sink knows the same from the ledger.
	var third []*sealedEvent
	for offset := int64(20); offset <= 29; offset++ {
		e := newEvent(offset - 15)
		e.offset = offset
		third = append(third, e)
	}
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(third...)))
	assert.Equal(t, 15, s.count(t, "events"))
}

func TestRepeatsWithinOneChunkAreDropped(t *testing.T) {
	s := newServer(t)
	events := run(0, 9)
	for i, e := range events {
		offset := e.offset
		*e = *newEvent(int64(i / 2))
		e.offset = offset
	}
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(events...)))
	assert.Equal(t, []string{"0", "2", "4", "6", "8"}, s.offsets(t))
}

// TestOvertakenRecordIsNotARepeat has a record that comes after one with a higher source offset: only the table may
// decide that it was there before.
func TestOvertakenRecordIsNotARepeat(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	ahead := newEvent(0).with(func(e *sealedEvent) { e.rec.SrcOffset = 5000 })
	behind := newEvent(1).with(func(e *sealedEvent) { e.rec.SrcOffset = 4000 })
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(ahead)))
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(behind)))
	mixed := []*sealedEvent{
		newEvent(2).with(func(e *sealedEvent) { e.rec.SrcOffset = 5001 }),
		newEvent(3).with(func(e *sealedEvent) { e.rec.SrcOffset = 4001 }),
		newEvent(4).with(func(e *sealedEvent) { e.rec.SrcOffset, e.rec.EventID = 5000, ahead.rec.EventID }),
		newEvent(5).with(func(e *sealedEvent) { e.rec.SrcOffset = 5000 }), // another event of the same source record
	}
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(mixed...)))
	assert.Equal(t, []string{"0", "1", "2", "3", "5"}, s.offsets(t))
}

func TestReplayInsertsOnlyUnknownEvents(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(0, 9)...)))
	s.exec(t, "ALTER TABLE events DELETE WHERE offset IN (3, 4) SETTINGS mutations_sync = 2")
	events := append(run(0, 9), newEvent(10), newEvent(11).with(func(e *sealedEvent) { e.rec.EventID = "evt_00000010" }))
	for range 2 {
		require.NoError(t, o.WriteBatch(t.Context(), chunkAt(1, events...)))
	}
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkAt(1, events...)))
	assert.Equal(t, offsetTexts(0, 10), s.offsets(t))
	assert.Equal(t, []string{"0-9: 10 = 10 + 0 + 0 + 0", "0-11: 12 = 3 + 0 + 9 + 0"}, s.books(t))
}

func TestTopicMadeAnewIsNotMistaken(t *testing.T) {
	s := newServer(t)
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(run(0, 9)...)))
	anew := run(0, 9)
	for _, e := range anew {
		e.rec.EventID = "evt_other" + strconv.FormatInt(e.offset, 10)
	}
	err := s.output(t).WriteBatch(t.Context(), chunkOf(anew...))
	require.ErrorIs(t, err, errOffsetReused)
	assert.False(t, permanentError(err))
}

func TestPartitionsHaveMarksOfTheirOwn(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	var group errgroup
	for partition := range int32(6) {
		group.Go(func() error {
			for first := int64(0); first < 50; first += 10 {
				events := run(first, first+9)
				for _, e := range events {
					e.partition = partition
					e.rec.SrcPartition = partition
				}
				if err := o.WriteBatch(t.Context(), chunkOf(events...)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	assert.Equal(t, 300, s.count(t, "events"))
	assert.Len(t, s.books(t), 30)
	// A partition that comes later must not take the marks of the others for its own, nor another destination's.
	late := run(0, 9)
	for _, e := range late {
		e.partition = 6
		e.rec.SrcPartition = 6
	}
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(late...)))
	assert.Equal(t, 310, s.count(t, "events"))
	s.exec(t, "INSERT INTO ebbgate_chunks (destination, topic, partition, last) SELECT 'other', '"+testTopic+"', 7, 1000")
	for _, e := range late {
		e.partition = 7
		e.rec.SrcPartition = 7
	}
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(late...)))
	assert.Equal(t, 320, s.count(t, "events"))
}

type errgroup struct {
	wg  sync.WaitGroup
	mu  sync.Mutex
	err error
}

func (g *errgroup) Go(work func() error) {
	g.wg.Go(func() {
		if err := work(); err != nil {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.err = errors.Join(g.err, err)
		}
	})
}

func (g *errgroup) Wait() error {
	g.wg.Wait()
	return g.err
}

func permanentError(err error) bool {
	_, ok := errors.AsType[*stage.PermanentError](err)
	return ok
}

// The server forgets rows that were deleted, but not their tokens: a replay of the same offsets must not be taken for a repeat.
func TestTokensTellEpochsApart(t *testing.T) {
	live := &chunk{partitionKey: partitionKey{topic: "t", partition: 1}, first: 0, last: 9}
	replay := &chunk{partitionKey: partitionKey{topic: "t", partition: 1, epoch: 1}, first: 0, last: 9}
	require.NotEqual(t, live.token("analytics"), replay.token("analytics"))
	require.NotEqual(t, live.token("analytics"), live.token("warehouse"))
}
