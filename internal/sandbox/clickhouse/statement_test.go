package clickhouse

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParseStatement(t *testing.T) {
	tests := map[string]statement{
		"SELECT 1":                                {},
		"SELECT 1 FORMAT JSON":                    {format: "JSON"},
		"select 1 format JSON settings a = 1;":    {format: "JSON"},
		"SELECT format FROM t":                    {},
		"SELECT ' FORMAT X', (SELECT 1 FORMAT Y)": {},
		"SELECT 1 -- FORMAT JSON":                 {},
		"SELECT 1 /* ; */ ;":                      {},
		"SELECT 1; SELECT 2":                      {many: true},
		"SELECT ';' ; -- end":                     {},
		"":                                        {empty: true},
		"-- only a comment":                       {empty: true},
		"INSERT INTO t SELECT 1":                  {},
		"INSERT INTO t (a) WITH x AS (SELECT 1) SELECT 1": {},
		"INSERT INTO t (SELECT 1)":                        {},
		"INSERT INTO t FORMAT Native":                     {text: "INSERT INTO t ", format: "Native", insert: true},
		"INSERT INTO t FORMAT CSV\n\n1,2":                 {text: "INSERT INTO t ", format: "CSV", insert: true, data: "\n1,2"},
		"INSERT INTO t FORMAT JSONEachRow {\"a\":';'}":    {text: "INSERT INTO t ", format: "JSONEachRow", insert: true, data: "{\"a\":';'}"},
		"insert into db.format (`values`) values (1)":     {text: "insert into db.format (`values`) ", format: "Values", insert: true, data: " (1)"},
		"/* c */ INSERT INTO select SETTINGS a = 1 VALUES": {
			text: "/* c */ INSERT INTO select SETTINGS a = 1 ", format: "Values", insert: true,
		},
		"INSERT INTO FUNCTION file('x FORMAT CSV') FORMAT TSV": {text: "INSERT INTO FUNCTION file('x FORMAT CSV') ", format: "TSV", insert: true},
		"INSERT INTO t (a, b)":                                 {text: "INSERT INTO t (a, b)", insert: true},
		"INSERT INTO t;":                                       {text: "INSERT INTO t", insert: true},
	}
	for text, want := range tests {
		if want.text == "" {
			want.text = text
		}
		assert.Equal(t, want, parseStatement(text), text)
	}
}

func FuzzParseStatement(f *testing.F) {
	for _, seed := range []string{"SELECT 'a", "INSERT INTO t VALUES (1", "INSERT INTO", "a;b", "(((", "`\\", "/*", "--", "INSERT INTO FUNCTION", "'\\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		st := parseStatement(text)
		assert.True(t, strings.HasPrefix(text, st.text))
		assert.True(t, strings.HasSuffix(text, st.data))
		assert.LessOrEqual(t, len(st.text)+len(st.data), len(text))
	})
}
