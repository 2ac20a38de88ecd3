package clickhouse

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// wide is a table with every type a column of ours can have.
const wide = `ALTER TABLE events
	ADD COLUMN s String, ADD COLUMN lc LowCardinality(String), ADD COLUMN fs Nullable(FixedString(3)), ADD COLUMN id UUID,
	ADD COLUMN b Bool, ADD COLUMN i8 Int8, ADD COLUMN u64 UInt64, ADD COLUMN i64 Nullable(Int64), ADD COLUMN f32 Float32, ADD COLUMN f64 Float64,
	ADD COLUMN d Date, ADD COLUMN dt DateTime('UTC'), ADD COLUMN dt6 Nullable(DateTime64(6, 'UTC')), ADD COLUMN tags Array(String), ADD COLUMN sub String`

var wideColumns = map[string]string{
	"s": "properties.s", "lc": "properties.lc", "fs": "properties.fs", "id": "properties.id", "b": "properties.b", "i8": "properties.i8",
	"u64": "properties.u64", "i64": "properties.i64", "f32": "properties.f32", "f64": "properties.f64", "d": "properties.d", "dt": "properties.dt",
	"dt6": "properties.dt6", "tags": "properties.tags", "sub": "properties.sub",
}

const wideRow = "SELECT concat(s, '|', lc, '|', ifNull(toString(fs), '-'), '|', toString(id), '|', toString(b), '|', toString(i8), '|', toString(u64), '|', ifNull(toString(i64), '-'), '|', toString(f32), '|', toString(f64), '|', toString(d), '|', toString(dt), '|', ifNull(toString(dt6), '-'), '|', toString(tags), '|', sub) FROM events ORDER BY offset"

func withProperties(offset int64, properties string) *sealedEvent {
	return newEvent(offset).with(func(e *sealedEvent) {
		e.rec.Body = []byte(`{"event_id":"` + e.rec.EventID + `","event_name":"x","timestamp":"2026-04-13T09:00:00Z","properties":` + properties + `}`)
	})
}

func TestValuesBecomeColumns(t *testing.T) {
	s := newServer(t)
	s.exec(t, wide)
	o := s.output(t, withColumns(wideColumns))
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(
		withProperties(0, `{"s":"quote \" and \u00e9","lc":"pro","fs":"abc","id":"61f0c404-5cb3-11e7-907b-a6006ad3dba0","b":true,"i8":-128,"u64":18446744073709551615,"i64":-5,"f32":1.5,"f64":2e3,"d":"2026-04-13","dt":"2026-04-13T09:59:58Z","dt6":"2026-04-13T11:59:58.123456+02:00","tags":["a\"",1,true],"sub":{"k":[1,{"z":null}]}}`),
		withProperties(1, `{}`),
		withProperties(2, `{"s":null,"lc":null,"fs":null,"id":null,"b":null,"i8":null,"u64":null,"i64":null,"f32":null,"f64":null,"d":null,"dt":null,"dt6":null,"tags":null,"sub":null}`),
		withProperties(3, `{"s":12.50,"lc":false,"i8":0,"f64":7,"d":"2026-04-13T23:59:59.999-01:00","sub":"text"}`),
	)))
	zero := "||-|00000000-0000-0000-0000-000000000000|false|0|0|-|0|0|1970-01-01|1970-01-01 00:00:00|-|[]|"
	assert.Equal(t, []string{
		`quote " and é|pro|abc|61f0c404-5cb3-11e7-907b-a6006ad3dba0|true|-128|18446744073709551615|-5|1.5|2000|2026-04-13|2026-04-13 09:59:58|2026-04-13 09:59:58.123456|['a"','1','true']|{"k":[1,{"z":null}]}`,
		zero, zero,
		"12.50|false|-|00000000-0000-0000-0000-000000000000|false|0|0|-|0|7|2026-04-14|1970-01-01 00:00:00|-|[]|text",
	}, s.texts(t, wideRow))
}

func TestValueThatDoesNotFitIsNamed(t *testing.T) {
	s := newServer(t)
	s.exec(t, wide)
	o := s.output(t, withColumns(wideColumns))
	for path, value := range map[string]string{
		"lc": `{"a":1}`, "fs": `"abcd"`, "id": `"not-a-uuid"`, "b": `"true"`, "i8": `128`, "u64": `-17`, "i64": `1.25`, "f32": `1e39`,
		"f64": `"0.25"`, "d": `"yesterday"`, "dt": `"1969-12-31T00:00:00Z"`, "dt6": `1744538398`, "tags": `[["nested"]]`,
	} {
		batch := chunkOf(withProperties(0, `{"s":"fine"}`), withProperties(1, `{"`+path+`":`+value+`}`), withProperties(2, `{"`+path+`":`+value+`,"s":"worse"}`))
		err := o.WriteBatch(t.Context(), batch)
		var permanent *stage.PermanentError
		require.ErrorAs(t, err, &permanent, path)
		assert.Equal(t, codeType, permanent.Code)
		assert.Equal(t, []quarantine.Ref{{Topic: testTopic, Offset: 1}, {Topic: testTopic, Offset: 2}}, permanent.Refs, path)
		assert.Contains(t, err.Error(), "properties."+path)
		assert.NotContains(t, err.Error(), strings.Trim(value, `"`), "errors hold no values")
		require.Zero(t, s.count(t, "events"), path)
	}
	again := chunkOf(withProperties(0, `{"s":"fine"}`), withProperties(1, `{}`), withProperties(2, `{}`))
	stage.MarkSettled(again[1])
	stage.MarkSettled(again[2])
	require.NoError(t, o.WriteBatch(t.Context(), again))
	assert.Equal(t, []string{"0"}, s.offsets(t), "the good row stands")
}

func TestBytesThatAreNoEventAreNamed(t *testing.T) {
	s := newServer(t)
	e := newEvent(1).with(func(e *sealedEvent) { e.rec.Body = []byte(`{"event_id":"a","event_id":"b"}`) })
	err := s.output(t).WriteBatch(t.Context(), chunkOf(newEvent(0), e))
	var permanent *stage.PermanentError
	require.ErrorAs(t, err, &permanent)
	assert.Equal(t, "event.duplicate_name", permanent.Code)
	assert.Equal(t, []quarantine.Ref{{Topic: testTopic, Offset: 1}}, permanent.Refs)
}

// TestPanicOverOneRecord has a column that is not there for a field that one event has.
func TestPanicOverOneRecord(t *testing.T) {
	s := newServer(t)
	s.exec(t, "ALTER TABLE events ADD COLUMN boom String")
	o := s.output(t, withColumns(map[string]string{"boom": "properties.boom"}))
	var log bytes.Buffer
	o.cfg.log = service.NewLoggerFromSlog(slog.New(slog.NewTextHandler(&log, nil)))
	l := o.layout.Load()
	for f := range l.dict.Len() {
		if l.dict.Path(event.Field(f)) == "properties.boom" {
			l.byField[f] = []int{len(l.columns)}
		}
	}
	err := o.WriteBatch(t.Context(), chunkOf(newEvent(0), withProperties(1, `{"boom":"secret@example.com"}`), newEvent(2)))
	var permanent *stage.PermanentError
	require.ErrorAs(t, err, &permanent)
	assert.Equal(t, stage.CodePanic, permanent.Code)
	assert.Equal(t, []quarantine.Ref{{Topic: testTopic, Offset: 1}}, permanent.Refs)
	assert.Contains(t, log.String(), "worker.go")
	assert.NotContains(t, log.String()+err.Error(), "secret")
	require.Zero(t, s.count(t, "events"))

	again := chunkOf(run(0, 2)...)
	stage.MarkSettled(again[1])
	require.NoError(t, o.WriteBatch(t.Context(), again))
	assert.Equal(t, []string{"0", "2"}, s.offsets(t), "its neighbours go on")
	assert.Equal(t, []string{"0-2: 3 = 2 + 0 + 0 + 1"}, s.books(t))
}

// TestPanicOverOneSeal has no verifier, so that every record whose seal must be read panics.
func TestPanicOverOneSeal(t *testing.T) {
	s := newServer(t)
	o := s.output(t, func(c *config) { c.verifier = nil })
	batch := chunkOf(newEvent(0), newEvent(1))
	rec := newEvent(0).rec
	stage.SetSealed(batch[0], &rec, seal.NewSealer(testRing, testDestination))
	err := o.WriteBatch(t.Context(), batch)
	var permanent *stage.PermanentError
	require.ErrorAs(t, err, &permanent)
	assert.Equal(t, stage.CodePanic, permanent.Code)
	assert.Equal(t, []quarantine.Ref{{Topic: testTopic, Offset: 1}}, permanent.Refs)
}

// TestRowTheServerRefuses has a constraint the sink cannot know: the record at fault is found by halving.
func TestRowTheServerRefuses(t *testing.T) {
	s := newServer(t)
	s.exec(t, "ALTER TABLE events ADD CONSTRAINT no_seven CHECK event_id NOT IN ('evt_00000007', 'evt_00000061')")
	o := s.output(t)
	err := o.WriteBatch(t.Context(), chunkOf(run(0, 99)...))
	var permanent *stage.PermanentError
	require.ErrorAs(t, err, &permanent)
	assert.Equal(t, codeRefused, permanent.Code)
	assert.Equal(t, []quarantine.Ref{{Topic: testTopic, Offset: 7}, {Topic: testTopic, Offset: 61}}, permanent.Refs)
	assert.Empty(t, s.books(t), "the chunk is not done")

	again := chunkOf(run(0, 99)...)
	stage.MarkSettled(again[7])
	stage.MarkSettled(again[61])
	require.NoError(t, o.WriteBatch(t.Context(), again))
	assert.Equal(t, 98, s.count(t, "events"))
	assert.Equal(t, []string{"0-99: 100 = 98 + 0 + 0 + 2"}, s.books(t))
}

func TestColumnsThatCannotBeFilled(t *testing.T) {
	for source, want := range map[string]string{
		"@nothing": "@nothing is not known", "": "no event path", "properties.": "no event path", "properties.items[].sku": "without []",
	} {
		assert.ErrorContains(t, checkColumns(map[string]string{"c": source}), want)
	}
	assert.ErrorContains(t, checkColumns(map[string]string{"offset": "properties.offset"}), "exactly-once rests on")
	assert.NoError(t, checkColumns(map[string]string{"plan": "properties.plan", "offset": "@offset", "host": "context.ip"}))
}

func TestTableThatDoesNotSuit(t *testing.T) {
	for name, tc := range map[string]struct {
		change  []string
		columns map[string]string
		want    string
	}{
		"no table":       {change: []string{"DROP TABLE events"}, want: "run `ebbgate clickhouse apply`"},
		"older books":    {change: []string{"ALTER TABLE ebbgate_chunks DROP COLUMN denied_names"}, want: "table ebbgate_chunks has no column denied_names Array(String): run `ebbgate clickhouse apply`"},
		"no ledger":      {change: []string{"DROP TABLE ebbgate_chunks"}, want: "table ebbgate_chunks is not in database"},
		"window off":     {change: []string{"ALTER TABLE events MODIFY SETTING non_replicated_deduplication_window = 0"}, want: "MODIFY SETTING non_replicated_deduplication_window = 10000"},
		"window default": {change: []string{"ALTER TABLE events RESET SETTING non_replicated_deduplication_window"}, want: "would be written twice"},
		"another engine": {change: []string{"DROP TABLE events", "CREATE TABLE events (offset Int64) ENGINE = Memory"}, want: "MergeTree family"},
		"unknown column": {columns: map[string]string{"plan": "properties.plan"}, want: "column plan is not in the table"},
		"unwritable type": {
			change: []string{"ALTER TABLE events ADD COLUMN m Map(String, String)"}, columns: map[string]string{"m": "properties.m"},
			want: "column m: column type Map(String, String) cannot be written",
		},
		"no lineage":      {change: []string{"ALTER TABLE events DROP INDEX by_src_offset, DROP COLUMN src_offset"}, want: "column src_offset is not in the table"},
		"lineage changed": {change: []string{"ALTER TABLE events DROP INDEX by_src_offset, DROP COLUMN src_offset, ADD COLUMN src_offset String"}, want: "column src_offset: type String does not suit @src_offset"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			for _, statement := range tc.change {
				s.exec(t, statement)
			}
			err := s.unconnected(t, withColumns(tc.columns)).Connect(t.Context())
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestFamilyOfEngine(t *testing.T) {
	for engine, want := range map[string]family{
		"MergeTree": single, "ReplacingMergeTree": single, "ReplicatedMergeTree": replicated, "ReplicatedReplacingMergeTree": replicated, "SharedMergeTree": shared,
	} {
		assert.Equal(t, want, familyOf(engine), engine)
	}
}

// TestTableAlteredUnderARunningSink drops a column that is being written, and adds it again with another type.
func TestTableAlteredUnderARunningSink(t *testing.T) {
	s := newServer(t)
	s.exec(t, "ALTER TABLE events ADD COLUMN plan String")
	o := s.output(t, withColumns(map[string]string{"plan": "properties.plan"}))
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(0, 4)...)))
	s.exec(t, "ALTER TABLE events DROP COLUMN plan")
	require.Error(t, o.WriteBatch(t.Context(), chunkOf(run(5, 9)...)))
	require.ErrorContains(t, o.WriteBatch(t.Context(), chunkOf(run(5, 9)...)), "column plan is not in the table")
	s.exec(t, "ALTER TABLE events ADD COLUMN plan LowCardinality(String)")
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(5, 9)...)))
	assert.Equal(t, offsetTexts(0, 9), s.offsets(t))
}

func TestInsertedAtIsNow(t *testing.T) {
	s := newServer(t)
	before := time.Now().Add(-time.Second).UTC().Format("2006-01-02 15:04:05")
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(newEvent(0))))
	assert.Greater(t, s.texts(t, "SELECT toString(inserted_at) FROM events")[0], before)
}
