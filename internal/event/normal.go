package event

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"
)

// normalizer brings a name to the form near-names share with the governed name: compatibility decomposed, case folded,
// without marks, control, format, zero-width and ignorable characters, look-alike letters replaced by the Latin ones, and
// without white space around it. Its buffers are reused, so it is not for concurrent use.
type normalizer struct {
	fold   cases.Caser
	ready  bool
	iter   norm.Iter
	first  []byte
	second []byte
}

// name gives the normal form, valid until the next call. Names of ASCII letters, digits, underscores and hyphens come out
// in lower case, which the scanner's fast path relies on.
func (n *normalizer) name(name []byte) []byte {
	if !n.ready {
		n.fold, n.ready = cases.Fold(), true
	}
	n.first = n.decomposed(n.first[:0], name)
	n.second = n.folded(n.second, n.first)
	n.first = n.decomposed(n.first[:0], n.second)
	n.second = n.second[:0]
	for rest := n.first; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		rest = rest[size:]
		if r >= utf8.RuneSelf {
			if like, ok := lookalikes[r]; ok {
				r = like
			}
		}
		if !ignorable(r) {
			n.second = utf8.AppendRune(n.second, r)
		}
	}
	return bytes.TrimFunc(n.second, unicode.IsSpace)
}

func (n *normalizer) decomposed(dst, src []byte) []byte {
	for n.iter.Init(norm.NFKD, src); !n.iter.Done(); {
		dst = append(dst, n.iter.Next()...)
	}
	return dst
}

// folded case-folds src over dst. Folding at most triples a name, so the room always suffices.
func (n *normalizer) folded(dst, src []byte) []byte {
	if room := 3*len(src) + 16; cap(dst) < room {
		dst = make([]byte, room)
	}
	dst = dst[:cap(dst)]
	n.fold.Reset()
	written, _, _ := n.fold.Transform(dst, src, true)
	return dst[:written]
}

func ignorable(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' && !unicode.IsSpace(r) || r == 0x7f
	}
	return unicode.Is(ignorables, r)
}

// ignorables holds, of the combining marks, only those that decorate a letter; scripts such as Devanagari need theirs.
var ignorables = rangetable.Merge(unicode.Cc, unicode.Cf, unicode.Variation_Selector,
	unicode.Other_Default_Ignorable_Code_Point, &unicode.RangeTable{R16: []unicode.Range16{
		{Lo: 0x0300, Hi: 0x036f, Stride: 1},
		{Lo: 0x1ab0, Hi: 0x1aff, Stride: 1},
		{Lo: 0x1dc0, Hi: 0x1dff, Stride: 1},
		{Lo: 0x20d0, Hi: 0x20ff, Stride: 1},
		{Lo: 0x2800, Hi: 0x2800, Stride: 1},
		{Lo: 0xfe20, Hi: 0xfe2f, Stride: 1},
	}})

// lookalikes are letters, after case folding, that a reader takes for the Latin one in either case.
var lookalikes = map[rune]rune{
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'н': 'h', 'һ': 'h', 'і': 'i', 'ј': 'j', 'к': 'k', 'ӏ': 'l',
	'м': 'm', 'о': 'o', 'р': 'p', 'ԛ': 'q', 'ѕ': 's', 'т': 't', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x', 'у': 'y', 'ү': 'y',
	'α': 'a', 'β': 'b', 'ε': 'e', 'ζ': 'z', 'η': 'h', 'ι': 'i', 'κ': 'k', 'μ': 'm', 'ν': 'v', 'ο': 'o', 'ρ': 'p',
	'τ': 't', 'υ': 'u', 'χ': 'x', 'ϲ': 'c', 'ϳ': 'j', 'ı': 'i', 'ȷ': 'j', 'ɑ': 'a', 'ɡ': 'g', 'ɩ': 'i', 'ɪ': 'i',
	'ᴀ': 'a', 'ʙ': 'b', 'ᴄ': 'c', 'ᴅ': 'd', 'ᴇ': 'e', 'ɢ': 'g', 'ʜ': 'h', 'ᴊ': 'j', 'ᴋ': 'k', 'ʟ': 'l', 'ᴍ': 'm', 'ɴ': 'n',
	'ᴏ': 'o', 'ᴘ': 'p', 'ʀ': 'r', 'ꜱ': 's', 'ᴛ': 't', 'ᴜ': 'u', 'ᴠ': 'v', 'ᴡ': 'w', 'ʏ': 'y', 'ᴢ': 'z', '‿': '_', '⁀': '_',
	'օ': 'o', 'ս': 'u', 'հ': 'h', 'ո': 'n', '‐': '-', '‑': '-', '‒': '-', '–': '-', '−': '-', '․': '.', '∕': '/', '⁄': '/',
}

// firstStep is the first name of a key that is written as a path, `email` of `$.email[0]` or `/email`, and whether the key
// has any path punctuation. It works on the normal form. Steps that only select (digits, `$`, `*`, `@`, `#`) are passed.
func firstStep(key []byte) ([]byte, bool) {
	if !bytes.ContainsAny(key, pathPunctuation) {
		return nil, false
	}
	for len(key) > 0 {
		step, rest := key, []byte(nil)
		if at := bytes.IndexAny(key, pathPunctuation); at >= 0 {
			step, rest = key[:at], key[at+1:]
		}
		if step = bytes.TrimSpace(step); len(bytes.Trim(step, "0123456789$*@#")) > 0 {
			return step, true
		}
		key = rest
	}
	return nil, true
}

const pathPunctuation = ".[]/\\'\"`"
