package hop

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestOnlyOneFormOfTraceparentIsRead(t *testing.T) {
	sc, ok := readTraceparent([]byte(valid))
	require.True(t, ok)
	assert.Equal(t, valid, string(appendTraceparent(nil, sc)))
	for _, text := range []string{
		"", valid + "-", valid[:54], strings.ToUpper(valid), "01" + valid[2:], valid[:2] + "_" + valid[3:], valid[:35] + "_" + valid[36:], valid[:52] + "_" + valid[53:],
		valid[:53] + "0A", valid[:53] + "0g", "00-" + strings.Repeat("0", 32) + valid[35:], valid[:36] + strings.Repeat("0", 16) + "-01",
		strings.Replace(valid, "4bf9", "4bfx", 1), strings.Replace(valid, "00f0", "00fx", 1), strings.Replace(valid, "4bf92f", "ada@ex", 1),
	} {
		_, ok := readTraceparent([]byte(text))
		assert.False(t, ok, text)
	}
}

func TestTheShareIsOfTheIds(t *testing.T) {
	half := NewLog(0.5, nil)
	n := 0
	for i := range 1000 {
		id := "evt_" + strings.Repeat("a", i%7) + string(rune('A'+i%26)) + strings.Repeat("z", i/26)
		if len(id) <= 128 && Sampled(half, id) {
			n++
			assert.True(t, Sampled(NewLog(0.9, nil), id), "a larger share holds the smaller")
		}
	}
	assert.InDelta(t, 500, n, 70)
	assert.True(t, Sampled(NewLog(1, nil), "evt_1"))
	assert.False(t, Sampled(NewLog(1, nil), "ada@example.com"), "no id of ours")
	assert.False(t, Sampled(NewLog(0, nil), "evt_1"))
}
