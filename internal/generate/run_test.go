package generate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/plugtest"
)

func entries(t *testing.T, ledger []byte) []Entry {
	t.Helper()
	var out []Entry
	for line := range bytes.Lines(ledger) {
		var entry Entry
		require.NoError(t, json.Unmarshal(line, &entry))
		out = append(out, entry)
	}
	return out
}

var mixed = Options{Seed: 4, Count: 1000, BadShare: 0.1, RepeatShare: 0.05, MissingConsentShare: 0.1}

func TestRunWritesLinesAndLedger(t *testing.T) {
	var out, ledger bytes.Buffer
	sum, err := Run(t.Context(), New(mixed).Records(), NDJSON(&out), RunOptions{Ledger: &ledger})
	require.NoError(t, err)
	events, _ := collect(t, mixed)
	lines := bytes.Split(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n"))
	noted := entries(t, ledger.Bytes())
	require.Len(t, lines, 1000)
	require.Len(t, noted, 1000)
	for i, ev := range events {
		assert.Equal(t, ev.Bytes, lines[i])
		hash := sha256.Sum256(ev.Bytes)
		assert.Equal(t, hex.EncodeToString(hash[:]), noted[i].SHA256)
		assert.Equal(t, ev.ID, noted[i].EventID)
		assert.Equal(t, ev.Expect.Code, noted[i].Code)
		if ev.Expect.Accepted() {
			assert.Equal(t, ev.Expect.Denied(Marketing), noted[i].Denied[Marketing])
		}
	}
	assert.Equal(t, 1000, sum.Records)
	assert.Positive(t, sum.Flawed)
	assert.Positive(t, sum.Repeats)
	assert.EqualValues(t, out.Len()-1000, sum.Bytes)
}

func TestRunProducesToATopic(t *testing.T) {
	seeds, _ := plugtest.Broker(t, kfake.SeedTopics(3, "inbound.events"))
	to, err := Topic("inbound.events", kgo.SeedBrokers(seeds...))
	require.NoError(t, err)
	var ledger bytes.Buffer
	sum, err := Run(t.Context(), New(mixed).Records(), to, RunOptions{Ledger: &ledger})
	require.NoError(t, err)
	require.Equal(t, 1000, sum.Records)
	byPlace := map[string]Entry{}
	for _, entry := range entries(t, ledger.Bytes()) {
		byPlace[entry.Place] = entry
	}
	require.Len(t, byPlace, 1000)

	reader, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.ConsumeTopics("inbound.events"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer reader.Close()
	keys := map[string]int32{}
	for read := 0; read < 1000; {
		fetches := reader.PollFetches(t.Context())
		require.NoError(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			read++
			entry := byPlace[place(r)]
			hash := sha256.Sum256(r.Value)
			assert.Equal(t, entry.SHA256, hex.EncodeToString(hash[:]), "the ledger names the bytes at that place")
			assert.Equal(t, entry.EventID, string(r.Headers[0].Value))
			if partition, ok := keys[string(r.Key)]; ok {
				assert.Equal(t, partition, r.Partition, "a person's events stay in one partition")
			}
			keys[string(r.Key)] = r.Partition
		})
	}
}

// A ledger names only what is durable.
func TestRunStopsAtTheFirstFailure(t *testing.T) {
	seeds, _ := plugtest.Broker(t, kfake.SeedTopics(1, "inbound.events"))
	to, err := Topic("inbound.events", kgo.SeedBrokers(seeds...), kgo.ProducerBatchMaxBytes(512))
	require.NoError(t, err)
	var ledger bytes.Buffer
	sum, err := Run(t.Context(), large(), to, RunOptions{Ledger: &ledger})
	require.ErrorContains(t, err, "producing")
	assert.Zero(t, sum.Records)
	assert.Zero(t, ledger.Len())

	broken := errors.New("disk full")
	_, err = Run(t.Context(), New(Options{Seed: 1}).Records(), NDJSON(failing{broken}), RunOptions{})
	require.ErrorIs(t, err, broken)
	var out bytes.Buffer
	_, err = Run(t.Context(), New(Options{Seed: 1}).Records(), NDJSON(&out), RunOptions{Ledger: failing{broken}})
	require.ErrorIs(t, err, broken)
}

// large gives events without end that no batch of 512 bytes can hold.
func large() Source {
	return func() (Record, bool) { return Record{Value: bytes.Repeat([]byte("x"), 4096)}, true }
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestRunKeepsThePaceAndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second+time.Millisecond/2)
		defer cancel()
		var out bytes.Buffer
		told := 0
		sum, err := Run(ctx, New(Options{Seed: 1}).Records(), NDJSON(&out), RunOptions{Rate: 1000, Progress: func(done int) { told = done }})
		require.NoError(t, err)
		assert.Equal(t, 2001, sum.Records)
		assert.Equal(t, 2001, bytes.Count(out.Bytes(), []byte("\n")), "what was made before the end is written")
		assert.Equal(t, 1792, told)
		assert.Equal(t, 2*time.Second+time.Millisecond/2, sum.Elapsed)
	})
}

func TestDeliveriesCarryGitHubsHeaders(t *testing.T) {
	index := filepath.Join(t.TempDir(), "index.json")
	require.NoError(t, os.WriteFile(index, []byte(`[{"name":"push","examples":[{ "a" : 1.50 }, {"b":2}]},{"name":"ping","examples":[{"a":1.50}]}]`), 0o600))
	list, err := readDeliveries(index)
	require.NoError(t, err)
	from := Deliveries(list)
	var ids []string
	for {
		r, ok := from()
		if !ok {
			break
		}
		assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, string(r.Headers[1].Value))
		assert.Equal(t, r.Entry.Name, string(r.Headers[0].Value))
		ids = append(ids, string(r.Headers[1].Value)+" "+r.Entry.Name+" "+string(r.Value))
	}
	require.Len(t, ids, 3)
	assert.Contains(t, ids[0], `push {"a":1.50}`)
	assert.NotEqual(t, ids[0][:36], ids[2][:36], "the event is part of the id")
}
