package plugtest_test

import (
	"context"
	"testing"
	"time"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/plugtest"
)

func open(t *testing.T, dsn string) clickhouse.Conn {
	t.Helper()
	opts, err := clickhouse.ParseDSN(dsn)
	require.NoError(t, err)
	conn, err := clickhouse.Open(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func TestClickHouseGivesEachTestADatabase(t *testing.T) {
	first, second := plugtest.ClickHouse(t), plugtest.ClickHouse(t)
	require.NotEqual(t, first, second)
	for _, dsn := range []string{first, second} {
		conn := open(t, dsn)
		require.NoError(t, conn.Ping(t.Context()))
		require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE same_name (a UInt8) ENGINE = Memory"))
	}
}

func TestClickHouseProcessKeepsItsDataThroughAKill(t *testing.T) {
	server := plugtest.ClickHouseProcess(t)
	conn := open(t, server.DSN("default"))
	require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a"))
	require.NoError(t, conn.Exec(t.Context(), "INSERT INTO t SELECT number FROM numbers(1000)"))
	address := server.Address()
	server.Kill()
	server.Start(t)
	require.Equal(t, address, server.Address())
	var rows uint64
	require.NoError(t, open(t, server.DSN("default")).QueryRow(t.Context(), "SELECT count() FROM t").Scan(&rows))
	require.EqualValues(t, 1000, rows)
}

func produce(t *testing.T, client *kgo.Client, value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, client.ProduceSync(ctx, kgo.StringRecord(value)).FirstErr())
}

func TestBrokerTakesSeedTopics(t *testing.T) {
	seeds, cluster := plugtest.Broker(t, kfake.SeedTopics(2, "events"))
	require.NotNil(t, cluster.PartitionInfo("events", 1))
	client, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.DefaultProduceTopic("events"))
	require.NoError(t, err)
	defer client.Close()
	produce(t, client, "one")
}

func TestBrokerProcessKeepsItsDataThroughAKill(t *testing.T) {
	broker := plugtest.BrokerProcess(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Address()), kgo.DefaultProduceTopic("events"))
	require.NoError(t, err)
	defer client.Close()
	admin := kadm.NewClient(client)
	_, err = admin.CreateTopic(t.Context(), 1, 1, nil, "events")
	require.NoError(t, err)
	produce(t, client, "before")
	broker.Kill()
	broker.Start(t)
	produce(t, client, "after")
	ends, err := admin.ListEndOffsets(t.Context(), "events")
	require.NoError(t, err)
	end, ok := ends.Lookup("events", 0)
	require.True(t, ok)
	require.EqualValues(t, 2, end.Offset)
}
