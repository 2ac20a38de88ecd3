package clickhouse

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/stage"
)

func TestAPackIsWrittenOnceItsRowsAreIn(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	batch, written := stage.NewPack(chunkOf(run(0, 3)...))
	require.NoError(t, o.WriteBatch(t.Context(), batch))
	assert.Equal(t, offsetTexts(0, 3), s.offsets(t))
	assert.True(t, written())

	forged := newEvent(4).with(func(e *sealedEvent) { e.raw = true })
	batch, written = stage.NewPack(chunkOf(forged))
	require.Error(t, o.WriteBatch(t.Context(), batch))
	assert.False(t, written())
	assert.Equal(t, offsetTexts(0, 3), s.offsets(t))
}
