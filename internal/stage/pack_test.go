package stage

import (
	"errors"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPackHandsOnWhatBecameOfItsMessages(t *testing.T) {
	batch, written := NewPack(service.MessageBatch{message(), message()})
	require.Len(t, batch, 1)

	inside, packing := Unpack(batch)
	require.Len(t, inside, 2)
	next := packing.Batches(append(inside, message()))
	require.Len(t, next, 1)
	require.Len(t, next[0], 1, "the engine sees one message")

	inside, packing = Unpack(next[0])
	require.Len(t, inside, 3)
	require.False(t, written())
	packing.Written()
	require.True(t, written())
}

func TestABatchThatIsNoPackStaysAsItIs(t *testing.T) {
	header := message()
	header.MetaSet(metaPack, "a header of that name")
	text := service.NewMessage([]byte(string(packContent))) // the same words from a sender
	for name, batch := range map[string]service.MessageBatch{
		"empty": {}, "one": {message()}, "header": {header}, "text": {text}, "several": {message(), message()},
	} {
		got, packing := Unpack(batch)
		assert.Equal(t, batch, got, name)
		assert.Nil(t, packing, name)
		assert.Equal(t, []service.MessageBatch{batch}, packing.Batches(batch), name)
		packing.Written()
		for _, msg := range batch {
			assert.NoError(t, msg.GetError(), name)
		}
	}
}

// TestAFailureOnAPackIsOneOfEachEvent: a processor that is not ours failed on the one message, so its events must not go
// on unflagged.
func TestAFailureOnAPackIsOneOfEachEvent(t *testing.T) {
	batch, _ := NewPack(service.MessageBatch{message(), message()})
	batch[0].SetError(errors.New("a mapping failed"))
	inside, packing := Unpack(batch)
	for _, msg := range inside {
		require.ErrorIs(t, Failure(msg), ErrFlagged)
	}
	require.NoError(t, packing.Batches(inside)[0][0].GetError(), "what is quarantined must pass the stages after")
}

func TestWhatIsLeftOfARewrittenPackWaits(t *testing.T) {
	rewrite := func(mapping string) service.MessageBatch {
		exec, err := bloblang.Parse(mapping)
		require.NoError(t, err)
		batch, _ := NewPack(service.MessageBatch{message()})
		out, err := batch[0].BloblangQuery(exec)
		require.NoError(t, err)
		return service.MessageBatch{out}
	}
	beside, _ := NewPack(service.MessageBatch{message()})
	for name, batch := range map[string]service.MessageBatch{
		"content":            rewrite(`root = "something else"`),
		"metadata":           rewrite(`meta = deleted()`),
		"beside another one": append(beside, message()),
	} {
		got, packing := Unpack(batch)
		require.Nil(t, packing, name)
		for _, msg := range got {
			require.ErrorIs(t, Failure(msg), ErrWait, name)
			require.ErrorIs(t, Failure(msg), ErrPack, name)
		}
	}
}

func TestBloblangSeesNothingInAPack(t *testing.T) {
	batch, _ := NewPack(service.MessageBatch{message()})
	exec, err := bloblang.Parse(`root = {"meta": @, "content": content().string()}`)
	require.NoError(t, err)
	out, err := batch[0].BloblangQuery(exec)
	require.NoError(t, err)
	text, err := out.AsBytes()
	require.NoError(t, err)
	require.NotContains(t, string(text), "ada")
	exec, err = bloblang.Parse(`root = this`)
	require.NoError(t, err)
	_, err = batch[0].BloblangQuery(exec)
	require.Error(t, err, "its content is no JSON")
}
