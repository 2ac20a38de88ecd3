package clickhouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/plugtest"
)

func open(t testing.TB, dsn string, compression clickhouse.Compression) *clickhouse.Client {
	t.Helper()
	client, err := clickhouse.Open(clickhouse.Options{DSN: dsn, Compression: compression, Timeout: 20 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func column(t testing.TB, name, typ string) *clickhouse.Column {
	t.Helper()
	parsed, err := clickhouse.ParseType(typ)
	require.NoError(t, err)
	return clickhouse.NewColumn(name, parsed)
}

// asText reads a table as one line of text per row, in the server's own words.
func asText(t testing.TB, client *clickhouse.Client, query string) []string {
	t.Helper()
	var lines []string
	require.NoError(t, client.Query(t.Context(), query, nil, func(scan func(...any) error) error {
		var line string
		defer func() { lines = append(lines, line) }()
		return scan(&line)
	}))
	return lines
}

// cell is a column type, how its value is appended, and how the server then words it.
type cell struct {
	typ    string
	append func(c *clickhouse.Column) bool
	want   string
}

func text(s string) func(*clickhouse.Column) bool {
	return func(c *clickhouse.Column) bool { return c.AppendText([]byte(s)) }
}

func none(c *clickhouse.Column) bool {
	c.AppendNone()
	return true
}

func moment(s string) func(*clickhouse.Column) bool {
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return func(c *clickhouse.Column) bool { return c.AppendTime(at) }
}

func list(items ...string) func(*clickhouse.Column) bool {
	return func(c *clickhouse.Column) bool {
		for _, item := range items {
			c.AppendElement([]byte(item))
		}
		c.EndArray()
		return true
	}
}

var cells = []cell{
	{"String", text("grün\n'quoted'"), "grün\n'quoted'"},
	{"String", none, ""},
	{"LowCardinality(String)", text("pro"), "pro"},
	{"LowCardinality(String)", none, ""},
	{"LowCardinality(Nullable(String))", text(""), ""},
	{"LowCardinality(Nullable(String))", none, "\\N"},
	{"FixedString(4)", text("abcd"), "abcd"},
	{"Nullable(FixedString(4))", none, "\\N"},
	{"UUID", text("61f0c404-5cb3-11e7-907b-a6006ad3dba0"), "61f0c404-5cb3-11e7-907b-a6006ad3dba0"},
	{"Bool", func(c *clickhouse.Column) bool { return c.AppendBool(true) }, "true"},
	{"Nullable(Bool)", none, "\\N"},
	{"Int8", func(c *clickhouse.Column) bool { return c.AppendInt(-128) }, "-128"},
	{"Int16", func(c *clickhouse.Column) bool { return c.AppendInt(-32768) }, "-32768"},
	{"Int32", func(c *clickhouse.Column) bool { return c.AppendInt(-2147483648) }, "-2147483648"},
	{"Int64", func(c *clickhouse.Column) bool { return c.AppendInt(-9223372036854775808) }, "-9223372036854775808"},
	{"UInt8", func(c *clickhouse.Column) bool { return c.AppendInt(255) }, "255"},
	{"UInt16", func(c *clickhouse.Column) bool { return c.AppendInt(65535) }, "65535"},
	{"UInt32", func(c *clickhouse.Column) bool { return c.AppendUint(4294967295) }, "4294967295"},
	{"UInt64", func(c *clickhouse.Column) bool { return c.AppendUint(18446744073709551615) }, "18446744073709551615"},
	{"Float32", func(c *clickhouse.Column) bool { return c.AppendFloat(1.5) }, "1.5"},
	{"Float64", func(c *clickhouse.Column) bool { return c.AppendFloat(-0.1) }, "-0.1"},
	{"Nullable(Float64)", none, "\\N"},
	{"Date", moment("2026-04-13T23:59:59.999Z"), "2026-04-13"},
	{"Date32", moment("1950-01-02T03:04:05Z"), "1950-01-02"},
	{"DateTime('UTC')", moment("2026-04-13T09:59:58.999Z"), "2026-04-13 09:59:58"},
	{"DateTime64(3, 'UTC')", moment("2026-04-13T09:59:58.1209+00:00"), "2026-04-13 09:59:58.120"},
	{"DateTime64(3, 'UTC')", moment("1969-12-31T23:59:59.250Z"), "1969-12-31 23:59:59.250"},
	{"DateTime64(9, 'UTC')", moment("2026-04-13T09:59:58.123456789Z"), "2026-04-13 09:59:58.123456789"},
	{"Nullable(DateTime64(6, 'UTC'))", none, "\\N"},
	{"Array(String)", list("a", "", "c"), "['a','','c']"},
	{"Array(String)", none, "[]"},
	{"Array(LowCardinality(String))", list("never"), ""},
}

func TestColumnsArriveAsTheyWereAppended(t *testing.T) {
	dsn := plugtest.ClickHouse(t)
	for _, compression := range []clickhouse.Compression{clickhouse.LZ4, clickhouse.ZSTD, clickhouse.None} {
		t.Run(string(compression), func(t *testing.T) {
			client := open(t, dsn, compression)
			table := "cells_" + string(compression)
			var block []*clickhouse.Column
			var want, texts string
			ddl := "CREATE TABLE " + table + " ("
			for i, cell := range cells[:len(cells)-1] {
				name := fmt.Sprintf("c%02d", i)
				ddl += name + " " + cell.typ + ", "
				c := column(t, name, cell.typ)
				for range 3 {
					require.True(t, cell.append(c), cell.typ)
				}
				block = append(block, c)
				texts += ", '|', ifNull(toString(" + name + "), '\\\\N')"
				want += "|" + cell.want
			}
			require.NoError(t, client.Exec(t.Context(), ddl+"z UInt8 DEFAULT 7) ENGINE = MergeTree ORDER BY c00"))
			require.NoError(t, client.Insert(t.Context(), clickhouse.Insert{Table: table, Block: clickhouse.NewBlock(block...), Token: "t", QueryID: "q" + table}))
			for _, line := range asText(t, client, "SELECT concat(''"+texts+") FROM "+table) {
				assert.Equal(t, want, line)
			}
			assert.Equal(t, []string{"3"}, asText(t, client, "SELECT toString(count()) FROM "+table))
		})
	}
}

func TestValuesThatDoNotFitAreRefused(t *testing.T) {
	for _, c := range []cell{
		{typ: "Int8", append: func(c *clickhouse.Column) bool { return c.AppendInt(128) }},
		{typ: "UInt8", append: func(c *clickhouse.Column) bool { return c.AppendInt(-1) }},
		{typ: "UInt32", append: func(c *clickhouse.Column) bool { return c.AppendUint(1 << 32) }},
		{typ: "Int64", append: func(c *clickhouse.Column) bool { return c.AppendUint(1 << 63) }},
		{typ: "Int64", append: text("1")},
		{typ: "Int64", append: func(c *clickhouse.Column) bool { return c.AppendFloat(1) }},
		{typ: "Float32", append: func(c *clickhouse.Column) bool { return c.AppendFloat(1e300) }},
		{typ: "Bool", append: func(c *clickhouse.Column) bool { return c.AppendInt(1) }},
		{typ: "UUID", append: text("61f0c4045cb311e7907ba6006ad3dba0")},
		{typ: "UUID", append: text("61f0c404-5cb3-11e7-907b-a6006ad3dbag")},
		{typ: "FixedString(4)", append: text("abcde")},
		{typ: "Date", append: moment("1969-12-31T00:00:00Z")},
		{typ: "Date", append: moment("2150-01-01T00:00:00Z")},
		{typ: "DateTime", append: moment("2107-01-01T00:00:00Z")},
		{typ: "DateTime64(3)", append: moment("1800-01-01T00:00:00Z")},
		{typ: "DateTime64(9)", append: moment("2290-01-01T00:00:00Z")},
		{typ: "Array(String)", append: text("a")},
		{typ: "String", append: func(c *clickhouse.Column) bool { return c.AppendBool(true) }},
	} {
		col := column(t, "c", c.typ)
		assert.False(t, c.append(col), c.typ)
		assert.Equal(t, 1, col.Rows(), c.typ)
	}
}

func TestLowCardinalityWithManyTexts(t *testing.T) {
	client := open(t, plugtest.ClickHouse(t), clickhouse.LZ4)
	require.NoError(t, client.Exec(t.Context(), "CREATE TABLE t (n UInt32, c LowCardinality(String)) ENGINE = MergeTree ORDER BY n"))
	n, c := column(t, "n", "UInt32"), column(t, "c", "LowCardinality(String)")
	block := clickhouse.NewBlock(n, c)
	total := 0
	for round, rows := range []int{10, 254, 255, 256, 300, 70000} {
		block.Reset()
		for i := range rows {
			require.True(t, n.AppendInt(int64(i)))
			require.True(t, c.AppendText(fmt.Append(nil, "v", i)))
		}
		total += rows
		require.NoError(t, client.Insert(t.Context(), clickhouse.Insert{Table: "t", Block: block, Token: fmt.Sprint(round), QueryID: fmt.Sprint("q", round)}))
	}
	assert.Equal(t, []string{fmt.Sprint(total)}, asText(t, client, "SELECT toString(count()) FROM t WHERE c = concat('v', toString(n))"))
}

func TestTypesThatCannotBeWritten(t *testing.T) {
	for _, typ := range []string{"Map(String, String)", "Array(UInt8)", "JSON", "Decimal(9, 2)", "LowCardinality(UInt8)", "Nullable(Nullable(String))", "FixedString(0)", "DateTime64(10)", "Enum8('a' = 1)", "String)", "Array(LowCardinality(String))", ""} {
		_, err := clickhouse.ParseType(typ)
		assert.Error(t, err, typ)
	}
}

func TestServerErrorsAreTold(t *testing.T) {
	client := open(t, plugtest.ClickHouse(t), clickhouse.LZ4)
	c := column(t, "a", "Int64")
	require.True(t, c.AppendInt(-41))
	in := clickhouse.Insert{Table: "absent", Block: clickhouse.NewBlock(c), Token: "t", QueryID: "q"}
	err := client.Insert(t.Context(), in)
	var server *clickhouse.ServerError
	require.ErrorAs(t, err, &server)
	assert.Equal(t, 60, server.Code)
	assert.False(t, clickhouse.Permanent(err))

	require.NoError(t, client.Exec(t.Context(), "CREATE TABLE absent (a Int64, CONSTRAINT positive CHECK a > 0) ENGINE = MergeTree ORDER BY a"))
	err = client.Insert(t.Context(), in)
	require.ErrorAs(t, err, &server)
	assert.True(t, clickhouse.Permanent(err), err)
	assert.NotContains(t, err.Error(), "41", "the message quotes the row")
}
