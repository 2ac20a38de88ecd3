package mask

import (
	"bytes"
	"sync"
	"unicode/utf8"
)

// What Scrub puts in place of what it finds.
const (
	labelEmail = "[email]"
	labelPhone = "[phone]"
	labelCard  = "[card]"
	labelIP    = "[ip]"
)

var errScrub = &Error{"mask.scrub", "text in UTF-8"}

var scrubbers = sync.Pool{New: func() any { return new(scrubber) }}

type scrub struct{}

// Scrub replaces what looks like an e-mail address, a phone or card number or an IP address in free text by [email],
// [phone], [card] and [ip]. It prefers to take too much: every run of seven digits or more goes, with the spaces and
// punctuation between them, unless it is a date such as 2026-04-13; a run that holds a valid card number is labelled
// [card]. Other scripts' digits, full-width forms, invisible characters, combining marks and %40 do not hide anything.
// Addresses in words ("alice at example"), names and encoded text (base64, hex) are not found: free text stays a risk
// that a policy has to weigh.
func Scrub() Transform { return scrub{} }

func (scrub) Name() string { return "scrub" }

func (scrub) Kinds() Kinds { return String }

func (scrub) Append(dst, text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return dst, errScrub
	}
	s := scrubbers.Get().(*scrubber)
	dst = s.run(dst, text)
	s.dst, s.text, s.plain = nil, nil, nil
	scrubbers.Put(s)
	return dst, nil
}

// scrubber looks for spans in plain, which is text itself or its folded form, and copies the rest of text to dst.
type scrubber struct {
	folded folded
	text   []byte
	plain  []byte
	dst    []byte
	done   int // how much of text is in dst or replaced
}

func (s *scrubber) run(dst, text []byte) []byte {
	s.dst, s.text, s.plain, s.done = dst, text, s.folded.fold(text), 0
	from, searched := 0, 0
	for {
		at, width := nextAt(s.plain, searched)
		if width == 0 {
			break
		}
		start, end := emailAround(s.plain, from, at, width)
		if start < end {
			s.numbers(from, start)
			s.replace(start, end, labelEmail)
			from = end
		}
		searched = max(end, at+width)
	}
	s.numbers(from, len(s.plain))
	return append(s.dst, s.text[s.done:]...)
}

// replace copies what is before the span and puts the label in its place.
func (s *scrubber) replace(start, end int, label string) {
	textStart, textEnd := s.folded.span(start, end)
	s.dst = append(s.dst, s.text[s.done:max(s.done, textStart)]...)
	s.dst = append(s.dst, label...)
	s.done = max(s.done, textEnd)
}

// numbers replaces IP addresses and long numbers in plain[from:to].
func (s *scrubber) numbers(from, to int) {
	plain := s.plain[:to]
	starts := classDigit
	if bytes.IndexByte(plain[from:], ':') >= 0 {
		starts |= classHex | classColon // only an IPv6 address starts with those
	}
	for i := from; i < to; {
		if classes[plain[i]]&starts == 0 {
			i++
			continue
		}
		n, label := numberAt(plain, from, i)
		if label != "" {
			start := i
			for label != labelIP && start > from && (plain[start-1] == '+' || plain[start-1] == '(') {
				start--
			}
			s.replace(start, i+n, label)
			from = i + n // what was replaced is no context for what follows
		}
		i += n
	}
}
