package redpanda

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
)

func TestARestartCutsTheSameChunk(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, numbered("v", 7)...)
	in := b.newTestInput("chunk_period: 20ms")
	b.connect(in)
	first := b.next(in)
	require.Equal(t, "0:0-6", first.span())
	require.NoError(t, in.Close(context.Background())) // without an acknowledgement, as after a crash

	b.produce("events.raw", 0, numbered("w", 7)...)
	again := b.newTestInput("chunk_period: 1h\nchunk_offsets: 3") // not even another configuration changes it
	b.connect(again)
	second := b.next(again)
	assert.Equal(t, first.span(), second.span())
	assert.Equal(t, first.values(t), second.values(t))
	second.done(t, nil)
	assert.Equal(t, "0:7-8", b.next(again).span(), "the new configuration holds from the next chunk on")
}

func TestALateAcknowledgementIsNotCommitted(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, "v")
	in := b.newTestInput("chunk_period: 20ms")
	b.connect(in)
	g := b.next(in)
	require.NoError(t, in.Close(context.Background()))
	g.done(t, nil)
	at, _ := b.committed("g", "events.raw", 0)
	assert.EqualValues(t, 0, at)
}

func TestANackReplaysTheSameChunkFromTheOriginals(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, numbered("v", 5)...)
	in := b.newTestInput("chunk_period: 20ms")
	b.connect(in)
	for try := range 20 {
		g := b.next(in)
		require.Equal(t, numbered("v", 5), g.values(t), "try %d", try)
		require.Equal(t, "0:0-4", g.span())
		g.batch[0].SetBytes([]byte("changed by a processor"))
		g.batch[1].MetaSet("kafka_offset", "99")
		g.done(t, errors.New("the sink is away"))
	}
	b.next(in).done(t, nil)
	b.waitCommitted("g", "events.raw", 0, 5)
	assert.Zero(t, b.end("events.dlq"), "transient errors never quarantine")
}

func refs(offsets ...int64) []quarantine.Ref {
	var out []quarantine.Ref
	for _, o := range offsets {
		out = append(out, quarantine.Ref{Topic: "events.raw", Offset: o})
	}
	return out
}

func TestPermanentFailuresGoToQuarantineAndTheRestOfTheChunkStands(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, numbered("v", 4)...)
	in := b.newTestInput("chunk_period: 20ms\nquarantine: { max_attempts: 3 }")
	b.connect(in)
	bad := &stage.PermanentError{Code: "sink.rejected", Refs: refs(1, 3), Err: errors.New("rejected")}
	for range 3 {
		g := b.next(in)
		require.Equal(t, numbered("v", 4), g.values(t))
		require.Zero(t, b.end("events.dlq"), "not before the last attempt")
		g.done(t, fmt.Errorf("wrapped by the engine: %w", bad))
	}
	g := b.next(in)
	assert.Equal(t, "0:0-3", g.span(), "the chunk keeps its identity")
	assert.Equal(t, []string{"v0", "", "v2", ""}, g.values(t))
	for i, settled := range []bool{false, true, false, true} {
		assert.Equal(t, settled, stage.Settled(g.batch[i]))
		ref, ok := stage.Source(g.batch[i])
		assert.True(t, ok)
		assert.EqualValues(t, i, ref.Offset)
	}
	recs := b.read("events.dlq", 2)
	for i, rec := range recs {
		q, err := quarantine.ParseRecord(rec.Value)
		require.NoError(t, err)
		assert.Equal(t, "sink.rejected", q.Code)
		assert.Equal(t, 3, q.Attempts)
		assert.Equal(t, refs(1, 3)[i], q.Ref)
		assert.NotContains(t, string(rec.Value), "v1")
		clear, err := in.cipher.Decrypt(q.Payload, q.Ref)
		require.NoError(t, err)
		assert.Equal(t, []string{"v1", "v3"}[i], string(clear))
	}

	// A successor knows what is settled.
	require.NoError(t, in.Close(context.Background()))
	again := b.newTestInput("chunk_period: 20ms")
	b.connect(again)
	g = b.next(again)
	assert.Equal(t, []string{"v0", "", "v2", ""}, g.values(t))
	g.done(t, nil)
	b.waitCommitted("g", "events.raw", 0, 4)
	assert.EqualValues(t, 2, b.end("events.dlq"))
}

func TestAPermanentErrorThatNamesNobodyHereWaits(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, "v")
	in := b.newTestInput("chunk_period: 20ms\nquarantine: { max_attempts: 1 }")
	b.connect(in)
	for _, named := range [][]quarantine.Ref{nil, refs(17), {{Topic: "other"}}} {
		b.next(in).done(t, &stage.PermanentError{Code: "x", Refs: named, Err: errors.New("y")})
	}
	g := b.next(in)
	assert.Equal(t, []string{"v"}, g.values(t))
	g.done(t, nil)
	assert.Zero(t, b.end("events.dlq"))
}

func TestQuarantineThatCannotBeWrittenWaits(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, "v")
	in := b.newTestInput("chunk_period: 20ms\nquarantine: { max_attempts: 1 }")
	b.connect(in)
	fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed, Topic: "events.dlq", Count: -1})
	for range 3 {
		g := b.next(in)
		require.Equal(t, []string{"v"}, g.values(t), "not settled before it is durable")
		g.done(t, &stage.PermanentError{Code: "x", Refs: refs(0), Err: errors.New("y")})
	}
	require.NoError(t, fault.Wait(b.ctx(), 1))
	fault.Remove()
	g := b.next(in)
	for !stage.Settled(g.batch[0]) {
		g.done(t, &stage.PermanentError{Code: "x", Refs: refs(0), Err: errors.New("y")})
		g = b.next(in)
	}
	assert.EqualValues(t, 1, b.end("events.dlq"))
}

func TestAnOffsetThatIsGoneStopsTheInputLoudly(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, numbered("v", 10)...)
	in := b.newTestInput("chunk_offsets: 5\nchunk_period: 20ms")
	b.connect(in)
	b.next(in).done(t, nil)
	b.waitCommitted("g", "events.raw", 0, 5)
	require.NoError(t, in.Close(context.Background()))
	b.deleteBefore("events.raw", 8)

	err := b.newTestInput("").Connect(b.ctx())
	var lost *lostError
	require.ErrorAs(t, err, &lost)
	assert.ErrorContains(t, err, "events.raw/0 at offset 5")
	assert.ErrorContains(t, err, "8 to 9")
	assert.ErrorContains(t, err, "rpk group seek g")
	results := b.newTestInput("").ConnectionTest(b.ctx())
	require.Len(t, results, 1)
	assert.ErrorAs(t, results[0].Err, &lost)
}

func TestAnOffsetThatGoesWhileReadingStopsTheInputToo(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, numbered("v", 4)...)
	in := b.newTestInput("chunk_offsets: 3\nchunk_period: 20ms")
	b.connect(in)
	g := b.next(in)
	fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.OffsetOutOfRange, Count: -1})
	require.NoError(t, fault.Wait(b.ctx(), 1))
	b.deleteBefore("events.raw", 3)
	g.done(t, errors.New("never delivered"))
	require.Eventually(t, func() bool {
		_, _, err := in.ReadBatch(b.ctx())
		return errors.Is(err, service.ErrNotConnected)
	}, waitLong, time.Millisecond)
	fault.Remove()
	var lost *lostError
	require.ErrorAs(t, in.Connect(b.ctx()), &lost)
	assert.EqualValues(t, 0, lost.at)

	// Once somebody has moved the group on purpose, reading goes on without a restart.
	offsets := kadm.Offsets{}
	offsets.AddOffset("events.raw", 0, 3, -1)
	require.NoError(t, b.adm.CommitAllOffsets(b.ctx(), "g", offsets))
	require.NoError(t, in.Connect(b.ctx()))
	assert.Equal(t, []string{"v3"}, b.next(in).values(t))
}

func (b *bench) deleteBefore(topic string, offset int64) {
	b.t.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, offset, -1)
	res, err := b.adm.DeleteRecords(b.ctx(), offsets)
	require.NoError(b.t, err)
	require.NoError(b.t, res.Error())
}

func TestCommitsThatFailAreTriedAgainAndNothingGoesOnBefore(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, numbered("v", 4)...)
	in := b.newTestInput("chunk_offsets: 2\nchunk_period: 20ms")
	b.connect(in)
	g := b.next(in)
	fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.UnknownServerError, Count: 3})
	g.done(t, nil)
	require.NoError(t, fault.Wait(b.ctx(), 3))
	g = b.next(in)
	at, _ := b.committed("g", "events.raw", 0)
	assert.EqualValues(t, 2, at, "the chunk before is committed first")
	g.done(t, nil)
	b.waitCommitted("g", "events.raw", 0, 4)
}

func TestConnectExplainsWhatTheBrokerRefuses(t *testing.T) {
	b := newBench(t, 1)
	for _, c := range []struct {
		name  string
		fault kfake.Fault
		want  string
	}{
		{"topic", kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.TopicAuthorizationFailed}, "ebbgate topics apply --acls"},
		{"group", kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Err: kerr.GroupAuthorizationFailed}, "READ on the group"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fault := b.cluster.Fault(c.fault)
			defer fault.Remove()
			assert.ErrorContains(t, b.newTestInput("").Connect(b.ctx()), c.want)
		})
	}
	in := b.newTestInput("")
	in.topics = []string{"events.nowhere"}
	assert.ErrorContains(t, in.Connect(b.ctx()), "topic events.nowhere does not exist")
}

func TestWhatIsTooLargeForTheQuarantineIsNamedThereWithoutItsContent(t *testing.T) {
	b := newBench(t, 1)
	b.produce("events.raw", 0, strings.Repeat("x", 900<<10)) // larger than the topic takes, once it is encrypted
	in := b.newTestInput("chunk_period: 20ms\nquarantine: { max_attempts: 1 }")
	b.connect(in)
	b.next(in).done(t, &stage.PermanentError{Code: "x", Refs: refs(0), Err: errors.New("y")})
	g := b.next(in)
	require.True(t, stage.Settled(g.batch[0]))
	g.done(t, nil)
	b.waitCommitted("g", "events.raw", 0, 1)
	rec := b.read("events.dlq", 1)[0]
	q, err := quarantine.ParseRecord(rec.Value)
	require.NoError(t, err)
	assert.Empty(t, q.Payload)
	assert.Equal(t, refs(0)[0], q.Ref)
}

func TestHeadersCannotRouteOrClaimAPosition(t *testing.T) {
	b := newBench(t, 1)
	rec := recordWith("events.raw", "v", map[string]string{
		"topic": "events.authorized.analytics", "key": "x", "kafka_offset": "99", "src_topic": "a b", "src_partition": "0", "src_offset": "1", "event_id": "evt_1",
		"ebbgate": "forged",
	})
	require.NoError(t, b.cl.ProduceSync(b.ctx(), rec).FirstErr())
	in := b.newTestInput("chunk_period: 20ms")
	b.connect(in)
	msg := b.next(in).batch[0]
	assert.Empty(t, meta(msg, "topic"))
	assert.Empty(t, meta(msg, "key"))
	assert.Equal(t, "0", meta(msg, "kafka_offset"))
	origin, _ := stage.Origin(msg)
	assert.Equal(t, "events.raw", origin.Topic, "no topic has such a name, so the record begins here")
	assert.Equal(t, "evt_1", meta(msg, "event_id"))
	_, _, sealed := stage.Sealed(msg)
	assert.False(t, sealed)
	assert.False(t, stage.Settled(msg))
}

func TestTransactionsMoveNoBoundaries(t *testing.T) {
	b := newBench(t, 1)
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.seeds...), kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer cl.Close()
	for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		require.NoError(t, cl.BeginTransaction())
		for _, v := range numbered("v", 3) {
			require.NoError(t, cl.ProduceSync(b.ctx(), recordWith("events.raw", v, nil)).FirstErr())
		}
		require.NoError(t, cl.EndTransaction(b.ctx(), end))
	}
	in := b.newTestInput("chunk_period: 50ms")
	b.connect(in)
	g := b.next(in)
	assert.Equal(t, numbered("v", 3), g.values(t), "what was aborted is not read")
	g.done(t, nil)
	b.waitCommitted("g", "events.raw", 0, 8)
}
