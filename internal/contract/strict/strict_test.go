package strict_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

func parse(t *testing.T, text string) (strict.Node, *strict.Problems) {
	t.Helper()
	problems := &strict.Problems{}
	docs := strict.Documents("f.yaml", []byte(text), problems)
	require.NoError(t, problems.Err())
	require.Len(t, docs, 1)
	return docs[0], problems
}

func TestAnyAndSource(t *testing.T) {
	n, problems := parse(t, "a: [1, 2.5, x, true, ~]\nb: { c: { d: 'e' } }\n")
	assert.Equal(t, map[string]any{"a": []any{1, 2.5, "x", true, nil}, "b": map[string]any{"c": map[string]any{"d": "e"}}}, n.Any())
	assert.Equal(t, "{a: [1, 2.5, x, true, ~], b: {c: {d: e}}}", n.Source())
	assert.NoError(t, problems.Err())
}

func TestAbsentValuesAreSilent(t *testing.T) {
	n, problems := parse(t, "a: 1\n")
	absent := n.Object("a", "b").Get("b")
	assert.False(t, absent.Exists())
	assert.Empty(t, absent.Text())
	assert.False(t, absent.Bool())
	assert.Zero(t, absent.Int(1, 2))
	assert.Empty(t, absent.List())
	assert.Zero(t, absent.Retention())
	assert.Equal(t, n.Line(), absent.LineOr(n))
	assert.NoError(t, problems.Err())
}

func TestNumbersAreNotTexts(t *testing.T) {
	n, problems := parse(t, "a: 7\nb: '7'\n")
	o := n.Object("a", "b")
	assert.Equal(t, 7, o.Get("a").Int(1, 9))
	assert.NoError(t, problems.Err())
	o.Get("b").Int(1, 9)
	assert.EqualError(t, problems.Err(), "f.yaml:2: b: is not a whole number in range: write a number from 1 to 9")
}

func TestPeekReportsNothing(t *testing.T) {
	n, problems := parse(t, "a: x\nb: [1]\n")
	text, ok := n.Peek("a")
	assert.True(t, ok)
	assert.Equal(t, "x", text)
	_, ok = n.Peek("b")
	assert.False(t, ok)
	_, ok = n.Object("a", "b").Get("b").Peek("a")
	assert.False(t, ok)
	assert.NoError(t, problems.Err())
}

func TestProblemsAreOrderedAndOnce(t *testing.T) {
	var p strict.Problems
	assert.NoError(t, p.Err())
	p.Add(&strict.Problem{File: "b", Line: 1, What: "third"})
	p.Add(&strict.Problem{File: "a", Line: 10, Field: "x", What: "second", Remedy: "do this"})
	p.Add(&strict.Problem{File: "a", Line: 9, What: "first"})
	p.Add(&strict.Problem{File: "a", Line: 9, What: "first"})
	assert.Equal(t, 4, p.Len())
	assert.EqualError(t, p.Err(), "a:9: first\na:10: x: second: do this\nb:1: third")

	var q strict.Problems
	q.Add(&strict.Problem{File: "a", Line: 11, What: "between"})
	joined := strict.Join(errors.New("disk"), p.Err(), nil, q.Err())
	assert.EqualError(t, joined, "disk\na:9: first\na:10: x: second: do this\na:11: between\nb:1: third")
	assert.NoError(t, strict.Join(nil, nil))
	var problem *strict.Problem
	assert.ErrorAs(t, joined, &problem)
}

func TestMessagesStayOnOneLine(t *testing.T) {
	p := strict.Problem{File: "f", Field: "a\nb\u200bc\u202e", What: strict.Quote("x\ny\x1b[31m" + strings.Repeat("z", 200)), Remedy: "r"}
	assert.NotContains(t, p.Error(), "\n")
	assert.NotContains(t, p.Error(), "\x1b")
	assert.NotContains(t, p.Error(), "\u202e")
	assert.Less(t, len(p.Error()), 150)
	assert.Equal(t, "`??`", strict.Quote("?\xff"))
}

func TestSuggest(t *testing.T) {
	known := []string{"properties.plan", "properties.items[].sku", "keep"}
	for text, want := range map[string]string{
		"properties.paln":          "did you mean `properties.plan`?",
		"PROPERTIES.PLAN":          "did you mean `properties.plan`?",
		"\uff50roperties.plan":     "did you mean `properties.plan`?",
		"plan":                     "did you mean `properties.plan`?",
		"keeep":                    "did you mean `keep`?",
		"something else":           "use one of keep, properties.items[].sku, properties.plan",
		strings.Repeat("x", 10000): "use one of keep, properties.items[].sku, properties.plan",
	} {
		assert.Equal(t, want, strict.Suggest(text, known))
	}
	assert.Equal(t, "remove it", strict.Suggest("x", nil))
	assert.Equal(t, "remove it or correct the spelling", strict.Suggest("xxxxxxx", strings.Split("aaa bbb ccc ddd eee fff ggg hhh iii jjj kkk lll mmm nnn ooo ppp qqq", " ")))
}

func TestDocumentsRefuseWhatReadersCannotFollow(t *testing.T) {
	for name, text := range map[string]string{
		"too large":       strings.Repeat("# x\n", 1<<18) + "#",
		"an anchor":       "a: &x 1\n",
		"an alias":        "a: &x 1\nb: *x\n",
		"an alias as key": "a: &x 1\n*x : 2\n",
		"a tag":           "a: !!binary aGk=\n",
		"a custom tag":    "a: !env HOME\n",
		"a merge":         "a: {b: 1}\n<<: {c: 2}\n",
		"no YAML":         "a: [1\n",
		"a tab":           "a:\n\t- b\n",
	} {
		t.Run(name, func(t *testing.T) {
			var problems strict.Problems
			assert.Empty(t, strict.Documents("f.yaml", []byte(text), &problems))
			require.Error(t, problems.Err())
			assert.Contains(t, problems.Err().Error(), "f.yaml")
		})
	}
}

func FuzzDocuments(f *testing.F) {
	f.Add([]byte("a: {b: [1, 2, {c: d}]}\n---\ne: ~\n"))
	f.Add([]byte("? {a: b}\n: c\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		var problems strict.Problems
		for _, doc := range strict.Documents("f.yaml", src, &problems) {
			doc.Any()
			doc.Source()
			doc.Object("a", "b")
		}
		for _, p := range problems.Sorted() {
			require.NotContains(t, p.Error(), "\n")
		}
	})
}
