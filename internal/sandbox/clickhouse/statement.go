package clickhouse

import "strings"

// statement is what the text of a request asks for, as far as HTTP must know:
// whether rows follow, in which format they come or go, and where they begin.
type statement struct {
	text   string // without FORMAT and data when insert
	format string // as written in the text; empty when it names none
	insert bool   // an INSERT whose rows follow the text
	data   string // what of those rows stands in the text itself
	many   bool   // more than one statement
	empty  bool   // nothing but blanks and comments
}

// parseStatement reads a statement's outline. It knows ClickHouse's lexical
// rules (comments, quotes, brackets), not its grammar: the engine judges that.
func parseStatement(text string) statement {
	lex := lexer{text: text}
	tokens := lex.outline()
	if len(tokens) == 0 {
		return statement{text: text, empty: true}
	}
	if tokens[0].is("INSERT") {
		if st, ok := insertOutline(text, tokens); ok {
			return st
		}
	}
	return selectOutline(text, tokens)
}

// insertOutline finds where an INSERT's rows begin. It reports false when the
// rows come from a query, so that the text is a whole.
func insertOutline(text string, tokens []token) (statement, bool) {
	i := insertTarget(tokens)
	for ; i < len(tokens); i++ {
		switch t := tokens[i]; {
		case t.is("SELECT"), t.is("WITH"), t.is("FROM"), t.is("WATCH"), t.nestedSelect:
			return statement{}, false
		case t.is("VALUES"):
			return statement{text: text[:t.start], format: "Values", insert: true, data: text[t.end:]}, true
		case t.is("FORMAT") && i+1 < len(tokens) && tokens[i+1].kind == word:
			name := tokens[i+1]
			return statement{text: text[:t.start], format: name.text, insert: true, data: afterFormat(text[name.end:])}, true
		case t.kind == semicolon:
			return statement{text: text[:t.start], insert: true}, true
		}
	}
	return statement{text: text, insert: true}, true
}

// insertTarget skips "INSERT INTO [TABLE] [db.]table": a table may be named
// like a keyword.
func insertTarget(tokens []token) int {
	i := 1
	for i < len(tokens) && (tokens[i].is("INTO") || tokens[i].is("TABLE")) {
		i++
	}
	if i < len(tokens) && tokens[i].is("FUNCTION") {
		i++
	}
	i++
	for i+1 < len(tokens) && tokens[i].kind == dot {
		i += 2
	}
	return i
}

// afterFormat drops what ClickHouse drops between a format's name and the
// rows: blanks, then at most one line end.
func afterFormat(rest string) string {
	rest = strings.TrimLeft(rest, " \t\f")
	rest = strings.TrimPrefix(rest, "\r")
	return strings.TrimPrefix(rest, "\n")
}

// selectOutline finds a trailing FORMAT clause and further statements.
func selectOutline(text string, tokens []token) statement {
	st := statement{text: text}
	end := len(tokens)
	for i, t := range tokens {
		if t.kind == semicolon {
			st.many = i+1 < len(tokens)
			end = i
			break
		}
	}
	for i := 0; i+1 < end; i++ {
		if !tokens[i].is("FORMAT") || tokens[i+1].kind != word {
			continue
		}
		if i+2 == end || tokens[i+2].is("SETTINGS") {
			st.format = tokens[i+1].text
		}
	}
	return st
}
