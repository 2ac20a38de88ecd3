package kafka

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/topics"
)

func parseTopics(t testing.TB, yaml string) *topics.Set {
	t.Helper()
	set, err := topics.Parse([]byte(yaml), "topics.yaml")
	require.NoError(t, err)
	return set
}

const declared = `
topics:
  events.raw: {role: raw, partitions: 4, retention: 7d, cleanup: delete, compression: lz4, max_message_bytes: 2097152, read: ["User:v"], write: ["User:i"]}
  privacy.consent: {role: consent, partitions: 2, cleanup: compact, read: ["User:v"]}
`

// admin is a new client each time, as each run of the command has.
func (f *fixture) admin() *kadm.Client {
	cl, err := kgo.NewClient(kgo.SeedBrokers(f.cluster.ListenAddrs()...))
	require.NoError(f.t, err)
	f.t.Cleanup(cl.Close)
	return kadm.NewClient(cl)
}

func TestApplyTopicsCreatesOnce(t *testing.T) {
	f := newFixture(t)
	adm := f.admin()
	changes, err := ApplyTopics(ctx(t), f.admin(), parseTopics(t, declared))
	require.NoError(t, err)
	assert.Equal(t, []Change{
		{Topic: "events.raw", What: "topic", To: "4 partitions, delete"},
		{Topic: "privacy.consent", What: "topic", To: "2 partitions, compact"},
	}, changes)
	configs, err := adm.DescribeTopicConfigs(ctx(t), "events.raw", "privacy.consent")
	require.NoError(t, err)
	got := map[string]string{}
	for _, rc := range configs {
		for _, c := range rc.Configs {
			if c.Value != nil {
				got[rc.Name+"/"+c.Key] = *c.Value
			}
		}
	}
	assert.Equal(t, "604800000", got["events.raw/retention.ms"])
	assert.Equal(t, "lz4", got["events.raw/compression.type"])
	assert.Equal(t, "2097152", got["events.raw/max.message.bytes"])
	assert.Equal(t, "compact", got["privacy.consent/cleanup.policy"])
	assert.Equal(t, "86400000", got["privacy.consent/max.compaction.lag.ms"])

	changes, err = ApplyTopics(ctx(t), f.admin(), parseTopics(t, declared))
	require.NoError(t, err)
	assert.Empty(t, changes, "a second run changes nothing")
}

func TestApplyTopicsSaysWhatTheBrokerRefused(t *testing.T) {
	f := newFixture(t)
	for key, want := range map[kmsg.Key]string{kmsg.CreateTopics: "creating topic events.raw", kmsg.CreatePartitions: "raising the partitions of events.raw to 4"} {
		if key == kmsg.CreatePartitions {
			_, _ = f.admin().CreateTopic(ctx(t), 1, 1, nil, "events.raw")
		}
		fault := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.TopicAuthorizationFailed})
		_, err := ApplyTopics(ctx(t), f.admin(), parseTopics(t, declared))
		fault.Remove()
		require.ErrorContains(t, err, want)
		_, _ = f.admin().DeleteTopics(ctx(t), "events.raw", "privacy.consent")
	}
}

func TestACLsGiveEachPrincipalWhatItNeedsOnly(t *testing.T) {
	f := newFixture(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "admin", "admin"), kfake.User("PLAIN", "v", "v"), kfake.User("PLAIN", "i", "i"))
	as := func(user string, opts ...kgo.Opt) *kgo.Client {
		c := parseClient(t, `{seed_brokers: [ "`+f.cluster.ListenAddrs()[0]+`" ], sasl: [{mechanism: PLAIN, username: `+user+`, password: `+user+`}]}`)
		cl, err := kgo.NewClient(append(c.Options(), opts...)...)
		require.NoError(t, err)
		t.Cleanup(cl.Close)
		return cl
	}
	adm := kadm.NewClient(adminOf(t, f))
	set := parseTopics(t, declared)
	_, err := ApplyTopics(ctx(t), adm, set)
	require.NoError(t, err)
	rec := func() *kgo.Record { return &kgo.Record{Topic: "events.raw", Value: []byte("v")} }
	require.Error(t, as("i").ProduceSync(ctx(t), rec()).FirstErr())

	plan, err := PlanTopics(ctx(t), adm, set, true)
	require.NoError(t, err)
	changes, err := plan.Apply(ctx(t), adm)
	require.NoError(t, err)
	assert.Len(t, changes, 11)
	plan, err = PlanTopics(ctx(t), adm, set, true)
	require.NoError(t, err)
	assert.Empty(t, plan.Changes)
	assert.Empty(t, plan.Warnings)

	stray := grant{"User:stray", kmsg.ACLResourceTypeTopic, "events.raw", kadm.ACLPatternLiteral, kadm.OpRead}
	require.NoError(t, createACL(ctx(t), adm, stray))
	plan, err = PlanTopics(ctx(t), adm, set, true)
	require.NoError(t, err)
	assert.Empty(t, plan.Changes, "what is granted beyond the file stays")
	require.Len(t, plan.Warnings, 1)
	assert.Contains(t, plan.Warnings[0], "User:stray READ TOPIC events.raw is granted")

	require.NoError(t, as("i").ProduceSync(ctx(t), rec()).FirstErr())
	require.Error(t, as("v").ProduceSync(ctx(t), rec()).FirstErr(), "a reader may not write")
	reader := as("v", kgo.ConsumeTopics("events.raw"), kgo.ConsumerGroup("ebbgate-test"))
	for n := 0; n == 0; {
		fetches := reader.PollFetches(ctx(t))
		require.NoError(t, fetches.Err())
		n = fetches.NumRecords()
	}
}

func adminOf(t *testing.T, f *fixture) *kgo.Client {
	c := parseClient(t, `{seed_brokers: [ "`+f.cluster.ListenAddrs()[0]+`" ], sasl: [{mechanism: PLAIN, username: admin, password: admin}]}`)
	cl, err := kgo.NewClient(c.Options()...)
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}
