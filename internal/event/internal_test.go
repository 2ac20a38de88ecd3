package event

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// The word-wide tests agree with the plain ones for every byte, at every place in a word, among any neighbours.
func TestWordStepsAgreeWithBytes(t *testing.T) {
	for _, filler := range []byte{'a', 'Z', '0', '_', ' ', '"', '\\', 0x00, 0x1f, 0x7f, 0x80, 0xff} {
		for b := range 256 {
			for at := range 8 {
				word := bytes.Repeat([]byte{'x'}, 8)
				for i := at + 1; i < 8; i++ {
					word[i] = filler
				}
				word[at] = byte(b)
				value := binary.LittleEndian.Uint64(word)
				c := byte(b)
				below := uint64(1)<<(8*at+8) - 1 // marks above the first may be borrowed

				stop := c < ' ' || c == '"' || c == '\\' || c >= 0x80
				require.Equal(t, stop, stops(value)&below != 0, "%q at %d", c, at)
				if !stop {
					usual := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_'
					require.Equal(t, !usual, unusual(value)&below != 0, "%q at %d", c, at)
				}
			}
		}
	}
}

// Names whose hashes collide are still told apart, in the list as in the table.
func TestCollidingNamesAreToldApart(t *testing.T) {
	dict, err := NewDictionary()
	require.NoError(t, err)
	for _, count := range []int{3, listedNames, listedNames + 1, 100} {
		s := NewScanner(dict, Limits{})
		s.env = new([NumEnvelopeFields]int32)
		set := s.names.open(nowhere, 1)
		for i := range count {
			at := len(s.buf)
			s.buf = fmt.Appendf(s.buf, "name%d", i)
			require.False(t, s.repeats(&set, 7, s.buf[at:]))
			s.push(Null, 0, 0, member{place: nowhere, keyStart: uint32(at), keyEnd: uint32(len(s.buf))})
		}
		for i := range count {
			again := set
			require.True(t, s.repeats(&again, 7, fmt.Appendf(nil, "name%d", i)))
		}
	}
}

func TestCollidingGovernedNamesAreToldApart(t *testing.T) {
	p := place{slots: make([]slot, 8)}
	for _, name := range []string{"one", "two", "six"} {
		p.insert(slot{hash: 3, place: &place{name: name, fold: name}})
	}
	for _, name := range []string{"one", "two", "six"} {
		found, near := p.byHash(3, []byte(name))
		require.False(t, near)
		require.Equal(t, name, found.name)
	}
	found, near := p.byHash(3, []byte("TWO"))
	require.True(t, near)
	require.Equal(t, "two", found.name)
	found, near = p.byHash(3, []byte("ten"))
	require.False(t, near)
	require.Same(t, nowhere, found)
}

// Generations start anew before they run out, and nothing of the old ones is taken for the present.
func TestGenerationsWrap(t *testing.T) {
	dict, err := NewDictionary("properties.email")
	require.NoError(t, err)
	s := NewScanner(dict, Limits{})
	var many bytes.Buffer
	for i := range 100 {
		fmt.Fprintf(&many, `"n%d":1,`, i)
	}
	document := []byte(`{"properties":{` + many.String() + `"email":1}}`)
	var ix Index
	for _, generation := range []uint32{0, 1 << 31, 1<<31 - 3, 0, 1<<31 + 5, 1<<31 - 1} {
		s.names.generation = generation // as if that many objects had been read since the last event
		require.NoError(t, s.Scan(document, &ix))
		require.Less(t, s.names.generation, uint32(1<<31+10))
	}
}

// Events that break off in the middle leave nothing behind that would pile up.
func TestBrokenEventsPileNothingUp(t *testing.T) {
	dict, err := NewDictionary()
	require.NoError(t, err)
	s := NewScanner(dict, Limits{})
	var ix Index
	for range 1000 {
		require.Error(t, s.Scan([]byte(`{"a":{"b":1,"c":{"d":1,"e"`), &ix))
	}
	require.LessOrEqual(t, len(s.names.list), 5)
}

// Each governed name is recognised where it is foreseen, and nothing else is taken for it.
func TestForeseenNamesAreExact(t *testing.T) {
	for length := 1; length <= 40; length++ {
		name := bytes.Repeat([]byte("n"), length)
		sp := spell(string(name))
		event := append([]byte(`{"`+string(name)+`":`), "              "...)
		require.True(t, sp.stands(event, 2), "%d", length)
		for at := 2; at < 2+length+2; at++ {
			for _, with := range []byte{'N', '"', '\\', 0, ' ', 'm'} {
				if changed := bytes.Clone(event); changed[at] != with {
					changed[at] = with
					require.False(t, sp.stands(changed, 2), "%s", changed)
				}
			}
		}
		for end := range len(event) {
			if sp.stands(event[:end], 2) {
				require.GreaterOrEqual(t, end, 2+length+2)
			}
		}
	}
}

// A remedy stands for every code the scanner gives.
func TestEveryCodeHasARemedy(t *testing.T) {
	for _, code := range []string{
		CodeSyntax, CodeEmpty, CodeTooLarge, CodeTooDeep, CodeTooManyKeys, CodeKeyTooLong, CodeStringTooLong,
		CodeNumber, CodeUTF8, CodeSurrogate, CodeControlChar, CodeDuplicateName, CodeTrailingData, CodeBOM, CodeNearName, CodeNotObject,
	} {
		require.NotEmpty(t, remedies[code], code)
	}
	require.Len(t, remedies, 16)
}

func TestAsFault(t *testing.T) {
	fault := Fault{Code: CodeSyntax, Path: "a", Remedy: "b"}
	for _, err := range []error{fault, &fault, fmt.Errorf("reading: %w", fault), fmt.Errorf("reading: %w", &fault)} {
		got, ok := AsFault(err)
		require.True(t, ok)
		require.Equal(t, fault, got)
	}
	for _, err := range []error{nil, fmt.Errorf("other")} {
		_, ok := AsFault(err)
		require.False(t, ok)
	}
	require.Equal(t, "event.syntax at a: b", fault.Error())
	require.Equal(t, "event.syntax", Fault{Code: CodeSyntax}.Error())
}

func TestNormalForm(t *testing.T) {
	var n normalizer
	for name, want := range map[string]string{
		"email": "email", "E-Mail_9": "e-mail_9", "Straße": "strasse", "ÉCOLE": "ecole", "\u212aey": "key", "ｅｍａｉｌ": "email",
		" e\u200bmail\t": "email", "ЕМАIL": "email", "имя": "иmя", "कि": "कि", "İP": "ip", "ﬁeld": "field", "①": "1", "\u2800": "", "": "",
	} {
		require.Equal(t, want, string(n.name([]byte(name))), "%q", name)
	}
}
