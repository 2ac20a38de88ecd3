package clickhouse_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/plugtest"
)

// server is a test's own database, asked over plain HTTP.
type server struct {
	t        *testing.T
	base     *url.URL
	database string
}

func newServer(t *testing.T) *server {
	t.Helper()
	base, err := url.Parse(plugtest.ClickHouse(t))
	require.NoError(t, err)
	s := &server{t: t, database: strings.TrimPrefix(base.Path, "/")}
	base.Path = "/"
	s.base = base
	return s
}

// do sends one request; params are name, value pairs. It returns the response and its text.
func (s *server) do(method, body string, params ...string) (*http.Response, string) {
	s.t.Helper()
	target := *s.base
	query := url.Values{"database": {s.database}}
	for i := 0; i < len(params); i += 2 {
		query.Set(params[i], params[i+1])
	}
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(s.t.Context(), method, target.String(), strings.NewReader(body))
	require.NoError(s.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res, string(text)
}

func (s *server) must(body string, params ...string) string {
	s.t.Helper()
	res, text := s.do(http.MethodPost, body, params...)
	require.Equal(s.t, http.StatusOK, res.StatusCode, text)
	return text
}

func TestPing(t *testing.T) {
	s := newServer(t)
	for path, status := range map[string]int{"ping": 200, "": 200, "replicas_status": 200, "nowhere": 404} {
		res, err := http.Get(s.base.String() + path)
		require.NoError(t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, status, res.StatusCode, path)
		if status == 200 {
			assert.Equal(t, "Ok.\n", string(text))
		}
	}
}

func TestHeadersAndFormats(t *testing.T) {
	s := newServer(t)
	res, text := s.do(http.MethodPost, "SELECT 1 AS a, 'x' AS b", "query_id", "mine")
	assert.Equal(t, "1\tx\n", text)
	assert.Equal(t, "mine", res.Header.Get("X-ClickHouse-Query-Id"))
	assert.Equal(t, "TabSeparated", res.Header.Get("X-ClickHouse-Format"))
	assert.Equal(t, "UTC", res.Header.Get("X-ClickHouse-Timezone"))
	assert.NotEmpty(t, res.Header.Get("X-ClickHouse-Server-Display-Name"))
	assert.Equal(t, "text/tab-separated-values; charset=UTF-8", res.Header.Get("Content-Type"))
	var counters map[string]string
	require.NoError(t, json.Unmarshal([]byte(res.Header.Get("X-ClickHouse-Summary")), &counters))
	assert.Equal(t, "1", counters["result_rows"])

	res, text = s.do(http.MethodPost, "SELECT 1 AS a FORMAT JSONEachRow SETTINGS max_threads = 1")
	assert.Equal(t, "{\"a\":1}\n", text)
	assert.Equal(t, "JSONEachRow", res.Header.Get("X-ClickHouse-Format"))
	_, text = s.do(http.MethodPost, "SELECT 1 AS format", "default_format", "CSVWithNames")
	assert.Equal(t, "\"format\"\n1\n", text)
	res, _ = s.do(http.MethodPost, "INSERT INTO FUNCTION null('a UInt8') SELECT number FROM numbers(3)")
	require.NoError(t, json.Unmarshal([]byte(res.Header.Get("X-ClickHouse-Summary")), &counters))
	assert.Equal(t, "3", counters["written_rows"])
}

func TestQueryParameterAndBodyAreOneStatement(t *testing.T) {
	s := newServer(t)
	assert.Equal(t, "3\n", s.must("", "query", "SELECT 1 + 2"))
	assert.Equal(t, "3\n", s.must("+ 2", "query", "SELECT 1"))
	s.must("CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
	s.must(`{"a":1,"b":"x"}`, "query", "INSERT INTO t FORMAT JSONEachRow")
	s.must("2\ty\n", "query", "INSERT INTO t (a, b) FORMAT TabSeparated")
	s.must("(3,'z')", "query", "INSERT INTO t VALUES (30,'zz'),")
	s.must("INSERT INTO t (a) FORMAT CSV\n4\n5\n")
	assert.Equal(t, "1x 2y 30zz 3z 4 5", strings.TrimSpace(s.must("SELECT arrayStringConcat(groupArray(x), ' ') FROM (SELECT concat(a::String, b) AS x FROM t ORDER BY x)")))
}

func TestALargeBodyIsInsertedWhole(t *testing.T) {
	s := newServer(t)
	s.must("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	const rows = 200_000
	var body strings.Builder
	body.WriteString("INSERT INTO t FORMAT JSONEachRow\n")
	for i := range rows {
		fmt.Fprintf(&body, "{\"a\":%d}\n", i)
	}
	s.must(body.String())
	assert.Equal(t, fmt.Sprintf("%d\t%d\n", rows, rows*(rows-1)/2), s.must("SELECT count(), sum(a) FROM t"))
}

func TestExceptionText(t *testing.T) {
	s := newServer(t)
	res, text := s.do(http.MethodPost, "SELECT * FROM nope")
	assert.Equal(t, http.StatusNotFound, res.StatusCode)
	assert.Equal(t, "60", res.Header.Get("X-ClickHouse-Exception-Code"))
	assert.Regexp(t, `^Code: 60\. DB::Exception: .*\(UNKNOWN_TABLE\) \(version [0-9.]+\)\n$`, text)
	for _, bad := range []struct {
		status int
		params []string
	}{
		{http.StatusForbidden, []string{"query", "SELECT 1", "user", "someone"}},
		{http.StatusForbidden, []string{"query", "SELECT 1", "user", "default", "password", "x"}},
		{http.StatusNotFound, []string{"query", "SELECT 1", "no_such_setting", "1"}},
		{http.StatusNotFound, []string{"query", "SELECT 1", "a = 1, b", "1"}},
		{http.StatusNotFound, []string{"query", "SELECT 1", "database", "no`such"}},
		{http.StatusNotImplemented, []string{"query", "SELECT 1", "session_id", "s"}},
		{http.StatusBadRequest, []string{"query", " -- nothing"}},
	} {
		res, text := s.do(http.MethodPost, "", bad.params...)
		assert.Equal(t, bad.status, res.StatusCode, "%v: %s", bad.params, text)
		assert.NotEmpty(t, res.Header.Get("X-ClickHouse-Exception-Code"))
	}
}

func TestGetChangesNothing(t *testing.T) {
	s := newServer(t)
	res, text := s.do(http.MethodGet, "", "query", "CREATE TABLE t (a UInt8) ENGINE = Memory")
	assert.Equal(t, "164", res.Header.Get("X-ClickHouse-Exception-Code"), text)
	res, text = s.do(http.MethodGet, "", "query", "SELECT 1")
	assert.Equal(t, http.StatusOK, res.StatusCode, text)
}

// A body that ends before its promised end must insert nothing: a client that
// died would otherwise have a part of its rows taken for the whole.
func TestABodyThatIsCutInsertsNothing(t *testing.T) {
	s := newServer(t)
	s.must("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	query := url.Values{"database": {s.database}, "query": {"INSERT INTO t FORMAT JSONEachRow"}}.Encode()
	conn, err := net.DialTimeout("tcp", s.base.Host, 5*time.Second)
	require.NoError(t, err)
	_, err = fmt.Fprintf(conn, "POST /?%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"a\":1}\n{\"a\":2}\n", query)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.NotContains(t, string(answer), "200 OK")
	require.NoError(t, conn.Close())

	writer := compress.NewWriter(compress.LevelZero, compress.LZ4)
	require.NoError(t, writer.Compress([]byte("{\"a\":1}\n")))
	whole := bytes.Clone(writer.Data)
	for _, cut := range []int{1, 20, 25, len(whole) - 1} {
		res, text := s.do(http.MethodPost, string(whole)+string(whole[:cut]), "query", "INSERT INTO t FORMAT JSONEachRow", "decompress", "1")
		require.NotEqual(t, http.StatusOK, res.StatusCode, text)
	}
	require.Equal(t, "0\n", s.must("SELECT count() FROM t"))
	s.must(string(whole)+string(whole), "query", "INSERT INTO t FORMAT JSONEachRow", "decompress", "1")
	require.Equal(t, "2\n", s.must("SELECT count() FROM t"))
}
