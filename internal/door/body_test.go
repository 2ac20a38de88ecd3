package door

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
)

func gzipped(t *testing.T, body io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.Copy(w, body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func read(limits BodyLimits, memory *Memory, body io.Reader, encodings ...string) ([]byte, *Refusal) {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	for _, e := range encodings {
		r.Header.Add("Content-Encoding", e)
	}
	return ReadBody(httptest.NewRecorder(), r, limits, memory)
}

func TestBodiesAreBoundedByWhatTheyBecome(t *testing.T) {
	limits := BodyLimits{MaxBytes: 1 << 20, MaxRatio: 100}
	text := strings.Repeat(`{"a":1}`, 1000)
	bomb := gzipped(t, io.LimitReader(zeros{}, 64<<20))
	require.Less(t, len(bomb), 1<<17)
	ratio := gzipped(t, io.LimitReader(zeros{}, 1<<20-1))
	for _, c := range []struct {
		name      string
		body      io.Reader
		encodings []string
		want      *Refusal
	}{
		{"plain", strings.NewReader(text), nil, nil},
		{"identity", strings.NewReader(text), []string{"identity"}, nil},
		{"gzip", bytes.NewReader(gzipped(t, strings.NewReader(text))), []string{"gzip"}, nil},
		{"empty", strings.NewReader(""), nil, nil},
		{"too large", io.LimitReader(zeros{}, 64<<20), nil, RefuseTooLarge},
		{"one byte too large", io.LimitReader(zeros{}, 1<<20+1), nil, RefuseTooLarge},
		{"bomb", bytes.NewReader(bomb), []string{"gzip"}, RefuseTooLarge},
		{"within size, beyond ratio", bytes.NewReader(ratio), []string{"gzip"}, RefuseTooLarge},
		{"nested", bytes.NewReader(gzipped(t, bytes.NewReader(bomb))), []string{"gzip", "gzip"}, RefuseEncoding},
		{"nested in one line", bytes.NewReader(bomb), []string{"gzip, gzip"}, RefuseEncoding},
		{"zstd", bytes.NewReader([]byte("\x28\xb5\x2f\xfd")), []string{"zstd"}, RefuseEncoding},
		{"not gzip", strings.NewReader(text), []string{"gzip"}, RefuseCompression},
		{"cut gzip", bytes.NewReader(gzipped(t, strings.NewReader(text))[:40]), []string{"gzip"}, RefuseIncomplete},
	} {
		t.Run(c.name, func(t *testing.T) {
			memory := NewMemory(limits.MaxBytes)
			body, refusal := read(limits, memory, c.body, c.encodings...)
			require.Equal(t, c.want, refusal)
			if refusal == nil {
				memory.Give(int64(len(body)))
			}
			require.True(t, memory.Take(limits.MaxBytes), "everything was given back")
		})
	}
}

func TestWhatIsOnItsWayIsBounded(t *testing.T) {
	memory := NewMemory(10)
	limits := BodyLimits{MaxBytes: 100, MaxRatio: 100}
	first, refusal := read(limits, memory, strings.NewReader("12345678"))
	require.Nil(t, refusal)
	_, refusal = read(limits, memory, strings.NewReader("12345678"))
	require.Equal(t, RefuseBusy, refusal)
	memory.Give(int64(len(first)))
	_, refusal = read(limits, memory, strings.NewReader("12345678"))
	require.Nil(t, refusal)
}
