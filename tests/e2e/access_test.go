package e2e

import (
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/sandbox/broker"
	"github.com/ebbgate/ebbgate/internal/sender"
)

const mechanism = "SCRAM-SHA-256"

// Every stream works with the rights of its own principal in topics.yaml and no others; a principal is refused what it has
// no business with.
func TestPrincipalsReachOnlyTheirOwnTopics(t *testing.T) {
	principals := map[string]string{
		"ingest-events": "ebbgate-ingest", "validate": "ebbgate-validate", "govern": "ebbgate-govern", "analytics": "ebbgate-analytics",
		"compliance": "ebbgate-audit",
	}
	h := guarded(t, principals)
	h.publish(inbound, view("evt_1", "u_1"), form("evt_2", "u_2"), `{"broken":`)
	var running []*process
	for stream, principal := range principals {
		file := "pipelines/streams/" + stream + ".yaml"
		h.rewrite(file, func(yaml string) string { return signIn(yaml, principal) })
		running = append(running, h.start("streams", "-o", "pipelines/service.yaml", file))
	}
	plan := h.plan()
	plan.Accepted = plan.Accepted[:1] // the streams for foreign topics do not run
	h.drained(plan.Flow()...)
	require.Equal(t, map[string]int{"evt_1": 1, "evt_2": 1}, h.rows())
	require.Equal(t, map[string]int{"event.syntax": 1}, h.codes())
	for _, p := range running {
		require.NotContains(t, p.log(), "AUTHORIZATION")
		p.stop()
	}

	copying := func(user string) outcome {
		h.env = append(h.env, "EBBGATE_SASL_PASSWORD=password-of-"+user)
		return h.run("clickhouse", "outcomes", "--sasl-mechanism", mechanism, "--user", user)
	}
	require.Contains(t, copying("ebbgate-analytics").errors, "TOPIC_AUTHORIZATION_FAILED")
	require.Contains(t, copying("ebbgate-outcomes").out, "rows written: 1")
	require.Equal(t, 1, h.count("SELECT count() FROM events_missing WHERE outcome = 'quarantined'"))

	stray := h.write("stray.yaml", signIn(strings.NewReplacer("TOPIC", raw, "DESTINATION", "analytics").Replace(inputYAML+clickhouseYAML), "ebbgate-analytics"))
	h.start("streams", "-o", "pipelines/service.yaml", stray).says("TOPIC_AUTHORIZATION_FAILED", "topics apply --acls")
	for _, topic := range []string{raw, validated, inbound, "events.authorized.activation"} {
		require.ErrorIs(t, fetch(t, h, "ebbgate-analytics", topic), kerr.TopicAuthorizationFailed, topic)
	}
	require.NoError(t, fetch(t, h, "ebbgate-analytics", analytics))
	require.Equal(t, map[string]int{"evt_1": 1, "evt_2": 1}, h.rows())
}

// The door has no more rights than it needs, and who answers for deliveries may read receipts and verify, and nothing else.
func TestTheDoorReachesOnlyWhatItNeeds(t *testing.T) {
	h := guarded(t, map[string]string{"door": "ebbgate-door", "support": "ebbgate-support"})
	h.rewrite("pipelines/doors/webhooks.yaml", func(yaml string) string { return signIn(yaml, "ebbgate-door") })
	address := freeAddress(t)
	h.openDoor(address)
	a, err := sender.Post(h.ctx(), http.DefaultClient, h.sample("stripe", address, "evt_1"))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.Status)
	for _, topic := range []string{deliveries, receiptsTopic, raw} {
		require.ErrorIs(t, fetch(t, h, "ebbgate-door", topic), kerr.TopicAuthorizationFailed, topic)
	}

	h.env = append(h.env, "EBBGATE_SASL_PASSWORD=password-of-ebbgate-support")
	support := []string{"--sasl-mechanism", mechanism, "--user", "ebbgate-support"}
	require.Contains(t, h.must(append([]string{"receipts", "list"}, support...)...), a.Receipt)
	require.Contains(t, h.must(append(append([]string{"receipts", "verify"}, support...), a.Receipt)...), "good")
	require.ErrorIs(t, fetch(t, h, "ebbgate-support", raw), kerr.TopicAuthorizationFailed)
}

// guarded is a house whose broker asks for a name, with the ACLs of topics.yaml applied by an administrator.
func guarded(t *testing.T, principals map[string]string) *house {
	t.Helper()
	t.Parallel()
	h := bare(t)
	h.dsn = plugtest.ClickHouse(t)
	users := []broker.User{{Mechanism: mechanism, Name: "admin", Password: "password-of-admin", Super: true}}
	for _, name := range append(slices.Collect(maps.Values(principals)), "ebbgate-outcomes") {
		users = append(users, broker.User{Mechanism: mechanism, Name: name, Password: "password-of-" + name})
	}
	cluster, err := broker.Open(broker.Options{DataDir: filepath.Join(h.root, "broker"), Listen: "127.0.0.1:0", Users: users})
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	address := cluster.ListenAddrs()[0]
	h.env = append(h.env, sandbox.EnvBrokers+"="+address, sandbox.EnvClickHouseDSN+"="+h.dsn, "EBBGATE_SASL_PASSWORD=password-of-admin")
	h.conn = open(t, h.dsn)
	h.connect(kgo.SeedBrokers(address), as("admin"))
	h.must("topics", "apply", "--acls", "--sasl-mechanism", mechanism, "--user", "admin")
	h.must("clickhouse", "apply")
	return h
}

func as(user string) kgo.Opt {
	return kgo.SASL(scram.Auth{User: user, Pass: "password-of-" + user}.AsSha256Mechanism())
}

// signIn adds a user to every connection of a stream.
func signIn(yaml, user string) string {
	var out strings.Builder
	for line := range strings.Lines(yaml) {
		out.WriteString(line)
		if at := strings.Index(line, "seed_brokers:"); at >= 0 {
			out.WriteString(strings.Repeat(" ", at) + "sasl: [ { mechanism: " + mechanism + ", username: " + user + ", password: password-of-" + user + " } ]\n")
		}
	}
	return out.String()
}

// fetch reads a topic's first records as a user, with a plain client.
func fetch(t *testing.T, h *house, user, topic string) error {
	t.Helper()
	client, err := kgo.NewClient(h.options[0], as(user), kgo.ConsumeTopics(topic))
	require.NoError(t, err)
	defer client.Close()
	return client.PollFetches(h.ctx()).Err()
}
