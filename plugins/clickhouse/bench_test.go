package clickhouse

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// benchRows is a chunk as the input hands it out: 5,000 sealed events of about 1 KB.
const benchRows = 5000

func benchEvents() []*sealedEvent {
	events := run(0, benchRows-1)
	for i, e := range events {
		var b bytes.Buffer
		b.Write(e.rec.Body[:len(e.rec.Body)-2])
		fmt.Fprintf(&b, `,"path":"/docs/guide/%d","duration_ms":%d,"language":"de","seats":12,"amount":99.5,"private":false`, i, i*7)
		for k := range 12 {
			fmt.Fprintf(&b, `,"extra_%d":"value %d of the event, with some text"`, k, i*k)
		}
		b.WriteString("}}")
		e.rec.Body = b.Bytes()
	}
	return events
}

// benchLayout is that of the shipped table and five typed properties.
func benchLayout(b *testing.B) *layout {
	b.Helper()
	table := shippedTable()
	columns := map[string]string{}
	for name, typ := range map[string]string{"path": "String", "duration_ms": "UInt32", "language": "LowCardinality(String)", "seats": "Nullable(UInt16)", "amount": "Float64", "private": "Bool"} {
		table = append(table, tableColumn{"p_" + name, typ})
		columns["p_"+name] = "properties." + name
	}
	l, err := newLayout(table, columns, nil)
	require.NoError(b, err)
	return l
}

func shippedTable() []tableColumn {
	types := map[string]string{
		"event_id": "String", "event_name": "LowCardinality(String)", "timestamp": "DateTime64(3, 'UTC')", "received_at": "DateTime64(3, 'UTC')",
		"user_id": "String", "account_id": "String", "anonymous_id": "String", "ip": "String", "source": "LowCardinality(String)",
		"schema_version": "LowCardinality(String)", "class": "LowCardinality(String)", "properties": "String", "correlation_id": "String",
		"policy_version": "LowCardinality(String)", "consent_source": "LowCardinality(String)", "consent_version": "LowCardinality(String)",
		"topic": "LowCardinality(String)", "partition": "Int32", "offset": "Int64", "src_topic": "LowCardinality(String)",
		"src_partition": "Int32", "src_offset": "Int64", "replay_epoch": "UInt32", "inserted_at": "DateTime64(3, 'UTC')",
	}
	var table []tableColumn
	for name, typ := range types {
		table = append(table, tableColumn{name, typ})
	}
	return table
}

func perRow(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

// BenchmarkBuildRows scans sealed bodies and fills the columns.
func BenchmarkBuildRows(b *testing.B) {
	l := benchLayout(b)
	c, rows := benchChunk(b, l)
	w := newWorker(l)
	now := time.Now()
	_, err := w.build(c, rows, now) // its columns have grown to their size then
	require.NoError(b, err)
	b.SetBytes(int64(len(c.records[0].sealed.Body)) * benchRows)
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		_, err := w.build(c, rows, now)
		require.NoError(b, err)
	}
	runtime.ReadMemStats(&after)
	perRow(b)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N)/benchRows, "allocs/event")
	b.ReportMetric(0.1, "budget-allocs/event")
}

func benchChunk(b *testing.B, l *layout) (*chunk, []int) {
	b.Helper()
	c, o := &chunk{}, &output{}
	events := benchEvents()
	require.NoError(b, readChunk(chunkOf(events...), c, o.elsewhere))
	need, _, err := newRequirement("analytics", "", l.dict)
	require.NoError(b, err)
	for i, e := range events {
		c.records[i].sealed, c.records[i].need = &e.rec, need
	}
	return c, wantedRows(c)
}

// BenchmarkVerify reads identity and headers of a batch and checks every seal.
func BenchmarkVerify(b *testing.B) {
	batch := chunkOf(benchEvents()...)
	o := &output{cfg: config{verifier: seal.NewVerifier(testRing, testDestination)}}
	c := &chunk{}
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, readChunk(batch, c, o.elsewhere))
		require.NoError(b, o.verify(c))
	}
	perRow(b)
}

// BenchmarkWriteBatch is the whole output against the embedded engine: verify, judge, build, compress, insert, record.
func BenchmarkWriteBatch(b *testing.B) {
	for _, compression := range []clickhouse.Compression{clickhouse.LZ4, clickhouse.None} {
		b.Run(string(compression), func(b *testing.B) {
			s := newServer(b)
			o := s.output(b, func(c *config) { c.compression = compression })
			events := benchEvents()
			first := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				batch := make(service.MessageBatch, len(events))
				of := &stage.Chunk{Topic: testTopic, First: first, Last: first + benchRows - 1}
				for i, e := range events {
					e.offset = first + int64(i)
					e.rec.SrcOffset = e.offset
					batch[i] = e.message(of)
				}
				first += benchRows
				b.StartTimer()
				require.NoError(b, o.WriteBatch(b.Context(), batch))
			}
			perRow(b)
		})
	}
}
