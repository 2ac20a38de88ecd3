package clickhouse_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/plugtest"
)

// connect opens clickhouse-go on a database of the test's own.
func connect(t *testing.T, change ...func(*driver.Options)) driver.Conn {
	t.Helper()
	opts, err := driver.ParseDSN(plugtest.ClickHouse(t))
	require.NoError(t, err)
	for _, fn := range change {
		fn(opts)
	}
	conn, err := driver.Open(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func compression(method driver.CompressionMethod) func(*driver.Options) {
	return func(o *driver.Options) { o.Compression = &driver.Compression{Method: method, Level: 3} }
}

// allTypes has a column of every type the product's tables use.
const allTypes = `CREATE TABLE all_types (
	text String, word LowCardinality(String), moment DateTime64(3, 'UTC'), day Date, counter UInt64, signed Int64,
	ratio Float64, flag Bool, id UUID, maybe Nullable(String), words Array(String), ids Array(LowCardinality(String)),
	pairs Map(String, String), part Int32, small UInt8, fixed FixedString(4), kind Enum8('a' = 1, 'b' = 2), amount Decimal(18, 4)
) ENGINE = MergeTree ORDER BY counter`

type row struct {
	Text   string            `ch:"text"`
	Word   string            `ch:"word"`
	Moment time.Time         `ch:"moment"`
	Day    time.Time         `ch:"day"`
	Count  uint64            `ch:"counter"`
	Signed int64             `ch:"signed"`
	Ratio  float64           `ch:"ratio"`
	Flag   bool              `ch:"flag"`
	ID     uuid.UUID         `ch:"id"`
	Maybe  *string           `ch:"maybe"`
	Words  []string          `ch:"words"`
	IDs    []string          `ch:"ids"`
	Pairs  map[string]string `ch:"pairs"`
	Part   int32             `ch:"part"`
	Small  uint8             `ch:"small"`
	Fixed  string            `ch:"fixed"`
	Kind   string            `ch:"kind"`
}

func sample(i int) row {
	r := row{
		Text: "line one\nline two\x00 \\ ' é", Word: []string{"a", "b", ""}[i%3],
		Moment: time.Date(2026, 4, 13, 9, 59, 58, 120e6, time.UTC).Add(time.Duration(i) * time.Millisecond),
		Day:    time.Date(2026, 4, 13, 0, 0, 0, 0, time.UTC), Count: 1<<63 + uint64(i), Signed: -1 - int64(i),
		Ratio: 0.1, Flag: i%2 == 0, ID: uuid.MustParse("0193c2f4-7d4e-7a61-9c62-3a1f5d0b9e11"),
		Words: []string{"x", ""}, IDs: []string{}, Pairs: map[string]string{"k": "v"}, Part: -7, Small: 255, Fixed: "abcd", Kind: "b",
	}
	if i%2 == 1 {
		text := "present"
		r.Maybe, r.IDs, r.Words, r.Pairs = &text, []string{"p", "q", "p"}, []string{}, map[string]string{}
	}
	return r
}

func TestDriverRoundTripsEveryType(t *testing.T) {
	methods := map[string]driver.CompressionMethod{
		"none": driver.CompressionNone, "lz4": driver.CompressionLZ4, "zstd": driver.CompressionZSTD,
		"gzip": driver.CompressionGZIP, "brotli": driver.CompressionBrotli, "deflate": driver.CompressionDeflate,
	}
	for name, method := range methods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, compression(method), func(o *driver.Options) {
				o.Settings = driver.Settings{"enable_http_compression": 1}
			})
			require.NoError(t, conn.Exec(t.Context(), allTypes))
			batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO all_types (text, word, moment, day, counter, signed, ratio, flag, id, maybe, words, ids, pairs, part, small, fixed, kind)")
			require.NoError(t, err)
			const rows = 3000
			for i := range rows {
				r := sample(i)
				require.NoError(t, batch.AppendStruct(&r))
			}
			require.NoError(t, batch.Send())
			var got []row
			require.NoError(t, conn.Select(t.Context(), &got, "SELECT * EXCEPT amount FROM all_types ORDER BY counter"))
			require.Len(t, got, rows)
			for i := range got {
				require.Equal(t, sample(i), got[i])
			}
		})
	}
}

func TestDriverAppendsColumnsAndReadsManyBlocks(t *testing.T) {
	conn := connect(t, compression(driver.CompressionLZ4))
	require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE t (a UInt64, b LowCardinality(String)) ENGINE = MergeTree ORDER BY a"))
	ctx := driver.Context(t.Context(), driver.WithSettings(driver.Settings{"async_insert": 0, "max_insert_block_size": 1_000_000}))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO t (a, b)")
	require.NoError(t, err)
	const rows = 200_000
	numbers, words := make([]uint64, rows), make([]string, rows)
	for i := range numbers {
		numbers[i], words[i] = uint64(i), []string{"x", "y"}[i%2]
	}
	require.NoError(t, batch.Column(0).Append(numbers))
	require.NoError(t, batch.Column(1).Append(words))
	require.NoError(t, batch.Send())
	found, err := conn.Query(driver.Context(t.Context(), driver.WithSettings(driver.Settings{"max_block_size": 1000})),
		"SELECT a, b FROM t WHERE a >= ? ORDER BY a", 10)
	require.NoError(t, err)
	next := uint64(10)
	for found.Next() {
		var a uint64
		var b string
		require.NoError(t, found.Scan(&a, &b))
		require.Equal(t, next, a)
		next++
	}
	require.NoError(t, found.Err())
	require.EqualValues(t, rows, next)
}

func TestDeduplicationTokenIsHonoured(t *testing.T) {
	conn := connect(t)
	require.NoError(t, conn.Exec(t.Context(), `CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a
		SETTINGS non_replicated_deduplication_window = 100`))
	send := func(token string, value uint64) {
		ctx := driver.Context(t.Context(), driver.WithSettings(driver.Settings{
			"insert_deduplication_token": token, "async_insert": 0, "max_insert_block_size": 1_000_000,
		}))
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO t (a)")
		require.NoError(t, err)
		require.NoError(t, batch.Column(0).Append([]uint64{value}))
		require.NoError(t, batch.Send())
	}
	count := func() (n uint64) {
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count() FROM t").Scan(&n))
		return n
	}
	send("one", 1)
	send("one", 1)
	require.EqualValues(t, 1, count(), "the same token twice is one insert")
	send("one", 2)
	require.EqualValues(t, 1, count(), "a reused token drops other rows as well: the server's rule")
	send("two", 1)
	require.EqualValues(t, 2, count(), "another token inserts the same rows again")
}

// A chunk is one block and so one part in each table partition: a token then
// covers the whole of it.
func TestALargeBatchIsOneBlock(t *testing.T) {
	conn := connect(t, compression(driver.CompressionLZ4))
	require.NoError(t, conn.Exec(t.Context(), `CREATE TABLE t (a UInt64, p UInt8, text String) ENGINE = MergeTree ORDER BY a PARTITION BY p
		SETTINGS non_replicated_deduplication_window = 100, old_parts_lifetime = 3600`))
	ctx := driver.Context(t.Context(), driver.WithSettings(driver.Settings{
		"insert_deduplication_token": "chunk", "async_insert": 0, "max_insert_block_size": 1_000_000, "min_insert_block_size_rows": 0,
		"min_insert_block_size_bytes": 0,
	}))
	const rows = 100_000
	for range 2 {
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO t (a, p, text)")
		require.NoError(t, err)
		for i := range rows {
			require.NoError(t, batch.Append(uint64(i), uint8(i%2), strings.Repeat("text", 25)))
		}
		require.NoError(t, batch.Send())
	}
	var count, parts uint64
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count() FROM t").Scan(&count))
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count() FROM system.parts WHERE table = 't' AND database = currentDatabase() AND active").Scan(&parts))
	assert.EqualValues(t, rows, count)
	assert.EqualValues(t, 2, parts)
}

func TestExceptionsReachTheDriver(t *testing.T) {
	conn := connect(t, compression(driver.CompressionLZ4))
	require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a"))
	tests := map[string]struct {
		statement string
		code      int32
		name      string
		status    int
	}{
		"unknown table":   {"SELECT * FROM nope", 60, "UNKNOWN_TABLE", http.StatusNotFound},
		"unknown column":  {"SELECT nope FROM t", 47, "UNKNOWN_IDENTIFIER", http.StatusNotFound},
		"syntax":          {"SELECT 1 +", 62, "SYNTAX_ERROR", http.StatusBadRequest},
		"two statements":  {"SELECT 1; SELECT 2", 62, "SYNTAX_ERROR", http.StatusBadRequest},
		"cannot parse":    {"SELECT toUInt64('x')", 6, "CANNOT_PARSE_TEXT", http.StatusBadRequest},
		"bad value":       {"INSERT INTO t VALUES ('x')", 6, "CANNOT_PARSE_TEXT", http.StatusBadRequest},
		"exists already":  {"CREATE TABLE t (a UInt8) ENGINE = Memory", 57, "TABLE_ALREADY_EXISTS", http.StatusInternalServerError},
		"while executing": {"SELECT throwIf(number = 5) FROM numbers(10)", 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", http.StatusInternalServerError},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := conn.Exec(t.Context(), test.statement)
			var exception *driver.Exception
			require.ErrorAs(t, err, &exception)
			assert.Equal(t, test.code, exception.Code)
			assert.Contains(t, exception.Message, "version")
			var failed *driver.HTTPError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, test.status, failed.StatusCode)
			assert.Contains(t, err.Error(), test.name)
		})
	}
	_, err := conn.PrepareBatch(driver.Context(t.Context(), driver.WithSettings(driver.Settings{"no_such_setting": 1})), "INSERT INTO t (a)")
	require.ErrorContains(t, err, "no_such_setting")
}

func TestExecInsertsInlineRows(t *testing.T) {
	conn := connect(t)
	require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a"))
	require.NoError(t, conn.Exec(t.Context(), "INSERT INTO t (a, b) VALUES (?, ?), (2, 'two; /* no comment */\nlines')", 1, "o'neil"))
	require.NoError(t, conn.Exec(t.Context(), "INSERT INTO t (a, b) FORMAT JSONEachRow {\"a\": 3, \"b\": \"three\"}\n{\"a\": 4, \"b\": \"\"}"))
	require.NoError(t, conn.Exec(t.Context(), "INSERT INTO t (a, b) SELECT number + 5, 'format' AS format FROM numbers(2)"))
	rows, err := conn.Query(t.Context(), "SELECT b FROM t ORDER BY a")
	require.NoError(t, err)
	var got []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		got = append(got, text)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, "o'neil|two; /* no comment */\nlines|three||format|format", strings.Join(got, "|"))
}

func TestEmptyResults(t *testing.T) {
	conn := connect(t, compression(driver.CompressionLZ4))
	rows, err := conn.Query(t.Context(), "SELECT 1 AS a WHERE 0")
	require.NoError(t, err)
	require.False(t, rows.Next())
	require.NoError(t, rows.Err())
	var n uint8
	require.Error(t, conn.QueryRow(t.Context(), "SELECT 1 WHERE 0").Scan(&n))
}

func BenchmarkInsert(b *testing.B) {
	opts, err := driver.ParseDSN(plugtest.ClickHouse(b))
	require.NoError(b, err)
	opts.Compression = &driver.Compression{Method: driver.CompressionLZ4}
	conn, err := driver.Open(opts)
	require.NoError(b, err)
	defer conn.Close()
	require.NoError(b, conn.Exec(b.Context(), "CREATE TABLE t (id String, word LowCardinality(String), moment DateTime64(3), n UInt64, text String) ENGINE = MergeTree ORDER BY id"))
	const rows = 20_000
	for b.Loop() {
		batch, err := conn.PrepareBatch(driver.Context(b.Context(), driver.WithSettings(driver.Settings{"async_insert": 0})), "INSERT INTO t (id, word, moment, n, text)")
		require.NoError(b, err)
		for i := range rows {
			require.NoError(b, batch.Append(uuid.NewString(), "page_viewed", time.Unix(int64(i), 0), uint64(i), "some properties as text, about as long as that"))
		}
		require.NoError(b, batch.Send())
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
}
