package clickhouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/state"
)

// replay offers the chunk until it is accepted, as the input does.
func replay(t testing.TB, o *output, chunk func() []*sealedEvent) (attempts int) {
	t.Helper()
	for attempts = 1; attempts < 200; attempts++ {
		if o.WriteBatch(t.Context(), chunkOf(chunk()...)) == nil {
			return attempts
		}
	}
	require.FailNow(t, "the chunk was never accepted")
	return attempts
}

func TestServerAbsentAtStart(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	s := newServer(t)
	o := s.unconnected(t, withDSN("http://"+address+"/x"))
	err = o.Connect(t.Context())
	require.ErrorContains(t, err, "pinging ClickHouse")
	assert.NotContains(t, err.Error(), "table", "a server that is away is no fault of the schema")
}

// TestServerKilledMidway kills the server without warning just before, during and just after it inserts rows or the
// mark, and starts it again.
func TestServerKilledMidway(t *testing.T) {
	process := plugtest.ClickHouseProcess(t)
	s := serverAt(t, process.DSN("default"))
	p := newProxy(t, process.DSN("default"))
	o := s.output(t, withDSN(p.dsn), func(c *config) { c.timeout = 5 * time.Second })
	first := int64(0)
	for _, query := range []string{insertRows, insertMark} {
		for _, moment := range []action{refuse, pass, cut} {
			chunk := func() []*sealedEvent { return run(first, first+499) }
			var killing sync.WaitGroup
			kill := sync.OnceFunc(func() { killing.Go(process.Kill) })
			p.on(func(text string) action {
				if !strings.Contains(text, query) {
					return pass
				}
				if moment != cut {
					kill()
				}
				if moment == refuse {
					killing.Wait()
				}
				return moment
			})
			p.afterwards(func() {
				kill()
				killing.Wait()
			})
			err := o.WriteBatch(t.Context(), chunkOf(chunk()...))
			killing.Wait()
			t.Logf("%s, %d: %v", query, moment, err)
			p.on(func(string) action { return pass })
			process.Start(t)
			replay(t, o, chunk)
			first += 500
		}
	}
	assert.Equal(t, offsetTexts(0, first-1), s.offsets(t))
}

// TestEveryRowOnceThroughRandomFaults breaks connections at random places, restarts the sink at random times, repeats
// records at new offsets and lets others be overtaken. Every event must be there exactly once.
func TestEveryRowOnceThroughRandomFaults(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			faults(t, rand.New(rand.NewPCG(seed, 26)))
		})
	}
}

func faults(t *testing.T, random *rand.Rand) {
	s := newServer(t)
	p := newProxy(t, s.dsn)
	var mu sync.Mutex
	roll := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n)
	}
	stream := shuffledStream(random, 500)
	o := s.output(t, withDSN(p.dsn))
	restarts, failures := 0, 0
	for first := 0; first < len(stream); {
		last := min(first+20+roll(60), len(stream))
		p.on(func(query string) action {
			if strings.Contains(query, "DESCRIBE") || roll(4) > 0 {
				return pass
			}
			return action(1 + roll(3))
		})
		for attempt := range 100 {
			if attempt > 50 {
				p.on(func(string) action { return pass })
			}
			if roll(5) == 0 {
				restarts++
				o = s.unconnected(t, withDSN(p.dsn))
			}
			if o.WriteBatch(t.Context(), chunkOf(stream[first:last]...)) == nil {
				break
			}
			failures++
			require.Less(t, attempt, 99, "the chunk was never accepted")
		}
		first = last
	}
	t.Logf("%d failures, %d restarts", failures, restarts)
	require.Positive(t, failures)
	unique := map[string]bool{}
	for _, e := range stream {
		unique[e.rec.EventID] = true
	}
	assert.Equal(t, len(unique), s.count(t, "events"))
	assert.Equal(t, fmt.Sprint(len(unique)), s.texts(t, "SELECT toString(uniqExact(event_id)) FROM events")[0])
	sums := s.texts(t, "SELECT concat(toString(sum(delivered)), ' ', toString(sum(rows))) FROM ebbgate_chunks FINAL")
	assert.Equal(t, []string{fmt.Sprintf("%d %d", len(unique), len(stream))}, sums, "the books agree with the table")
}

// shuffledStream is a topic as a stage before leaves it after restarts: three source partitions, runs of records that
// come a second time at new offsets, and neighbours that changed places.
func shuffledStream(random *rand.Rand, length int) []*sealedEvent {
	var stream []*sealedEvent
	next := [3]int64{}
	for len(stream) < length {
		if len(stream) > 50 && random.IntN(40) == 0 {
			back := stream[len(stream)-1-random.IntN(40):]
			for _, e := range back {
				again := *e
				stream = append(stream, &again)
			}
			continue
		}
		source := random.IntN(3)
		e := newEvent(int64(source)*1_000_000 + next[source])
		e.rec.SrcPartition, e.rec.SrcOffset = int32(source), next[source]
		next[source]++
		stream = append(stream, e)
		if len(stream) > 2 && random.IntN(30) == 0 {
			stream[len(stream)-1], stream[len(stream)-2] = stream[len(stream)-2], stream[len(stream)-1]
		}
	}
	for i, e := range stream {
		e.offset = int64(i)
	}
	return stream
}

// TestConfirmedButNotThere has a server that confirms inserts and keeps nothing, as one does that remembers a token:
// where there was doubt, such a chunk must never count as done.
func TestConfirmedButNotThere(t *testing.T) {
	s := newServer(t)
	p := newProxy(t, s.dsn)
	o := s.output(t, withDSN(p.dsn))
	p.on(func(query string) action {
		if strings.Contains(query, insertRows) {
			return lie
		}
		return pass
	})
	require.ErrorIs(t, o.WriteBatch(t.Context(), chunkOf(run(0, 9)...)), errVanished)
	assert.Empty(t, s.books(t))
	p.on(func(string) action { return pass })
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(0, 9)...)))
	assert.Equal(t, offsetTexts(0, 9), s.offsets(t))
}

// TestInsertStillUnderWay has an insert that outlives its sender's patience: until the server is done with it, reading
// back would find too little.
func TestInsertStillUnderWay(t *testing.T) {
	s := newServer(t)
	s.exec(t, "ALTER TABLE events ADD COLUMN slow UInt8 DEFAULT sleepEachRow(0.02)")
	impatient := s.output(t, func(c *config) { c.timeout = 200 * time.Millisecond })
	require.Error(t, impatient.WriteBatch(t.Context(), chunkOf(run(0, 49)...)))
	o, waited := s.output(t), 0
	for {
		err := o.WriteBatch(t.Context(), chunkOf(run(0, 49)...))
		if err == nil {
			break
		}
		require.ErrorContains(t, err, "still under way")
		waited++
	}
	assert.Positive(t, waited)
	assert.Equal(t, offsetTexts(0, 49), s.offsets(t))
}

// TestConsentUnavailableWaits has a broker that is away, so that nobody can say what subjects want now.
func TestConsentUnavailableWaits(t *testing.T) {
	s := newServer(t)
	ring := withKeys(t)
	conf, err := outputSpec().ParseYAML("destination: analytics\nworkspace: ../../pipelines\nstate: {seed_brokers: ['127.0.0.1:1']}\ndsn: "+s.dsn, nil)
	require.NoError(t, err)
	o, err := fromParsed(conf, service.MockResources())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Close(context.Background())) })
	require.NoError(t, o.Connect(t.Context()))
	e := newEvent(0)
	e.seal = seal.NewSealer(ring, testDestination).Seal(&e.rec)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err = o.WriteBatch(ctx, chunkOf(e))
	require.ErrorIs(t, err, state.ErrUnavailable)
	assert.False(t, permanentError(err))
	assert.Zero(t, s.count(t, "events"))
	assert.Empty(t, s.books(t), "neither delivered nor denied")
}
