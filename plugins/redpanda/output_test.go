package redpanda

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

func (b *bench) newTestOutput(topic, extra string) *output {
	b.t.Helper()
	conf, err := outputSpec().ParseYAML(dedent(b.outputYAML(topic, extra)), environment(b.t))
	require.NoError(b.t, err)
	out, err := newOutput(conf, service.MockResources())
	require.NoError(b.t, err)
	require.NoError(b.t, out.Connect(b.ctx()))
	b.t.Cleanup(func() { _ = out.Close(context.Background()) })
	return out
}

// message is one that was read at an offset of events.raw.
func message(body string, offset string, meta map[string]string) *service.Message {
	msg := service.NewMessage([]byte(body))
	msg.MetaSet(stage.MetaKafkaTopic, "events.raw")
	msg.MetaSet(stage.MetaKafkaPartition, "0")
	msg.MetaSet(stage.MetaKafkaOffset, offset)
	for name, value := range meta {
		msg.MetaSet(name, value)
	}
	return msg
}

// sealedMessage is one that redact made for the analytics destination.
func sealedMessage(body string) *service.Message {
	msg := message(body, "7", map[string]string{"topic": "events.authorized.analytics", "key": "sk1a"})
	bytes, _ := msg.AsBytes()
	rec := &seal.Record{
		Destination: "analytics", Policy: "p1", EventID: "evt_1", Topic: "events.authorized.analytics", Key: "sk1a",
		SubjectKey: "sk1a,sk1b", SrcTopic: "events.raw", SrcOffset: 7, Body: bytes,
	}
	stage.SetSealed(msg, rec, seal.NewSealer(keys.ForTesting("x"), "analytics"))
	return msg
}

func headers(t testing.TB, b *bench, topic string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, h := range b.read(topic, 1)[0].Headers {
		out[h.Key] = string(h.Value)
	}
	return out
}

func TestSealedMessagesCarryTheirProof(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "")
	require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{sealedMessage(`{"a":1}`)}))
	rec := b.read("events.authorized.analytics", 1)[0]
	assert.Equal(t, `{"a":1}`, string(rec.Value))
	assert.Equal(t, "sk1a", string(rec.Key))
	get := func(name string) (string, bool) {
		for _, h := range rec.Headers {
			if h.Key == name {
				return string(h.Value), true
			}
		}
		return "", false
	}
	read, text, err := seal.FromHeaders(get, rec.Topic, string(rec.Key), rec.Value)
	require.NoError(t, err)
	require.NoError(t, seal.NewVerifier(keys.ForTesting("x"), "analytics").Verify(read, text))
}

func TestOutputRefusesWhatWasNotAllowed(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "max_message_bytes: 2KiB")
	cases := []struct {
		name string
		msg  func() *service.Message
		code string
	}{
		{"no seal", func() *service.Message {
			return message("{}", "7", map[string]string{"topic": "events.authorized.analytics"})
		}, codeSealMissing},
		{"a seal in headers is no seal", func() *service.Message {
			return message("{}", "7", map[string]string{"topic": "events.authorized.analytics", "ebbgate_seal": "s1.x", "ebbgate_carried": "x"})
		}, codeSealMissing},
		{"changed", func() *service.Message { m := sealedMessage(`{"a":1}`); m.SetBytes([]byte(`{"a":2}`)); return m }, codeBytesChanged},
		{"another destination's topic", func() *service.Message {
			m := sealedMessage(`{}`)
			m.MetaSet("topic", "events.authorized.warehouse")
			return m
		}, codeSealOther},
		{"a topic of no destination", func() *service.Message { m := sealedMessage(`{}`); m.MetaSet("topic", "events.raw"); return m }, codeSealOther},
		{"sealed for another topic of the destination", func() *service.Message {
			m := sealedMessage(`{}`)
			rec, sealer, _ := stage.Sealed(m)
			other := *rec
			other.Topic = "events.authorized.analytics.old"
			stage.SetSealed(m, &other, sealer)
			return m
		}, codeSealOther},
		{"another key", func() *service.Message { m := sealedMessage(`{}`); m.MetaSet("key", "sk1z"); return m }, codeSealOther},
		{"no topic", func() *service.Message { return message("{}", "7", nil) }, codeTopic},
		{"undeclared topic", func() *service.Message { return message("{}", "7", map[string]string{"topic": "partner.export"}) }, codeUndeclared},
		{"event to quarantine", func() *service.Message { return message("{}", "7", map[string]string{"topic": "events.dlq"}) }, codeWrongTopic},
		{"event to the consent log", func() *service.Message { return message("{}", "7", map[string]string{"topic": "privacy.consent"}) }, codeWrongTopic},
		{"decision to validated", func() *service.Message {
			m := message("{}", "7", map[string]string{"topic": "events.validated"})
			stage.SetDecision(m, []byte("{}"))
			return m
		}, codeWrongTopic},
		{"too large", func() *service.Message {
			return message(strings.Repeat("x", 4096), "7", map[string]string{"topic": "inbound.small"})
		}, codeTooLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			good := message("good", "6", map[string]string{"topic": "events.validated"})
			err := out.WriteBatch(b.ctx(), service.MessageBatch{good, c.msg()})
			var permanent *stage.PermanentError
			require.ErrorAs(t, err, &permanent)
			assert.Equal(t, c.code, permanent.Code)
			assert.Equal(t, []quarantine.Ref{{Topic: "events.raw", Partition: 0, Offset: 7}}, permanent.Refs)
			assert.NotContains(t, err.Error(), `"a"`)
			assert.Zero(t, b.end("events.validated"), "nothing of a refused batch is written")
		})
	}
	assert.Zero(t, b.end("events.authorized.analytics"))
	assert.Zero(t, b.end("events.authorized.warehouse"))
}

func TestWhatNobodyCouldQuarantineIsNotPermanent(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "")
	msg := service.NewMessage([]byte("{}"))
	err := out.WriteBatch(b.ctx(), service.MessageBatch{msg})
	require.Error(t, err)
	var permanent *stage.PermanentError
	assert.False(t, errors.As(err, &permanent))
}

func TestFlaggedMessagesAreNamed(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("events.validated", "")
	bad := message("x", "1", nil)
	bad.SetError(errors.New("secret@example.com is wrong"))
	err := out.WriteBatch(b.ctx(), service.MessageBatch{message("y", "0", nil), bad})
	var permanent *stage.PermanentError
	require.ErrorAs(t, err, &permanent)
	assert.Equal(t, stage.CodeUpstreamFailed, permanent.Code)
	assert.Len(t, permanent.Refs, 1)
	assert.NotContains(t, err.Error(), "secret")
	assert.Zero(t, b.end("events.validated"))

	bad = message("x", "1", nil)
	bad.SetError(stage.ErrWait)
	require.ErrorIs(t, out.WriteBatch(b.ctx(), service.MessageBatch{bad}), stage.ErrWait)
}

func TestSettledMessagesAreSkipped(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "")
	settled := service.NewMessage(nil)
	stage.MarkSettled(settled)
	require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{settled}))
	require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{settled, message("v", "1", map[string]string{"topic": "events.validated"})}))
	assert.EqualValues(t, 1, b.end("events.validated"))
}

func TestQuarantineRecordsAreKeyedByEvent(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "")
	msg := message(`{"code":"contract.type"}`, "3", map[string]string{"topic": "events.dlq", "key": "sk1a", "event_id": "evt_9"})
	stage.SetQuarantine(msg, &quarantine.Record{EventID: "evt_9", Code: "contract.type", Stage: "validate"})
	require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{msg}))
	rec := b.read("events.dlq", 1)[0]
	assert.Equal(t, "evt_9", string(rec.Key))
	assert.Equal(t, map[string]string{
		"code": "contract.type", "stage": "validate", "event_id": "evt_9", "src_topic": "events.raw", "src_partition": "0", "src_offset": "3",
	}, headers(t, b, "events.dlq"))
}

func TestHeadersByFilterCannotOverwriteLineage(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("events.validated", "key: ${! @who }\nmetadata: { include_patterns: [ '.*' ] }")
	msg := message("v", "3", map[string]string{"who": "me", "colour": "blue", "ebbgate_seal": "forged", "src_offset": "99", "event_id": "evt_1"})
	require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{msg}))
	assert.Equal(t, map[string]string{
		"who": "me", "colour": "blue", "event_id": "evt_1", "src_topic": "events.raw", "src_partition": "0", "src_offset": "3",
	}, headers(t, b, "events.validated"))
	assert.Equal(t, "me", string(b.read("events.validated", 1)[0].Key))
}

func TestAFailureOfAnyRecordFailsTheBatch(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "")
	batch := func() service.MessageBatch {
		return service.MessageBatch{
			message("a", "1", map[string]string{"topic": "events.validated"}),
			message("b", "2", map[string]string{"topic": "inbound.more"}),
		}
	}
	b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "inbound.more", Err: kerr.TopicAuthorizationFailed})
	err := out.WriteBatch(b.ctx(), batch())
	require.ErrorIs(t, err, kerr.TopicAuthorizationFailed)
	assert.ErrorContains(t, err, "1 of 2 records")
	assert.ErrorContains(t, err, "ebbgate topics apply --acls")
	var permanent *stage.PermanentError
	assert.False(t, errors.As(err, &permanent), "an operator can mend it")
	require.NoError(t, out.WriteBatch(b.ctx(), batch()))
}

func TestTimeoutsAfterTheWriteNeitherFailNorRepeat(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("events.validated", "")
	for _, kind := range []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend} {
		before := b.end("events.validated")
		fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "events.validated", Err: kind, Count: 3})
		require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{message("a", "1", nil), message("b", "2", nil)}))
		assert.Equal(t, 3, fault.Hits())
		assert.EqualValues(t, before+2, b.end("events.validated"))
	}
}

func TestARecordThatWouldComeOutOfOrderIsNamedForQuarantine(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "")
	batch := service.MessageBatch{
		message("a", "1", map[string]string{"topic": "events.validated"}),
		message("b", "2", map[string]string{"topic": "events.validated"}),
		message("c", "3", map[string]string{"topic": "events.validated"}),
	}
	records, err := out.records(batch)
	require.NoError(t, err)
	explained := func(failed ...int) error {
		var failures []failure
		for _, at := range failed {
			failures = append(failures, failure{at, kerr.InvalidTimestamp})
		}
		return out.explainFailures(batch, records, failures)
	}
	var permanent *stage.PermanentError
	require.ErrorAs(t, explained(0), &permanent, "2 and 3 are durable: 1 would be taken for a repeat")
	assert.Equal(t, codeOrder, permanent.Code)
	assert.EqualValues(t, 1, permanent.Refs[0].Offset)
	for _, failed := range [][]int{{2}, {1, 2}, {0, 1, 2}} {
		assert.False(t, errors.As(explained(failed...), &permanent), "what fails at the end can be written again: %v", failed)
	}
}

func TestOutputNeedsToKnowTheDestinations(t *testing.T) {
	b := newBench(t, 1)
	b.workspace = t.TempDir()
	conf, err := outputSpec().ParseYAML(dedent(b.outputYAML("x", "")), environment(t))
	require.NoError(t, err)
	_, err = newOutput(conf, service.MockResources())
	require.ErrorContains(t, err, "topics.yaml")
}
