package topics_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/topics"
)

// The wording of every problem is held by the golden cases of package workspace.

const small = `defaults: { replication_factor: 3 }
topics:
  events.raw: { role: raw, partitions: 12, retention: 7d, cleanup: delete, compression: lz4, max_message_bytes: 2097152, read: ["User:validate"], write: ["User:ingest"], description: Raw. }
  events.authorized.analytics: { destination: analytics, partitions: 6, retention: 12h, cleanup: delete, replication_factor: 1 }
  privacy.consent: { role: consent, partitions: 1, cleanup: compact }
  ingest.receipts: { role: receipts, partitions: 1, retention: forever, cleanup: delete }
`

func TestParse(t *testing.T) {
	set, err := topics.Parse([]byte(small), "topics.yaml")
	require.NoError(t, err)
	require.Len(t, set.All(), 4)
	raw, ok := set.ByRole(topics.Raw)
	require.True(t, ok)
	assert.Equal(t, topics.Topic{
		Name: "events.raw", Role: topics.Raw, Partitions: 12, ReplicationFactor: 3, Retention: 7 * 24 * time.Hour, Cleanup: "delete", Compression: "lz4",
		MaxMessageBytes: 2097152, Read: []string{"User:validate"}, Write: []string{"User:ingest"}, Description: "Raw.", Line: 3,
	}, raw)
	analytics, ok := set.ByDestination("analytics")
	require.True(t, ok)
	assert.Equal(t, 12*time.Hour, analytics.Retention)
	assert.Equal(t, 1, analytics.ReplicationFactor)
	receipts, _ := set.Topic("ingest.receipts")
	assert.Zero(t, receipts.Retention, "for ever")
	assert.Equal(t, "topics.yaml", set.File)

	name, ok := set.DestinationOf("events.authorized.analytics")
	assert.True(t, ok)
	assert.Equal(t, "analytics", name)
	for _, other := range []string{"events.raw", "nowhere", ""} {
		_, ok = set.DestinationOf(other)
		assert.False(t, ok, other)
	}
	_, ok = set.ByRole(topics.Quarantine)
	assert.False(t, ok)
	_, ok = set.ByRole("")
	assert.False(t, ok, "topics of destinations have no role")
	_, ok = set.ByDestination("")
	assert.False(t, ok, "topics with a role have no destination")
	_, ok = set.ByDestination("warehouse")
	assert.False(t, ok)
	_, ok = set.Topic("nowhere")
	assert.False(t, ok)
}

// TestStateNeverExpires: a consent, suppression or erasure record that expired would be a record that never was.
func TestStateNeverExpires(t *testing.T) {
	for _, role := range []topics.Role{topics.Consent, topics.Suppression, topics.Erasures, topics.Keys, topics.Policies, topics.Identity} {
		assert.True(t, role.Compacted(), role)
		for _, settings := range []string{"retention: 30d, cleanup: delete", "retention: 30d, cleanup: compact"} {
			_, err := topics.Parse([]byte("topics:\n  x: { role: "+string(role)+", partitions: 1, "+settings+" }\n"), "topics.yaml")
			assert.Error(t, err, "%s %s", role, settings)
		}
	}
	assert.False(t, topics.Raw.Compacted())
}

func TestShippedTopicsSeparateSensitivity(t *testing.T) {
	src, err := os.ReadFile("../../pipelines/topics.yaml")
	require.NoError(t, err)
	set, err := topics.Parse(src, "topics.yaml")
	require.NoError(t, err)
	for _, topic := range set.All() {
		assert.NotEmpty(t, topic.Description, topic.Name)
		assert.NotEmpty(t, topic.Read, topic.Name)
		assert.NotEmpty(t, topic.Write, topic.Name)
		if topic.Role == topics.Raw {
			assert.NotContains(t, topic.Read, "User:ebbgate-deliver", "who delivers must not see raw events")
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("topics: {a: {role: consent, partitions: 1, cleanup: compact, retention: 1d}}"))
	f.Add([]byte("topics: &a {a: *a}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		set, err := topics.Parse(src, "topics.yaml")
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		for _, topic := range set.All() {
			require.NotEqual(t, topic.Role == "", topic.Destination == "")
			require.Positive(t, topic.Partitions)
			require.False(t, topic.Role.Compacted() && (topic.Cleanup != "compact" || topic.Retention != 0))
		}
	})
}
