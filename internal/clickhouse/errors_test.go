package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go"
	chproto "github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPermanent(t *testing.T) {
	for code, want := range map[int]bool{
		469: true,  // a constraint of the table says no to a value
		131: true,  // a string is too large for the server
		321: true,  // a value is out of its type's range
		60:  false, // no such table: somebody can make it
		16:  false, // no such column
		53:  false, // the column has another type now
		117: false, // our encoding is at fault, not the rows
		159: false, // timeout
		202: false, // too many simultaneous queries
		210: false, // network
		225: false, // no Keeper
		241: false, // memory limit
		242: false, // table is read only
		243: false, // not enough space
		252: false, // too many parts
		319: false, // status of the insert is unknown
		394: false, // query was cancelled
		497: false, // not allowed
		516: false, // authentication failed
		999: false, // Keeper exception
		0:   false,
	} {
		err := fmt.Errorf("inserting: %w", newServerError(code, "text"))
		assert.Equal(t, want, Permanent(err), "code %d", code)
		assert.Equal(t, want, Permanent(serverError(&driver.Exception{Code: int32(code)})), "code %d over HTTP", code)
		assert.Equal(t, want, Permanent(serverError(&ch.Exception{Code: chproto.Error(code)})), "code %d over TCP", code)
	}
	for _, err := range []error{nil, io.EOF, context.DeadlineExceeded, context.Canceled, errors.New("Code: 469. DB::Exception: x")} {
		assert.False(t, Permanent(err), "%v is an unknown outcome", err)
	}
}

func TestExceptionTexts(t *testing.T) {
	for text, want := range map[string]string{
		"Code: 60. DB::Exception: Table d.t does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)\n":                  "ClickHouse exception 60: Table d.t does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)",
		"\r\n__exception__\r\ntag\r\nCode: 241. DB::Exception: Memory limit exceeded\n":                            "ClickHouse exception 241: Memory limit exceeded",
		"Code: 469. DB::Exception: Constraint `c` is violated at row 1. Column values: email = 'a@b.c'":            "ClickHouse exception 469",
		"Code: 27. DB::Exception: Cannot parse input: expected '\"' before: 'secret'":                              "ClickHouse exception 27",
		"Code: 210. DB::NetException: Connection refused. Stack trace:\n\n0. ./build_docker/../src/Common: (gone)": "ClickHouse exception 210: Connection refused.",
	} {
		err, ok := parseException(text)
		require.True(t, ok, text)
		assert.Equal(t, want, err.Error())
	}
	long, ok := parseException("Code: 1. DB::Exception: " + strings.Repeat("x", 5000))
	require.True(t, ok)
	assert.Less(t, len(long.Error()), 500)
	for _, text := range []string{"", "Ok.\n", "Code: x. DB::Exception: y", "Code: 99999999999999999999999. DB::Exception: y"} {
		_, ok := parseException(text)
		assert.False(t, ok, text)
	}
}

func TestQuoting(t *testing.T) {
	assert.Equal(t, "`a\\`b\\\\`", Quote("a`b\\"))
	assert.Equal(t, `'it\'s \\'`, Literal(`it's \`))
}

func FuzzParseException(f *testing.F) {
	f.Add("Code: 60. DB::Exception: x")
	f.Fuzz(func(t *testing.T, text string) {
		if err, ok := parseException(text); ok {
			assert.LessOrEqual(t, len(err.Message), maxMessage+3)
		}
	})
}

func FuzzParseType(f *testing.F) {
	f.Add("LowCardinality(Nullable(String))")
	f.Add("DateTime64(3, 'UTC')")
	f.Fuzz(func(t *testing.T, text string) {
		typ, err := ParseType(text)
		if err != nil {
			return
		}
		c := NewColumn("c", typ)
		c.AppendNone()
		c.AppendText([]byte("x"))
		c.AppendInt(1)
		assert.Equal(t, 3, c.Rows())
	})
}
