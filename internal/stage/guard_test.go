package stage

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
)

const body = `{"properties":{"email":"ada@example.com"}}`

func testRuntime(t *testing.T) *Runtime {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	spec := service.NewConfigSpec().Field(WorkspaceField())
	conf, err := spec.ParseYAML("", nil)
	require.NoError(t, err)
	rt, err := NewRuntime(conf, service.MockResources())
	require.NoError(t, err)
	return rt
}

func pass(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
	return append(out, msg), nil
}

func message() *service.Message {
	msg := service.NewMessage([]byte(body))
	msg.MetaSet(MetaKafkaTopic, "events.raw")
	msg.MetaSet(MetaKafkaPartition, "3")
	msg.MetaSet(MetaKafkaOffset, "881")
	return msg
}

func TestWhateverGoesWrongBecomesAQuarantineRecord(t *testing.T) {
	rt := testRuntime(t)
	guard := NewGuard("validate", rt)
	flagged := message()
	flagged.SetError(errors.New("a processor quoted ada@example.com"))
	cases := map[string]struct {
		msg  *service.Message
		work Work
		code string
	}{
		"fault": {message(), func(*service.Message, service.MessageBatch) (service.MessageBatch, error) {
			return nil, &event.Fault{Code: "contract.type", Path: "properties.amount"}
		}, "contract.type"},
		"plain error": {message(), func(*service.Message, service.MessageBatch) (service.MessageBatch, error) {
			return nil, errors.New("it quotes ada@example.com")
		}, "stage_failed"},
		"panic":            {message(), func(*service.Message, service.MessageBatch) (service.MessageBatch, error) { panic("ada@example.com") }, CodePanic},
		"flagged on entry": {flagged, pass, CodeUpstreamFailed},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			neighbour := message()
			out := guard.Batch(service.MessageBatch{test.msg, neighbour}, func(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
				if msg == neighbour {
					return append(out, msg), nil
				}
				return test.work(msg, append(out, msg.Copy())) // what was appended before the failure must not stay
			})
			require.Len(t, out, 2)
			require.NoError(t, out[0].GetError(), "a quarantine record goes on unflagged")
			written, err := out[0].AsBytes()
			require.NoError(t, err)
			require.NotContains(t, string(written), "ada")
			rec, err := quarantine.ParseRecord(written)
			require.NoError(t, err)
			require.Equal(t, test.code, rec.Code)
			require.Equal(t, quarantine.Ref{Topic: "events.raw", Partition: 3, Offset: 881}, rec.Ref)
			clear, err := rt.Cipher.Decrypt(rec.Payload, rec.Ref)
			require.NoError(t, err)
			require.Equal(t, body, string(clear))
			topic, _ := out[0].MetaGet(MetaTopic)
			require.Equal(t, "events.dlq", topic)

			kept, err := out[1].AsBytes()
			require.NoError(t, err)
			require.Equal(t, body, string(kept), "the neighbour goes on")
		})
	}
}

func TestMessagesThatWaitStayFlagged(t *testing.T) {
	guard := NewGuard("govern", testRuntime(t))
	msg := message()
	msg.SetError(errors.Join(ErrWait, errors.New("consent is not current")))
	out := guard.Batch(service.MessageBatch{msg}, pass)
	require.Len(t, out, 1)
	require.ErrorIs(t, out[0].GetError(), ErrWait)
	_, quarantined := Quarantine(out[0])
	require.False(t, quarantined)
}

func TestFinishedMessagesPassUntouched(t *testing.T) {
	guard := NewGuard("govern", testRuntime(t))
	settled, decision, record := message(), message(), message()
	MarkSettled(settled)
	SetDecision(decision, []byte(`{}`))
	SetQuarantine(record, &quarantine.Record{})
	out := guard.Batch(service.MessageBatch{settled, decision, record}, func(*service.Message, service.MessageBatch) (service.MessageBatch, error) {
		t.Fatal("there is nothing to judge")
		return nil, nil
	})
	require.Len(t, out, 3)
}

// Whoever writes to a topic chooses its headers, and inputs turn headers into metadata.
func TestHeadersCannotPassForAttachments(t *testing.T) {
	msg := message()
	msg.MetaSet(metaCarried, "true")
	msg.MetaSet(MetaKafkaOffset, "7")
	_, positioned := PositionOf(msg)
	require.False(t, positioned)
	require.False(t, Settled(msg))
	require.False(t, finished(msg))
	_, _, ok := Sealed(msg)
	require.False(t, ok)
	_, ok = Quarantine(msg)
	require.False(t, ok)
	_, ok = JudgementOf(msg, nil)
	require.False(t, ok)
}

func TestAttachmentsReadAsNothingFromBloblang(t *testing.T) {
	msg := message()
	new(Reader).Carry(msg, &event.Index{Buf: []byte(body)}, nil)
	mapping, err := bloblang.Parse(`root.seen = metadata()
root.one = @ebbgate`)
	require.NoError(t, err)
	out, err := msg.BloblangQuery(mapping)
	require.NoError(t, err)
	text, err := out.AsBytes()
	require.NoError(t, err)
	require.NotContains(t, string(text), "ada")
}

func TestAnIndexBelongsToItsBytes(t *testing.T) {
	rt := testRuntime(t)
	reader := NewReader(rt.Rules().Dict, event.DefaultLimits)
	msg := service.NewMessage([]byte(body))
	first, err := reader.Index(msg)
	require.NoError(t, err)
	again, err := reader.Index(msg)
	require.NoError(t, err)
	require.Same(t, first, again, "scanned once")

	SetJudgement(msg, &Judgement{Index: first})
	msg.SetBytes([]byte(body))
	rewritten, err := reader.Index(msg)
	require.NoError(t, err)
	require.NotSame(t, first, rewritten, "equal bytes in another place were not scanned yet")
	_, ok := JudgementOf(msg, rewritten.Buf)
	require.False(t, ok, "a judgement does not survive a rewrite")
}

func TestSubjectKeysAreRecomputedWhenTheEventChanges(t *testing.T) {
	rt := testRuntime(t)
	reader := NewReader(rt.Rules().Dict, event.DefaultLimits)
	msg := service.NewMessage([]byte(`{"subject":{"account_id":"a","user_id":"u"}}`))
	ix, err := reader.Index(msg)
	require.NoError(t, err)
	subject := reader.SubjectOf(msg, ix, rt.Ring)
	require.Len(t, subject.Keys, 2)
	require.Equal(t, rt.Ring.SubjectPseudonym("user_id", "u"), subject.Primary())
	require.Equal(t, rt.Ring.SubjectPseudonym("account_id", "a"), subject.Keys[1])

	msg.SetBytes([]byte(`{"subject":{"user_id":"v"}}`))
	ix, err = reader.Index(msg)
	require.NoError(t, err)
	require.Equal(t, rt.Ring.SubjectPseudonym("user_id", "v"), reader.SubjectOf(msg, ix, rt.Ring).Primary())
}

func TestWhatWasSealedIsFoundOutWhenItChanges(t *testing.T) {
	rec := &seal.Record{Destination: "analytics", Body: []byte(`{"plan":"pro"}`)}
	sealed := func() *service.Message {
		msg := message()
		SetSealed(msg, rec, seal.NewSealer(keys.ForTesting("stage"), "analytics"))
		return msg
	}
	intact := func(msg *service.Message) bool {
		content, err := msg.AsBytes()
		require.NoError(t, err)
		return Intact(msg, content)
	}
	require.True(t, intact(sealed()))
	require.True(t, intact(sealed().Copy()))
	rewritten := sealed()
	rewritten.SetBytes([]byte(`{"plan":"pro"}`))
	require.False(t, intact(rewritten), "equal bytes in another place are not what was sealed")
	require.False(t, intact(message()), "nothing was sealed")
	inPlace := sealed()
	rec.Body[2]++
	require.False(t, intact(inPlace), "somebody wrote into the bytes")
}

func TestAPositionReadsAsText(t *testing.T) {
	msg := message()
	SetPosition(msg, &Position{Chunk: &Chunk{Topic: "events.raw", Partition: 3}, Offset: 41})
	text, _ := msg.MetaGet(MetaKafkaOffset)
	require.Equal(t, "41", text)
	ref, ok := Source(msg.Copy())
	require.True(t, ok)
	require.Equal(t, quarantine.Ref{Topic: "events.raw", Partition: 3, Offset: 41}, ref)
}
