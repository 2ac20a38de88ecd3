package redpanda

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
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
			return message("{}", "7", map[string]string{"topic": "events.authorized.analytics", "ebbgate_seal": "s1.x", "ebbgate": "x"})
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
		{"event nobody judged to validated", func() *service.Message {
			return message("{}", "7", map[string]string{"topic": "events.validated"})
		}, codeUnjudged},
		{"event judged for a destination only", func() *service.Message {
			m := message("{}", "7", map[string]string{"topic": "events.validated"})
			stage.SetJudgement(m, &stage.Judgement{})
			return m
		}, codeUnjudged},
		{"event changed after it was judged", func() *service.Message {
			m := message("{}", "7", map[string]string{"topic": "events.validated"})
			new(stage.Reader).SetStorable(m, []byte("{}"), nil, nil)
			return m
		}, codeUnjudged},
		{"decision to validated", func() *service.Message {
			m := message("{}", "7", map[string]string{"topic": "events.validated"})
			stage.SetDecision(m, []byte("{}"))
			return m
		}, codeWrongTopic},
		{"decision to the consent log", func() *service.Message {
			m := message("{}", "7", map[string]string{"topic": "privacy.consent"})
			stage.SetDecision(m, []byte("{}"))
			return m
		}, codeWrongTopic},
		{"consent to the links", func() *service.Message {
			m := message("{}", "7", map[string]string{"topic": "identity.links"})
			stage.SetState(m, topics.Consent, []byte("{}"))
			return m
		}, codeWrongTopic},
		{"link to the decisions", func() *service.Message {
			m := message("{}", "7", map[string]string{"topic": "privacy.decisions"})
			stage.SetState(m, topics.Identity, []byte("{}"))
			return m
		}, codeWrongTopic},
		{"link as an event", func() *service.Message {
			m := message("{}", "7", map[string]string{"topic": "inbound.copies"})
			stage.SetState(m, topics.Identity, []byte("{}"))
			return m
		}, codeWrongTopic},
		{"too large", func() *service.Message {
			return message(strings.Repeat("x", 4096), "7", map[string]string{"topic": "inbound.small"})
		}, codeTooLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			good := message("good", "6", map[string]string{"topic": "inbound.copies"})
			err := out.WriteBatch(b.ctx(), service.MessageBatch{good, c.msg()})
			var permanent *stage.PermanentError
			require.ErrorAs(t, err, &permanent)
			assert.Equal(t, c.code, permanent.Code)
			assert.Equal(t, []quarantine.Ref{{Topic: "events.raw", Partition: 0, Offset: 7}}, permanent.Refs)
			assert.NotContains(t, err.Error(), `"a"`)
			assert.Zero(t, b.end("events.validated"))
			assert.Zero(t, b.end("inbound.copies"), "nothing of a refused batch is written")
		})
	}
	assert.Zero(t, b.end("events.authorized.analytics"))
	assert.Zero(t, b.end("events.authorized.warehouse"))
}

func TestWhatMayBeStoredIsWritten(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("events.validated", "")
	msg := message("{}", "7", nil)
	body, err := msg.AsBytes()
	require.NoError(t, err)
	new(stage.Reader).SetStorable(msg, body, nil, nil)
	require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{msg}))
	assert.EqualValues(t, 1, b.end("events.validated"))
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
	out := b.newTestOutput("inbound.copies", "")
	bad := message("x", "1", nil)
	bad.SetError(errors.New("secret@example.com is wrong"))
	err := out.WriteBatch(b.ctx(), service.MessageBatch{message("y", "0", nil), bad})
	var permanent *stage.PermanentError
	require.ErrorAs(t, err, &permanent)
	assert.Equal(t, stage.CodeUpstreamFailed, permanent.Code)
	assert.Len(t, permanent.Refs, 1)
	assert.NotContains(t, err.Error(), "secret")
	assert.Zero(t, b.end("inbound.copies"))

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
	require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{settled, message("v", "1", map[string]string{"topic": "inbound.copies"})}))
	assert.EqualValues(t, 1, b.end("inbound.copies"))
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
	out := b.newTestOutput("inbound.copies", "key: ${! @who }\nmetadata: { include_patterns: [ '.*' ] }")
	msg := message("v", "3", map[string]string{"who": "me", "colour": "blue", "ebbgate_seal": "forged", "src_offset": "99", "event_id": "evt_1"})
	require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{msg}))
	assert.Equal(t, map[string]string{
		"who": "me", "colour": "blue", "event_id": "evt_1", "src_topic": "events.raw", "src_partition": "0", "src_offset": "3",
	}, headers(t, b, "inbound.copies"))
	assert.Equal(t, "me", string(b.read("inbound.copies", 1)[0].Key))
}

func TestAFailureOfAnyRecordFailsTheBatch(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "")
	batch := func() service.MessageBatch {
		return service.MessageBatch{
			message("a", "1", map[string]string{"topic": "inbound.copies"}),
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
	out := b.newTestOutput("inbound.copies", "")
	for _, kind := range []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend} {
		before := b.end("inbound.copies")
		fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "inbound.copies", Err: kind, Count: 3})
		require.NoError(t, out.WriteBatch(b.ctx(), service.MessageBatch{message("a", "1", nil), message("b", "2", nil)}))
		assert.Equal(t, 3, fault.Hits())
		assert.EqualValues(t, before+2, b.end("inbound.copies"))
	}
}

// What failed while later records are durable is written again, behind them: the sinks look it up and find it missing.
func TestARecordThatWasOvertakenIsWrittenAgain(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "")
	batch := service.MessageBatch{sealedMessage("{}"), message("b", "2", map[string]string{"topic": "inbound.copies"})}
	records, err := out.records(batch)
	require.NoError(t, err)
	for _, kind := range []error{kerr.InvalidTimestamp, kerr.InvalidRecord} {
		err = out.explainFailures(nil, batch, records, []failure{{0, kind}})
		require.ErrorIs(t, err, kind)
		assert.False(t, permanentError(err), "others may have the event by now")
	}
	assert.True(t, permanentError(out.explainFailures(nil, batch, records, []failure{{1, kerr.InvalidRecord}})))
}

func permanentError(err error) bool {
	var permanent *stage.PermanentError
	return errors.As(err, &permanent)
}

// fanned is what redact makes of one event: a record for each of two destinations, the first of a size.
func fanned(size int) service.MessageBatch {
	large := sealedMessage(`{"a":"` + strings.Repeat("x", size) + `"}`)
	small := sealedMessage(`{"a":1}`)
	rec, _, _ := stage.Sealed(small)
	other := *rec
	other.Destination, other.Topic = "warehouse", "events.authorized.warehouse"
	stage.SetSealed(small, &other, seal.NewSealer(keys.ForTesting("x"), "warehouse"))
	small.MetaSet("topic", other.Topic)
	return service.MessageBatch{large, small}
}

// tooLargeForAnalytics asserts that one event ended in quarantine for analytics and was delivered to warehouse.
func (b *bench) tooLargeForAnalytics(copies int) {
	b.t.Helper()
	rec := b.read("events.dlq", 1)[0]
	q, err := quarantine.ParseRecord(rec.Value)
	require.NoError(b.t, err)
	assert.Equal(b.t, "analytics", q.Destination)
	assert.Equal(b.t, codeTooLarge, q.Code)
	assert.Equal(b.t, quarantine.Ref{Topic: "events.raw", Offset: 7}, q.Ref)
	assert.Equal(b.t, "evt_1", string(rec.Key))
	assert.Empty(b.t, q.Payload)
	assert.EqualValues(b.t, 1, b.end("events.dlq"))
	assert.Zero(b.t, b.end("events.authorized.analytics"))
	assert.EqualValues(b.t, copies, b.end("events.authorized.warehouse"))
}

// A topic that does not take a record is no reason to keep the event from other destinations.
func TestWhatIsTooLargeForOneDestinationIsQuarantinedForItAlone(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "")
	out.limits.Store(&map[string]int64{"events.authorized.analytics": 2048})
	require.NoError(t, out.WriteBatch(b.ctx(), fanned(4096)))
	b.tooLargeForAnalytics(1)
}

// The limit is lowered while the output runs: what the broker refuses then is found out before the next try is written.
func TestALimitThatIsLoweredIsNoticed(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "compression: none")
	small := "2048"
	_, err := b.adm.AlterTopicConfigs(b.ctx(), []kadm.AlterConfig{{Name: "max.message.bytes", Value: &small}}, "events.authorized.analytics")
	require.NoError(t, err)
	err = out.WriteBatch(b.ctx(), fanned(4096))
	require.ErrorIs(t, err, kerr.MessageTooLarge)
	require.False(t, permanentError(err))
	require.ErrorIs(t, out.WriteBatch(b.ctx(), fanned(4096)), service.ErrNotConnected)
	require.NoError(t, out.Connect(b.ctx()))
	require.NoError(t, out.WriteBatch(b.ctx(), fanned(4096)))
	b.tooLargeForAnalytics(2)
}

// The broker takes less than anybody says. Batches get smaller until only the record that is too large is refused.
func TestALimitThatNobodyTellsIsFoundOut(t *testing.T) {
	b := newBench(t, 1)
	out := b.newTestOutput("${! @topic }", "compression: none")
	small := "2048"
	_, err := b.adm.AlterTopicConfigs(b.ctx(), []kadm.AlterConfig{{Name: "max.message.bytes", Value: &small}}, "events.authorized.analytics")
	require.NoError(t, err)
	b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	chunk := func() service.MessageBatch {
		batch := fanned(4096)
		for range 20 {
			batch = append(batch, sealedMessage(`{"a":"`+strings.Repeat("y", 400)+`"}`))
		}
		return batch
	}
	var quarantined, delivered int64
	for range 40 {
		quarantined, delivered = b.end("events.dlq"), b.end("events.authorized.analytics")
		if err = out.WriteBatch(b.ctx(), chunk()); err == nil {
			break
		}
		require.False(t, permanentError(err), "nobody else is blamed: %v", err)
		if errors.Is(err, service.ErrNotConnected) {
			require.NoError(t, out.Connect(b.ctx()))
		}
	}
	require.NoError(t, err)
	q, err := quarantine.ParseRecord(b.read("events.dlq", 1)[0].Value)
	require.NoError(t, err)
	assert.Equal(t, "analytics", q.Destination)
	assert.EqualValues(t, quarantined+1, b.end("events.dlq"), "the healthy records of its batches are not")
	assert.EqualValues(t, delivered+20, b.end("events.authorized.analytics"))
}

func TestOutputNeedsToKnowTheDestinations(t *testing.T) {
	b := newBench(t, 1)
	b.workspace = t.TempDir()
	conf, err := outputSpec().ParseYAML(dedent(b.outputYAML("x", "")), environment(t))
	require.NoError(t, err)
	_, err = newOutput(conf, service.MockResources())
	require.ErrorContains(t, err, "topics.yaml")
}
