package chdb

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/npm"
)

// The test binary holds the one engine its process may have.
var (
	once   sync.Once
	shared *Engine
	failed error
)

// cachedLibrary finds the engine where other tests have fetched it. This
// package fetches nothing: it must not depend on the package that knows what.
func cachedLibrary(t *testing.T) string {
	t.Helper()
	cache, err := npm.CacheDir()
	require.NoError(t, err)
	found, err := filepath.Glob(filepath.Join(cache, "@chdb+lib-*", "libchdb.*"))
	require.NoError(t, err)
	if len(found) == 0 {
		if os.Getenv("EBBGATE_REQUIRE_ENGINE") == "1" {
			t.Fatal("the ClickHouse engine is not in the cache: run the tests of internal/sandbox first")
		}
		t.Skip("the ClickHouse engine is not in the cache: the tests of internal/sandbox fetch it")
	}
	return found[0]
}

func session(t *testing.T) *Session {
	t.Helper()
	path := cachedLibrary(t)
	once.Do(func() {
		var lib *Library
		if lib, failed = LoadLibrary(path); failed != nil {
			return
		}
		dir, err := os.MkdirTemp("", "ebbgate-chdb-")
		if err != nil {
			failed = err
			return
		}
		shared, failed = Open(lib, dir)
	})
	require.NoError(t, failed)
	s, err := shared.Session()
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared != nil {
		shared.Close()
		os.RemoveAll(strings.TrimPrefix(shared.args[1], "--path="))
	}
	os.Exit(code)
}

func (s *Session) text(t *testing.T, statement string, params ...Param) string {
	t.Helper()
	body, _, err := s.Query(statement, "TabSeparated", params)
	require.NoError(t, err)
	return string(body)
}

func TestSessionsKeepTheirSettings(t *testing.T) {
	first, second := session(t), session(t)
	first.text(t, "SET max_threads = 7")
	assert.Equal(t, "7\n", first.text(t, "SELECT getSetting('max_threads')::String"))
	assert.NotEqual(t, "7\n", second.text(t, "SELECT getSetting('max_threads')::String"))
}

func TestParametersAreNotText(t *testing.T) {
	got := session(t).text(t, "SELECT {a:String}, {b:UInt8}, {a:String} = 'x'", Param{"a", "'; DROP"}, Param{"b", "7"})
	assert.Equal(t, "\\'; DROP\t7\t0\n", got)
}

func TestErrorsCarryTheEnginesWords(t *testing.T) {
	_, _, err := session(t).Query("SELECT * FROM nope", "Native", nil)
	require.ErrorContains(t, err, "Code: 60. DB::Exception")
	_, err = session(t).Insert("INSERT INTO nope", "Native", nil, strings.NewReader("x"))
	require.ErrorContains(t, err, "Code: 60. DB::Exception")
}

func TestInsertTakesItsBodyWholeOrNotAtAll(t *testing.T) {
	s := session(t)
	s.text(t, "DROP TABLE IF EXISTS whole SYNC")
	s.text(t, "CREATE TABLE whole (a UInt64) ENGINE = MergeTree ORDER BY a")
	stats, err := s.Insert("INSERT INTO whole", "CSV", nil, iotest.OneByteReader(strings.NewReader("1\n2\n")))
	require.NoError(t, err)
	assert.EqualValues(t, 2, stats.WrittenRows)
	for _, end := range []error{errors.New("lost"), io.ErrUnexpectedEOF} {
		_, err = s.Insert("INSERT INTO whole", "CSV", nil, io.MultiReader(strings.NewReader("3\n4\n"), iotest.ErrReader(end)))
		require.ErrorIs(t, err, end)
	}
	_, err = s.Insert("INSERT INTO whole", "CSV", nil, strings.NewReader("5\nx\n"))
	require.ErrorContains(t, err, "Code: ")
	assert.Equal(t, "2\t3\n", s.text(t, "SELECT count(), sum(a) FROM whole"))
}

func TestStatementsRunSideBySide(t *testing.T) {
	s := session(t)
	s.text(t, "DROP TABLE IF EXISTS busy SYNC")
	s.text(t, "CREATE TABLE busy (a UInt64) ENGINE = MergeTree ORDER BY a")
	const writers, rounds = 8, 10
	results := make(chan error, writers)
	for range writers {
		own := session(t)
		go func() {
			for range rounds {
				if _, err := own.Insert("INSERT INTO busy", "CSV", nil, strings.NewReader("1\n2\n3\n")); err != nil {
					results <- err
					return
				}
				if _, _, err := own.Query("SELECT count() FROM busy", "CSV", nil); err != nil {
					results <- err
					return
				}
			}
			results <- nil
		}()
	}
	for range writers {
		require.NoError(t, <-results)
	}
	assert.Equal(t, "240\n", s.text(t, "SELECT count() FROM busy"))
}

func TestWhatCannotBeOpened(t *testing.T) {
	_, err := LoadLibrary(filepath.Join(t.TempDir(), "absent.so"))
	require.ErrorContains(t, err, "loading the ClickHouse engine")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("no library"), 0o600))
	_, err = LoadLibrary(file)
	require.ErrorContains(t, err, "loading the ClickHouse engine")
	_, err = Open(&Library{}, file)
	require.ErrorContains(t, err, "creating the data directory")
}
