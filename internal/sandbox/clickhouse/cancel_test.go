package clickhouse_test

import (
	"context"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSettingsAndParametersStayInTheirRequest(t *testing.T) {
	conn := connect(t)
	ctx := driver.Context(t.Context(), driver.WithSettings(driver.Settings{"max_threads": 3, "log_comment": "it's \\n mine\\"}),
		driver.WithParameters(driver.Parameters{"who": "o'neil \"x\"", "n": "5"}))
	var threads, comment, who string
	var n int64
	require.NoError(t, conn.QueryRow(ctx, "SELECT getSetting('max_threads')::String, getSetting('log_comment'), {who:String}, {n:Int64}").
		Scan(&threads, &comment, &who, &n))
	assert.Equal(t, []string{"3", "it's \\n mine\\", "o'neil \"x\""}, []string{threads, comment, who})
	assert.EqualValues(t, 5, n)
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT getSetting('max_threads')::String").Scan(&threads))
	assert.NotEqual(t, "3", threads)
}

func TestCancelledQueriesFreeTheServer(t *testing.T) {
	conn := connect(t, func(o *driver.Options) { o.MaxOpenConns = 40 })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	// More endless queries than the server has slots: were one not ended, the next query would wait for ever.
	failed := make(chan error)
	const queries = 20
	for range queries {
		go func() {
			var n uint64
			failed <- conn.QueryRow(ctx, "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 7 SETTINGS max_threads = 1").Scan(&n)
		}()
	}
	for range queries {
		require.Error(t, <-failed)
	}
	require.NoError(t, conn.Ping(t.Context()))
	require.Eventually(t, func() bool {
		var running uint64
		err := conn.QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%processes%'").Scan(&running)
		return err == nil && running == 0
	}, 20*time.Second, 50*time.Millisecond)
}

func TestCancellingAQuerySparesItsNamesakes(t *testing.T) {
	conn := connect(t)
	named := driver.Context(t.Context(), driver.WithSettings(driver.Settings{"log_comment": "same"}))
	spared := make(chan error, 1)
	go func() {
		spared <- conn.Exec(named, "SELECT sum(sleepEachRow(0.1)) FROM numbers(15) SETTINGS max_block_size = 1")
	}()
	require.Eventually(t, func() bool {
		var running uint64
		err := conn.QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'same'").Scan(&running)
		return err == nil && running == 1
	}, 20*time.Second, 10*time.Millisecond)
	ctx, cancel := context.WithTimeout(named, 200*time.Millisecond)
	defer cancel()
	require.Error(t, conn.Exec(ctx, "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 7"))
	require.NoError(t, <-spared)
}

func TestTimeLimitIsAnException(t *testing.T) {
	conn := connect(t)
	ctx := driver.Context(t.Context(), driver.WithSettings(driver.Settings{"max_execution_time": 0.2}))
	err := conn.Exec(ctx, "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 7")
	var exception *driver.Exception
	require.ErrorAs(t, err, &exception)
	require.EqualValues(t, 159, exception.Code)
}
