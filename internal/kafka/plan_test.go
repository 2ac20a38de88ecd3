package kafka

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// differs is another opinion on the topics of declared.
const differs = `
topics:
  events.raw: {role: raw, partitions: 6, retention: 1d, cleanup: delete, max_message_bytes: 1048576}
  privacy.consent: {role: consent, partitions: 3, cleanup: compact}
`

// produce writes records of an age to a topic.
func (f *fixture) produce(topic string, n int, age time.Duration) {
	f.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(f.cluster.ListenAddrs()...))
	require.NoError(f.t, err)
	defer cl.Close()
	var records []*kgo.Record
	for i := range n {
		records = append(records, &kgo.Record{Topic: topic, Key: []byte(strconv.Itoa(i)), Value: []byte("v"), Timestamp: time.Now().Add(-age)})
	}
	require.NoError(f.t, cl.ProduceSync(ctx(f.t), records...).FirstErr())
}

func (f *fixture) plan(yaml string) *Plan {
	f.t.Helper()
	plan, err := PlanTopics(ctx(f.t), f.admin(), parseTopics(f.t, yaml), false)
	require.NoError(f.t, err)
	return plan
}

func (f *fixture) apply(yaml string) {
	f.t.Helper()
	_, err := ApplyTopics(ctx(f.t), f.admin(), parseTopics(f.t, yaml))
	require.NoError(f.t, err)
}

func TestPlanShowsAndChangesNothing(t *testing.T) {
	f := newFixture(t)
	for range 2 {
		plan := f.plan(declared)
		assert.Equal(t, []Change{
			{Topic: "events.raw", What: "topic", To: "4 partitions, delete"},
			{Topic: "privacy.consent", What: "topic", To: "2 partitions, compact"},
		}, plan.Changes)
	}
}

// The same client plans, applies and plans again: what it remembers of topics must not matter.
func TestPlanAfterApplyIsEmpty(t *testing.T) {
	f := newFixture(t)
	adm, set := f.admin(), parseTopics(t, declared)
	_, err := f.admin().CreateTopic(ctx(t), 1, 1, nil, "of.others")
	require.NoError(t, err)
	for i := range 2 {
		plan, err := PlanTopics(ctx(t), adm, set, false)
		require.NoError(t, err)
		assert.Equal(t, []string{"of.others"}, plan.NotOurs)
		assert.Len(t, plan.Changes, 2*(1-i))
		_, err = plan.Apply(ctx(t), adm)
		require.NoError(t, err)
	}
	details, err := f.admin().ListTopics(ctx(t))
	require.NoError(t, err)
	assert.Len(t, details["of.others"].Partitions, 1)
}

func TestEmptyTopicsHaveNothingToLose(t *testing.T) {
	f := newFixture(t)
	f.apply(declared)
	plan := f.plan(differs)
	require.NoError(t, plan.Refused())
	assert.Len(t, plan.Changes, 4)
	_, err := plan.Apply(ctx(t), f.admin())
	require.NoError(t, err)
	assert.Empty(t, f.plan(differs).Changes)
}

func TestWhatLosesNeedsToBeSaid(t *testing.T) {
	f := newFixture(t)
	f.apply(declared)
	f.produce("events.raw", 10, 0)
	f.produce("privacy.consent", 10, 0)
	plan := f.plan(differs)
	needs := map[string]Permission{}
	for _, c := range plan.Changes {
		needs[c.Topic+" "+c.What] = c.Needs
		assert.NotEmpty(t, c.Costs)
	}
	assert.Equal(t, map[string]Permission{
		"events.raw partitions": AllowReorder, "events.raw retention.ms": AllowLoss, "events.raw max.message.bytes": "",
		"privacy.consent partitions": AllowReorder,
	}, needs)
	for _, given := range [][]Permission{nil, {AllowLoss}, {AllowReorder}} {
		made, err := plan.Apply(ctx(t), f.admin(), given...)
		require.Error(t, err)
		require.Empty(t, made)
		assert.Equal(t, plan.Changes, f.plan(differs).Changes, "nothing is begun")
	}
	require.ErrorContains(t, plan.Refused(), "events.raw: retention.ms 604800000 to 86400000: records older than 24h0m0s are deleted (say so with --allow-loss)")
	require.NoError(t, plan.Impossible())
	_, err := plan.Apply(ctx(t), f.admin(), AllowLoss, AllowReorder)
	require.NoError(t, err)
	assert.Empty(t, f.plan(differs).Changes)

	f.apply(`topics: {events.raw: {role: raw, partitions: 6, retention: forever, cleanup: delete, max_message_bytes: 1048576}}`)
	shorter := f.plan(`topics: {events.raw: {role: raw, partitions: 6, retention: 30d, cleanup: delete}}`)
	require.ErrorContains(t, shorter.Refused(), "--allow-loss", "any retention is shorter than for ever")
}

func TestCleanupIsNotChangedInPassing(t *testing.T) {
	f := newFixture(t)
	_, err := f.admin().CreateTopic(ctx(t), 1, 1, nil, "privacy.consent")
	require.NoError(t, err)
	f.produce("privacy.consent", 1, 0)
	plan := f.plan(`topics: {privacy.consent: {role: consent, partitions: 1, cleanup: compact}}`)
	require.ErrorContains(t, plan.Refused(), "privacy.consent: cleanup.policy delete to compact")
	_, err = plan.Apply(ctx(t), f.admin(), AllowLoss)
	require.NoError(t, err)
	assert.Empty(t, f.plan(`topics: {privacy.consent: {role: consent, partitions: 1, cleanup: compact}}`).Changes)
}

func TestPartitionsAreNeverTakenAway(t *testing.T) {
	f := newFixture(t)
	f.apply(declared)
	plan := f.plan(`topics: {events.raw: {role: raw, partitions: 3, retention: 7d, cleanup: delete}}`)
	require.ErrorContains(t, plan.Impossible(), "no broker takes partitions away: write partitions: 4")
	_, err := plan.Apply(ctx(t), f.admin(), AllowLoss, AllowReorder)
	require.ErrorContains(t, err, "partitions 4 to 3")
	details, err := f.admin().ListTopics(ctx(t))
	require.NoError(t, err)
	assert.Len(t, details["events.raw"].Partitions, 4)
}

// What could not be read may hold something.
func TestUnknownHoldingIsNotEmpty(t *testing.T) {
	f := newFixture(t)
	f.apply(declared)
	fault := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.UnknownServerError})
	defer fault.Remove()
	require.ErrorContains(t, f.plan(differs).Refused(), string(AllowLoss))
}

func TestWarnings(t *testing.T) {
	f := newFixture(t)
	yaml := func(partitions int) string {
		return fmt.Sprintf(`
topics:
  events.raw: {role: raw, partitions: %d, retention: 7d, cleanup: delete}
  events.authorized.activation: {destination: activation, partitions: 1, retention: 30d, cleanup: delete, replication_factor: 1}
  events.authorized.analytics: {destination: analytics, partitions: 2, retention: 1d, cleanup: delete}
  privacy.decisions: {role: decisions, partitions: 1, retention: 2d, cleanup: delete}
`, partitions)
	}
	assert.Equal(t, []string{
		"events.authorized.activation is kept longer than privacy.decisions: what was authorized would outlive the record of why",
	}, f.plan(yaml(4)).Warnings)
	brokers := len(f.cluster.ListenAddrs())
	warnings := f.plan(yaml(maxReplicasPerBroker * brokers)).Warnings
	require.Len(t, warnings, 2)
	assert.Contains(t, warnings[1], "Kafka's recommendation is at most 4000")

	f.apply(yaml(4))
	f.produce("events.authorized.analytics", 100, 0)
	assert.Len(t, f.plan(yaml(4)).Warnings, 1, "a young topic says nothing about a day")
	f.produce("events.raw", 100, 48*time.Hour)
	f.produce("events.raw", 100, 0)
	warnings = f.plan(yaml(4)).Warnings
	require.Len(t, warnings, 2)
	assert.Contains(t, warnings[1], "less than one full chunk (4096) for each")
	assert.Contains(t, warnings[1], "1 would do")
}
