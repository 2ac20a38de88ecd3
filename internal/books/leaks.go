package books

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Canary is a unique text that was planted in an event and must not be found where it is not allowed. Field is the
// path it was planted at.
type Canary struct {
	Value string `json:"value"`
	Field string `json:"field"`
}

// Source is a place to search: a name for reports, and a function that gives its bytes as a stream. Read may be
// called once; the stream is closed when it has been read.
type Source struct {
	Name string
	Read func(ctx context.Context) (io.ReadCloser, error)
}

// Leak is one canary found in one source. Form says how it was written there; Offset is the position of its end in
// the stream, in bytes. Several finds of the same canary in the same form at one source are one Leak with a count.
type Leak struct {
	Source string `json:"source"`
	Field  string `json:"field"`
	Canary string `json:"canary"`
	Form   string `json:"form"`
	Offset int64  `json:"first_offset"`
	Times  int    `json:"times"`
}

// Leaks searches all sources for all canaries in every form that Forms lists, also where a canary lies across two
// reads. It returns what it found, in the order of the sources, or an error when a source could not be read to its
// end: a search that was not completed proves nothing.
func Leaks(ctx context.Context, sources []Source, canaries []Canary) ([]Leak, error) {
	finder := &matcher{}
	var patterns []pattern
	for _, c := range canaries {
		if len(c.Value) < minCanary {
			return nil, fmt.Errorf("preparing the search for canaries of %s: a canary needs %d bytes or more", c.Field, minCanary)
		}
		for form, texts := range forms(c.Value) {
			for _, text := range texts {
				finder.add(text, len(patterns))
				patterns = append(patterns, pattern{c, form})
			}
		}
	}
	finder.build()
	var leaks []Leak
	for _, source := range sources {
		found, err := search(ctx, source, finder, patterns)
		if err != nil {
			return nil, fmt.Errorf("searching %s for canaries: %w", source.Name, err)
		}
		leaks = append(leaks, found...)
	}
	return leaks, nil
}

type pattern struct {
	canary Canary
	form   string
}

// minCanary is the shortest canary that is searched for: shorter ones would be found by chance.
const minCanary = 8

// searchBuffer is how much of a source is held at a time.
const searchBuffer = 64 << 10

func search(ctx context.Context, source Source, finder *matcher, patterns []pattern) ([]Leak, error) {
	stream, err := source.Read(ctx)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	found := map[pattern]*Leak{}
	scan := finder.scanner()
	buf := make([]byte, searchBuffer)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := stream.Read(buf)
		scan.next(buf[:n], func(id int, end int64) {
			p := patterns[id]
			if found[p] == nil {
				found[p] = &Leak{source.Name, p.canary.Field, p.canary.Value, p.form, end, 0}
			}
			found[p].Times++
		})
		if err == io.EOF {
			return sorted(found), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func sorted(found map[pattern]*Leak) []Leak {
	var out []Leak
	for leak := range maps.Values(found) {
		out = append(out, *leak)
	}
	slices.SortFunc(out, func(a, b Leak) int {
		return strings.Compare(a.Canary+"\x00"+a.Form, b.Canary+"\x00"+b.Form)
	})
	return out
}

// forms gives the texts to search for, by form. The matcher folds ASCII letters, so raw, lower-case and upper-case
// finds of plain ASCII are all "raw", and both hex alphabets are one. Base64 is searched at all three alignments,
// without the characters that neighbours decide.
func forms(value string) map[string][]string {
	out := map[string][]string{
		"raw":      {value},
		"reversed": {reverse(value)},
		"hex":      {hex.EncodeToString([]byte(value))},
		"base64":   base64Forms(value),
	}
	quoted := strconv.QuoteToASCII(value)
	extra := map[string]string{
		"lower":        strings.ToLower(value),
		"upper":        strings.ToUpper(value),
		"url":          url.QueryEscape(value),
		"path":         url.PathEscape(value),
		"percent":      escape([]byte(value), "%%%02x"),
		"json":         quoted[1 : len(quoted)-1],
		"json escaped": escape([]rune(value), `\u%04x`),
	}
	for form, text := range extra {
		if !bytes.Equal(folds(text), folds(value)) {
			out[form] = []string{text}
		}
	}
	return out
}

// base64Forms is the part of value's base64 that is the same whatever precedes or follows it, for the three ways
// it can fall on the encoding's groups, in both alphabets.
func base64Forms(value string) []string {
	var out []string
	for shift := range 3 {
		padded := append(make([]byte, shift), value...)
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := alphabet.EncodeToString(padded)
			// The characters that carry bits of the filler, or of what follows value, are cut off.
			text = text[[3]int{0, 2, 3}[shift] : len(padded)*8/6]
			if !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	return out
}

func reverse(text string) string {
	runes := []rune(text)
	slices.Reverse(runes)
	return string(runes)
}

// escape writes every unit, letters too, as an escape of its own.
func escape[Unit byte | rune](units []Unit, verb string) string {
	var out strings.Builder
	for _, unit := range units {
		fmt.Fprintf(&out, verb, unit)
	}
	return out.String()
}
