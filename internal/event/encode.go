package event

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// AppendValue writes v in canonical form: no white space, names and strings with the fewest escapes, numbers as they were
// sent, members in their own order. Scanning the output gives an equal document, and encoding that changes nothing.
func AppendValue(dst []byte, v Value) []byte {
	n := v.node()
	switch {
	case n.Kind == String && n.Flags&ValueEscaped != 0:
		return appendResolved(dst, v.ix.Buf[n.Start:n.End])
	case n.Kind == String:
		return append(dst, v.ix.Buf[n.Start-1:n.End+1]...) // with its quotes
	case n.Kind >= Object && n.Flags&Canonical == 0:
		return v.ix.appendContainer(dst, v.pos)
	}
	return append(dst, v.ix.Buf[n.Start:n.End]...)
}

// AppendKey writes the name of an object member in canonical form, quoted, without the colon.
func AppendKey(dst []byte, v Value) []byte {
	n := v.node()
	if n.Flags&KeyEscaped != 0 {
		return appendResolved(dst, v.ix.Buf[n.KeyStart:n.KeyEnd])
	}
	return append(dst, v.ix.Buf[n.KeyStart-1:n.KeyEnd+1]...)
}

// AppendMember writes an object member in canonical form, name, colon and value. Where the event has it in that form it is
// one copy, so this is the way to pick members out of an event.
func AppendMember(dst []byte, v Value) []byte {
	n := v.node()
	start, end := n.Start, n.End
	if n.Kind == String {
		start, end = start-1, end+1
	}
	tidy := n.Flags&(KeyEscaped|ValueEscaped) == 0 && (n.Kind < Object || n.Flags&Canonical != 0)
	if tidy && start == n.KeyEnd+uint32(len(`":`)) {
		return append(dst, v.ix.Buf[n.KeyStart-1:end]...)
	}
	return AppendValue(append(AppendKey(dst, v), ':'), v)
}

func (ix *Index) appendContainer(dst []byte, at uint32) []byte {
	n := &ix.Nodes[at]
	dst = append(dst, ix.Buf[n.Start])
	for child := at + 1; child < n.Next; child = ix.Nodes[child].Next {
		if child > at+1 {
			dst = append(dst, ',')
		}
		if v := (Value{ix: ix, pos: child}); n.Kind == Object {
			dst = AppendMember(dst, v)
		} else {
			dst = AppendValue(dst, v)
		}
	}
	return append(dst, ix.Buf[n.End-1])
}

// appendResolved writes a string that has escapes: every one resolved, and only those written again that must be.
func appendResolved(dst, raw []byte) []byte {
	dst = append(dst, '"')
	for {
		next := bytes.IndexByte(raw, '\\')
		if next < 0 {
			break
		}
		dst = append(dst, raw[:next]...)
		r, size := unescapeRune(raw[next:])
		if r < ' ' || r == '"' || r == '\\' {
			dst = appendEscape(dst, byte(r))
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		raw = raw[next+size:]
	}
	dst = append(dst, raw...)
	return append(dst, '"')
}

// AppendString writes text as a JSON string with the fewest escapes: quote, backslash and control characters. Bytes that
// are not UTF-8 become U+FFFD, so the output is always valid.
func AppendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	for len(text) > 0 {
		run := plainRun(text)
		dst = append(dst, text[:run]...)
		if text = text[run:]; len(text) == 0 {
			break
		}
		if c := text[0]; c < utf8.RuneSelf {
			dst = appendEscape(dst, c)
			text = text[1:]
			continue
		}
		r, size := utf8.DecodeRune(text)
		dst = utf8.AppendRune(dst, r)
		text = text[size:]
	}
	return append(dst, '"')
}

// plainRun is how many bytes from the start need neither an escape nor a look at their encoding.
func plainRun(text []byte) int {
	at := 0
	for at+8 <= len(text) && stops(binary.LittleEndian.Uint64(text[at:])) == 0 {
		at += 8
	}
	for at < len(text) && text[at] >= ' ' && text[at] < utf8.RuneSelf && text[at] != '"' && text[at] != '\\' {
		at++
	}
	return at
}

const lowerHex = "0123456789abcdef"

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', lowerHex[c>>4], lowerHex[c&15])
}
