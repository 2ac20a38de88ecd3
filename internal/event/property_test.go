package event_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/event"
)

// document is a random JSON value together with the text of one way to write it.
type document struct {
	lines  []string // as linesOfTape prints it
	spaced string   // with random escapes and white space
}

var documentNames = rapid.OneOf(
	rapid.SampledFrom([]string{"email", "properties", "consent", "plan", "größe", "first name", "items", "sku", "a_rather_long_governed_property_name"}),
	rapid.StringMatching(`[a-z]{0,20}`),
	rapid.StringN(0, 20, 60),
)

func drawDocument(t *rapid.T, path string, depth int) document {
	kinds := []string{"string", "number", "literal", "object", "array"}
	if depth > 4 {
		kinds = kinds[:3]
	}
	switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
	case "object", "array":
		return drawContainer(t, path, depth, kind == "object")
	case "string":
		text := rapid.String().Draw(t, "text")
		return document{[]string{fmt.Sprintf("%s string %q", path, text)}, drawSpelling(t, text)}
	case "number":
		number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,10})?([eE][-+]?[0-9]{1,2})?`).Draw(t, "number")
		return document{[]string{path + " " + number}, number}
	}
	literal := rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "literal")
	return document{[]string{path + " " + literal}, literal}
}

func drawContainer(t *rapid.T, path string, depth int, object bool) document {
	brackets := "[]"
	if object {
		brackets = "{}"
	}
	d := document{lines: []string{path + " " + brackets[:1]}}
	var parts []string
	for i, name := range rapid.SliceOfNDistinct(documentNames, 0, 24, func(name string) string { return name }).Draw(t, "names") {
		step, prefix := fmt.Sprint(i), ""
		if object {
			step, prefix = fmt.Sprintf("%q", name), drawSpelling(t, name)+drawSpace(t)+":"+drawSpace(t)
		}
		child := drawDocument(t, path+"/"+step, depth+1)
		d.lines = append(d.lines, child.lines...)
		parts = append(parts, drawSpace(t)+prefix+child.spaced+drawSpace(t))
	}
	d.lines = append(d.lines, path+" "+brackets[1:])
	d.spaced = brackets[:1] + drawSpace(t) + strings.Join(parts, ",") + brackets[1:]
	return d
}

func drawSpace(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r\n  "}).Draw(t, "space")
}

func drawSpelling(t *rapid.T, text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		escape := rapid.IntRange(0, 5).Draw(t, "escape") == 0
		switch short := strings.IndexRune("\"\\/\b\f\n\r\t", r); {
		case escape && r > 0xffff:
			fmt.Fprintf(&b, `\u%04x\u%04X`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		case escape:
			fmt.Fprintf(&b, `\u%04x`, r)
		case short >= 0 && r != '/':
			b.WriteString(`\` + `"\/bfnrt`[short:short+1])
		case r < ' ':
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// The scanner reads what was meant however it is written, and refuses a random document only for its names.
func TestRandomDocumentsAreReadAsMeant(t *testing.T) {
	scanner := event.NewScanner(newTestDictionary(t), event.Limits{})
	nameless, err := event.NewDictionary()
	require.NoError(t, err)
	lax := event.NewScanner(nameless, event.Limits{})
	rapid.Check(t, func(t *rapid.T) {
		d := drawContainer(t, "", 0, true)
		var ix event.Index
		if err := scanner.Scan([]byte(d.spaced), &ix); err != nil {
			fault, _ := event.AsFault(err)
			require.Contains(t, []string{event.CodeNearName, event.CodeControlChar}, fault.Code, d.spaced)
			if err := lax.Scan([]byte(d.spaced), &ix); err != nil {
				return
			}
		}
		require.Equal(t, d.lines, linesOfTape(ix.Root(), "", nil))
		requireAgreement(t, &ix)
	})
}

// Repeating any name of any object anywhere in a document is found.
func TestAnyRepeatedNameIsFound(t *testing.T) {
	nameless, err := event.NewDictionary()
	require.NoError(t, err)
	scanner := event.NewScanner(nameless, event.Limits{})
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringN(0, 12, 40), 1, 60, func(name string) string {
			return strings.ReplaceAll(name, "\x00", "")
		}).Draw(t, "names")
		var parts []string
		for _, name := range names {
			parts = append(parts, drawSpelling(t, strings.ReplaceAll(name, "\x00", ""))+":"+drawDocument(t, "", 5).spaced)
		}
		var ix event.Index
		require.NoError(t, scanner.Scan([]byte(`{"p_":{`+strings.Join(parts, ",")+`}}`), &ix))

		again := rapid.SampledFrom(names).Draw(t, "again")
		at := rapid.IntRange(0, len(parts)).Draw(t, "at")
		member := drawSpelling(t, strings.ReplaceAll(again, "\x00", "")) + ":0"
		parts = append(parts[:at:at], append([]string{member}, parts[at:]...)...)
		err := scanner.Scan([]byte(`{"p_":{`+strings.Join(parts, ",")+`}}`), &ix)
		fault, _ := event.AsFault(err)
		require.Equal(t, event.CodeDuplicateName, fault.Code)
	})
}

// Changing the case of any letters of a governed name, and hiding any invisible character in it, never gets past.
func TestNoDisguiseOfAGovernedNameGetsPast(t *testing.T) {
	scanner := event.NewScanner(newTestDictionary(t), event.Limits{})
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"email", "key", "plan", "a_rather_long_governed_property_name"}).Draw(t, "name")
		var b strings.Builder
		for _, r := range name {
			if rapid.Bool().Draw(t, "upper") {
				r = []rune(strings.ToUpper(string(r)))[0]
			}
			b.WriteRune(r)
			b.WriteString(rapid.SampledFrom([]string{"", "", "", "\u200b", "\u00ad", "\ufe0f", "\u0301", "\x01"}).Draw(t, "hidden"))
		}
		if b.String() == name {
			return
		}
		var ix event.Index
		err := scanner.Scan([]byte(`{"properties":{`+drawSpelling(t, b.String())+`:1}}`), &ix)
		fault, _ := event.AsFault(err)
		require.Equal(t, event.CodeNearName, fault.Code)
	})
}
