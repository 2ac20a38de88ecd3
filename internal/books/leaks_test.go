package books

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func text(name, content string) Source {
	return Source{name, func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

const planted = "canary-7-42@example.com"

var encodings = map[string]func(string) string{
	"raw":               func(s string) string { return s },
	"lower case":        strings.ToLower,
	"upper case":        strings.ToUpper,
	"base64":            func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 shifted 1":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(`"` + s + `",`)) },
	"base64 shifted 2":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(`:"` + s + `"}`)) },
	"base64 url":        func(s string) string { return base64.URLEncoding.EncodeToString([]byte("??>" + s)) },
	"hex":               func(s string) string { return hex.EncodeToString([]byte(s)) },
	"upper hex":         func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte("x" + s))) },
	"url":               url.QueryEscape,
	"percent":           func(s string) string { return escape([]byte(s), "%%%02x") },
	"reversed":          reverse,
	"json escaped":      func(s string) string { return escape([]rune(s), `\u%04x`) },
	"upper json escape": func(s string) string { return escape([]rune(s), `\u%04X`) },
	"ascii json":        func(s string) string { return strconv.QuoteToASCII(s) },
}

func TestLeaksFindsEveryForm(t *testing.T) {
	canaries := []Canary{{planted, "properties.email"}, {"2001:db8:1:2:3:4:5:6", "context.ip"}, {"Zoë O'Canary 7-42", "properties.name"}}
	for name, encode := range encodings {
		for _, c := range canaries {
			t.Run(name+" "+c.Field, func(t *testing.T) {
				content := strings.Repeat("nothing here ", 17) + encode(c.Value) + " nor here"
				leaks, err := Leaks(t.Context(), []Source{text("clean", "all good"), text("dirty", content)}, canaries)
				require.NoError(t, err)
				require.NotEmpty(t, leaks)
				for _, leak := range leaks {
					assert.Equal(t, "dirty", leak.Source)
					assert.Equal(t, c.Value, leak.Canary)
					assert.Equal(t, c.Field, leak.Field)
					assert.Equal(t, 1, leak.Times)
				}
			})
		}
	}
}

func TestLeaksIsQuietOnCleanSources(t *testing.T) {
	near := "canary-7-43@example.com canary-7-4@example.com anary-7-42@example.com canary-7-42@example.org"
	leaks, err := Leaks(t.Context(), []Source{text("near", near), text("empty", "")}, []Canary{{planted, "properties.email"}})
	require.NoError(t, err)
	assert.Empty(t, leaks)
	leaks, err = Leaks(t.Context(), []Source{text("any", near)}, nil)
	require.NoError(t, err)
	assert.Empty(t, leaks)
}

func TestLeaksAcrossReads(t *testing.T) {
	content := strings.Repeat("x", 100) + planted + strings.Repeat("y", 50) + planted
	slow := Source{"slow", func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(iotest.OneByteReader(strings.NewReader(content))), nil
	}}
	leaks, err := Leaks(t.Context(), []Source{slow}, []Canary{{planted, "f"}, {"unrelated and much longer than the planted one", "f"}})
	require.NoError(t, err)
	require.Len(t, leaks, 1)
	assert.Equal(t, Leak{"slow", "f", planted, "raw", int64(100 + len(planted)), 2}, leaks[0])
}

func TestLeaksFailsWhenASourceCannotBeRead(t *testing.T) {
	broken := errors.New("broken")
	for name, read := range map[string]func(context.Context) (io.ReadCloser, error){
		"open": func(context.Context) (io.ReadCloser, error) { return nil, broken },
		"read": func(context.Context) (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(broken)), nil },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Leaks(t.Context(), []Source{{"s", read}}, []Canary{{planted, "f"}})
			require.ErrorIs(t, err, broken)
		})
	}
	_, err := Leaks(t.Context(), nil, []Canary{{"short", "f"}})
	require.ErrorContains(t, err, "8 bytes")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Leaks(ctx, []Source{text("s", "x")}, []Canary{{planted, "f"}})
	require.ErrorIs(t, err, context.Canceled)
}

// The matcher agrees with a naive search on any patterns and any cutting of the stream.
func TestMatcherAgreesWithNaiveSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.StringMatching(`[abA]{1,6}`)
		texts := rapid.SliceOfN(piece, 1, 8).Draw(t, "texts")
		stream := []byte(rapid.StringMatching(`[abAB]{0,80}`).Draw(t, "stream"))
		m := &matcher{}
		for i, text := range texts {
			m.add(text, i)
		}
		m.build()
		got := map[string]int{}
		scan := m.scanner()
		for rest := stream; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "read")
			scan.next(rest[:n], func(id int, end int64) { got[fmt.Sprint(id, end)]++ })
			rest = rest[n:]
		}
		want := map[string]int{}
		for id, text := range texts {
			for at := range len(stream) - len(text) + 1 {
				if strings.EqualFold(string(stream[at:at+len(text)]), text) {
					want[fmt.Sprint(id, at+len(text))]++
				}
			}
		}
		assert.Equal(t, want, got)
	})
}

func TestLeakNeedsNoEncodingOfItsOwn(t *testing.T) {
	out, err := json.Marshal(Books{Leaks: []Leak{{Source: "s", Canary: planted}}})
	require.NoError(t, err)
	assert.Contains(t, string(out), `"source":"s"`)
}

func BenchmarkLeaks(b *testing.B) {
	var canaries []Canary
	for i := range 10_000 {
		canaries = append(canaries, Canary{fmt.Sprintf("canary-1-%d@example.com", i), "properties.email"})
	}
	finder := &matcher{}
	for i, c := range canaries {
		for _, texts := range forms(c.Value) {
			for _, text := range texts {
				finder.add(text, i)
			}
		}
	}
	finder.build()
	line := []byte(`{"event_name":"page_viewed","subject":{"user_id":"u_1"},"properties":{"email":"user-1@example.com"}}`)
	data := bytes.Repeat(line, 640)
	scan := finder.scanner()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		scan.next(data, func(int, int64) { b.Fatal("found") })
	}
}
