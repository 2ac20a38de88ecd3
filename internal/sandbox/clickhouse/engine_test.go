package clickhouse_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the product's schema relies on beside inserts and queries.
func TestEngineKeepsTheSchemasPromises(t *testing.T) {
	s := newServer(t)
	assert.Equal(t, "Atomic\n", s.must("SELECT engine FROM system.databases WHERE name = currentDatabase()"))
	s.must(`CREATE TABLE t (id UInt64, at DateTime64(3), class LowCardinality(String)) ENGINE = ReplacingMergeTree
		ORDER BY id PARTITION BY toYYYYMM(at) TTL toDateTime(at) + INTERVAL 1 DAY DELETE WHERE class = 'short'`)
	s.must("INSERT INTO t SELECT number, now64(), 'long' FROM numbers(1000)")
	s.must("INSERT INTO t SELECT number, now64(), 'long' FROM numbers(1000)")
	s.must("INSERT INTO t SELECT number + 5000, now64() - INTERVAL 2 DAY, 'short' FROM numbers(10)")
	s.must("OPTIMIZE TABLE t FINAL")
	assert.Equal(t, "1000\n", s.must("SELECT count() FROM t FINAL WHERE id < 5000"))
	assert.Equal(t, "0\n", s.must("SELECT count() FROM t WHERE id >= 5000"), "rows past their TTL go with a merge")
	s.must("ALTER TABLE t DELETE WHERE id = 1", "mutations_sync", "2")
	s.must("DELETE FROM t WHERE id = 2")
	s.must("ALTER TABLE t DELETE WHERE id = 3", "mutations_sync", "0")
	require.Eventually(t, func() bool {
		return s.must("SELECT count() FROM t WHERE id IN (1, 2, 3)") == "0\n"
	}, time.Minute, 50*time.Millisecond, "mutations run in the background")

	s.must("CREATE TABLE rollup (n UInt64) ENGINE = MergeTree ORDER BY n")
	s.must("CREATE MATERIALIZED VIEW refreshed REFRESH EVERY 1 HOUR TO rollup AS SELECT count() AS n FROM t FINAL")
	s.must("SYSTEM WAIT VIEW refreshed")
	assert.Equal(t, "997\n", s.must("SELECT n FROM rollup"), "refreshable views run in the background")
}
