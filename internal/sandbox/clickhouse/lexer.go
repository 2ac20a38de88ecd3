package clickhouse

import "strings"

type tokenKind uint8

const (
	word tokenKind = iota
	dot
	semicolon
	other
)

// token is a lexeme outside all brackets; a bracketed group is one `other`.
type token struct {
	kind         tokenKind
	text         string
	start, end   int
	nestedSelect bool // a group that begins with SELECT or WITH
}

// is reports whether the token is the given bare keyword, in any case.
func (t token) is(keyword string) bool {
	return t.kind == word && strings.EqualFold(t.text, keyword)
}

// lexer cuts a text into the tokens of its outermost level.
type lexer struct {
	text   string
	at     int
	tokens []token
}

// outline returns the outermost tokens. Broken text (an open quote, an open
// bracket) ends the last token at the end of the text.
func (l *lexer) outline() []token {
	for {
		l.skipBlanks()
		if l.at >= len(l.text) {
			return l.tokens
		}
		start := l.at
		t := token{kind: other, start: start}
		switch c := l.text[l.at]; {
		case isWordByte(c):
			for l.at < len(l.text) && isWordByte(l.text[l.at]) {
				l.at++
			}
			t.kind = word
		case c == '(' || c == '[' || c == '{':
			t.nestedSelect = l.skipGroup()
		case c == '.':
			l.at++
			t.kind = dot
		case c == ';':
			l.at++
			t.kind = semicolon
		default:
			l.skipOne()
		}
		t.end, t.text = l.at, l.text[start:l.at]
		l.tokens = append(l.tokens, t)
		if l.rowsFollow() {
			return l.tokens
		}
	}
}

// rowsFollow reports that the tokens so far introduce an INSERT's rows: those
// are data, to which the lexical rules do not apply.
func (l *lexer) rowsFollow() bool {
	n := len(l.tokens)
	if n < 3 || !l.tokens[0].is("INSERT") || n <= insertTarget(l.tokens) {
		return false
	}
	last, before := l.tokens[n-1], l.tokens[n-2]
	if last.is("VALUES") {
		return true
	}
	return n-1 > insertTarget(l.tokens) && before.is("FORMAT") && last.kind == word
}

// skipGroup passes a bracketed group and reports whether it holds a query.
func (l *lexer) skipGroup() bool {
	l.at++
	l.skipBlanks()
	rest := strings.ToUpper(l.text[l.at:min(len(l.text), l.at+6)])
	query := strings.HasPrefix(rest, "SELECT") || strings.HasPrefix(rest, "WITH")
	for depth := 1; depth > 0 && l.at < len(l.text); {
		l.skipBlanks()
		if l.at >= len(l.text) {
			break
		}
		switch l.text[l.at] {
		case '(', '[', '{':
			depth++
			l.at++
		case ')', ']', '}':
			depth--
			l.at++
		default:
			l.skipOne()
		}
	}
	return query
}

// skipOne passes a quoted text or one byte.
func (l *lexer) skipOne() {
	quote := l.text[l.at]
	l.at++
	if quote != '\'' && quote != '"' && quote != '`' {
		return
	}
	for l.at < len(l.text) {
		switch l.text[l.at] {
		case '\\':
			l.at++
		case quote:
			l.at++
			return // a doubled quote reads as two texts side by side, which is as good
		}
		l.at++
	}
	l.at = min(l.at, len(l.text))
}

// skipBlanks passes white space and comments.
func (l *lexer) skipBlanks() {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case strings.ContainsRune(" \t\r\n\f\v", rune(rest[0])):
			l.at++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "#!"), strings.HasPrefix(rest, "# "):
			l.skipPast(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			l.skipPast(rest, "*/")
		default:
			return
		}
	}
}

func (l *lexer) skipPast(rest, end string) {
	if n := strings.Index(rest, end); n >= 0 {
		l.at += n + len(end)
		return
	}
	l.at = len(l.text)
}

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
