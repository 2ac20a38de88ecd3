package consent

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// noted is a validate stage on a broker, and somebody who writes there what leaves it.
type noted struct {
	t    *testing.T
	p    *processor
	ring *keys.Ring
	cl   *kgo.Client
}

func newNoted(t *testing.T) *noted {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	return noting(t, "")
}

// noting works in the workspace below the current folder, with more about where state is asked.
func noting(t *testing.T, state string) *noted {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	ring, err := keys.FromEnvironment()
	require.NoError(t, err)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2,
		"privacy.consent", "privacy.suppression", "privacy.erasures", "privacy.policies", "identity.links"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	conf, err := processorSpec().ParseYAML(fmt.Sprintf("stage: validate\nstate: { seed_brokers: [ %q ]%s }", cluster.ListenAddrs()[0], state), nil)
	require.NoError(t, err)
	p, err := newProcessor(conf, service.MockResources())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close(context.Background())) })
	return &noted{t, p, ring, cl}
}

func (n *noted) put(topic, key, value string) {
	n.t.Helper()
	require.NoError(n.t, n.cl.ProduceSync(n.t.Context(), &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(value)}).FirstErr())
}

// told sends events through the stage and returns what it made of them beside the events, by topic and key, written to the broker.
func (n *noted) told(events ...string) (lines []string) {
	n.t.Helper()
	for _, msg := range n.made(events...) {
		topic, _ := msg.MetaGet(stage.MetaTopic)
		key, _ := msg.MetaGet(stage.MetaKey)
		body, _ := stage.Made(msg)
		n.put(topic, key, string(body))
		lines = append(lines, string(body))
	}
	return lines
}

func (n *noted) made(events ...string) service.MessageBatch {
	n.t.Helper()
	batch := service.MessageBatch{}
	for _, text := range events {
		batch = append(batch, service.NewMessage([]byte(text)))
	}
	out, err := n.p.ProcessBatch(n.t.Context(), batch)
	require.NoError(n.t, err)
	require.Len(n.t, out, 1)
	return out[0][len(events):]
}

// minute is when something happened.
func minute(m int) string { return time.Date(2026, 11, 1, 10, m, 0, 0, time.UTC).Format(time.RFC3339) }

func chose(source, subject, purposes string, at int) string {
	return fmt.Sprintf(`{"event_name":"segment_consent_preference_updated","event_id":"evt_%d","timestamp":%q,"subject":%s,"consent":%s,"context":{"source":%q}}`,
		at, minute(at), subject, purposes, source)
}

func mailed(event string, at int) string {
	return fmt.Sprintf(`{"event_name":"email_activity","event_id":"evt_%d","timestamp":%q,"subject":{"user_id":"u_1"},"context":{"source":"sendgrid"},"properties":%s}`,
		at, minute(at), event)
}

const her = `{"user_id":"u_1"}`

func TestAChoiceBecomesTheSubjectsRecord(t *testing.T) {
	n := newNoted(t)
	no := chose("web_app", her, `{"analytics":true,"marketing":false}`, 10)
	require.Equal(t, []string{`{"version":1,"purposes":{"marketing":false},"source":"web_app","changed_at":"2026-11-01T10:10:00Z","proof":"evt_10"}`},
		n.told(no), "a browser withdraws and does not grant")
	require.Empty(t, n.told(no), "a retry or a replay")
	require.Empty(t, n.told(chose("web_app", her, `{"marketing":true}`, 20)), "nobody lifts what is withdrawn from a browser")
	require.Empty(t, n.told(chose("unheard_of", her, `{"marketing":true}`, 20)))
	require.Empty(t, n.told(chose("stripe", her, `{"marketing":true}`, 20)), "a source that carries no consent")
	require.Empty(t, n.told(chose("backend", her, `{"marketing":true}`, 5)), "older than the withdrawal")
	require.Equal(t, []string{`{"version":2,"purposes":{"analytics":true,"marketing":true},"source":"backend","changed_at":"2026-11-01T10:30:00Z","proof":"evt_30"}`},
		n.told(chose("backend", her, `{"analytics":true,"marketing":true}`, 30)))
	require.Equal(t, []string{`{"version":3,"purposes":{"analytics":false,"marketing":true},"source":"other","changed_at":"2026-11-01T10:40:00Z","proof":"evt_40","stated_at":{"marketing":"2026-11-01T10:30:00Z"}}`},
		n.told(chose("unheard_of", her, `{"analytics":false}`, 40)), "a withdrawal is heard from anybody")
}

func TestChoicesInOneBatchBuildOnEachOther(t *testing.T) {
	n := newNoted(t)
	lines := n.told(chose("backend", her, `{"analytics":true}`, 10), chose("backend", her, `{"analytics":false}`, 12), chose("backend", her, `{"marketing":true}`, 11))
	require.Len(t, lines, 3)
	require.Equal(t, `{"version":3,"purposes":{"analytics":false,"marketing":true},"source":"backend","changed_at":"2026-11-01T10:12:00Z","proof":"evt_11","stated_at":{"marketing":"2026-11-01T10:11:00Z"}}`, lines[2])
}

func TestNobodySpeaksFromTheFuture(t *testing.T) {
	n := newNoted(t)
	ahead := chose("backend", her, `{"marketing":true}`, 50)
	ahead = ahead[:len(ahead)-1] + fmt.Sprintf(`,"received_at":%q}`, minute(10))
	require.Contains(t, n.told(ahead)[0], minute(10))
	require.Len(t, n.told(chose("web_app", her, `{"marketing":false}`, 20)), 1, "what came later counts")
}

func TestAChoiceIsThatOfThePersonUnderAllTheirIDs(t *testing.T) {
	n := newNoted(t)
	keys := func(event string) (found []string) {
		for _, msg := range n.made(event) {
			key, _ := msg.MetaGet(stage.MetaKey)
			body, _ := stage.Made(msg)
			n.put("privacy.consent", key, string(body))
			found = append(found, key)
		}
		return found
	}
	all := `{"user_id":"u_1","anonymous_id":"a_1","account_id":"acme"}`
	user, device := n.ring.SubjectPseudonym("user_id", "u_1"), n.ring.SubjectPseudonym("anonymous_id", "a_1")
	require.Equal(t, []string{user}, keys(chose("backend", all, `{"marketing":true}`, 10)), "a device needs no record to be granted anything")
	require.Equal(t, []string{user, device}, keys(chose("web_app", all, `{"marketing":false}`, 20)), "and not the account")
	require.Equal(t, []string{user, device}, keys(chose("backend", all, `{"marketing":true}`, 30)), "else the device would deny for ever")
	require.Equal(t, []string{n.ring.SubjectPseudonym("account_id", "acme")}, keys(chose("backend", `{"account_id":"acme"}`, `{"marketing":false}`, 40)))
}

func TestProvidersSuppress(t *testing.T) {
	n := newNoted(t)
	for _, event := range []string{`{"event":"delivered"}`, `{"event":"bounce","bounce":"soft"}`, `{"event":"bounce"}`, `{"event":"Unsubscribe"}`} {
		require.Empty(t, n.told(mailed(event, 10)), event)
	}
	bounce := mailed(`{"event":"bounce","bounce":"hard"}`, 10)
	require.Equal(t, []string{`{"version":1,"channels":["email"],"reason":"hard_bounce","source":"sendgrid","changed_at":"2026-11-01T10:10:00Z"}`}, n.told(bounce))
	require.Empty(t, n.told(bounce), "a retry or a replay")
	require.Empty(t, n.told(mailed(`{"event":"spamreport"}`, 5)), "nothing new")
	key := n.ring.SubjectPseudonym("user_id", "u_1")
	n.put("privacy.suppression", key, `{"version":2,"lifted":true,"source":"desk","changed_at":"`+minute(20)+`"}`)
	require.Empty(t, n.told(bounce), "a replay does not take back what was lifted since")
	require.Equal(t, []string{`{"version":3,"channels":["email"],"reason":"spam_report","source":"sendgrid","changed_at":"2026-11-01T10:30:00Z"}`},
		n.told(mailed(`{"event":"spamreport"}`, 30)))
}

func TestSuppressionsInOneBatchBuildOnEachOther(t *testing.T) {
	n := newNoted(t)
	lines := n.told(mailed(`{"event":"bounce","bounce":"hard"}`, 10), mailed(`{"event":"spamreport"}`, 20), mailed(`{"event":"bounce","bounce":"hard"}`, 10))
	require.Len(t, lines, 2, "the third says nothing new")
	require.Equal(t, `{"version":2,"channels":["email"],"reason":"spam_report","source":"sendgrid","changed_at":"2026-11-01T10:20:00Z"}`, lines[1])
}

// Links carry it to the other identifiers; the account has other people.
func TestASuppressionIsThatOfTheSubjectItself(t *testing.T) {
	n := newNoted(t)
	all := strings.Replace(mailed(`{"event":"spamreport"}`, 10), her, `{"user_id":"u_1","anonymous_id":"a_1","account_id":"acme"}`, 1)
	made := n.made(all)
	require.Len(t, made, 1)
	key, _ := made[0].MetaGet(stage.MetaKey)
	require.Equal(t, n.ring.SubjectPseudonym("user_id", "u_1"), key)
}

// State is kept for ever and named by a pseudonym alone.
func TestARecordOfStateSaysNothingOfTheEvent(t *testing.T) {
	n := newNoted(t)
	msg := service.NewMessage([]byte(mailed(`{"event":"spamreport"}`, 10)))
	for _, name := range []string{stage.MetaEventID, stage.MetaSubjectKey, stage.MetaCorrelationID, stage.MetaContentDigest} {
		msg.MetaSet(name, "of the event")
	}
	out, err := n.p.ProcessBatch(t.Context(), service.MessageBatch{msg})
	require.NoError(t, err)
	require.Len(t, out[0], 2)
	require.NoError(t, out[0][1].MetaWalk(func(name, value string) error {
		require.NotEqual(t, "of the event", value, name)
		return nil
	}))
}

func TestThePolicySaysWhoseChoicesCount(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(root, "pipelines"), os.DirFS(filepath.Join("..", "..", "pipelines"))))
	file := filepath.Join(root, "pipelines", "policy.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	changed := strings.Replace(string(text), "backend: { consent: carried, choices: all }", "backend: { consent: carried, choices: none }", 1)
	require.NotEqual(t, string(text), changed)
	require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
	t.Chdir(root)
	n := noting(t, "")
	require.Empty(t, n.told(chose("backend", her, `{"marketing":true,"analytics":false}`, 10)))
	require.Len(t, n.told(chose("web_app", her, `{"analytics":false}`, 10)), 1)
}

// A consent service that is asked has to hear of choices itself; whom nobody may write to is not its business.
func TestAServiceThatIsAskedIsTheOnlyRecord(t *testing.T) {
	service := httptest.NewServer(http.NotFoundHandler())
	defer service.Close()
	t.Chdir(filepath.Join("..", ".."))
	n := noting(t, fmt.Sprintf(", http: { url: %q }", service.URL))
	require.Empty(t, n.told(chose("backend", her, `{"marketing":false}`, 10)))
	require.Len(t, n.told(mailed(`{"event":"spamreport"}`, 10)), 1)
}

func TestWhatCannotBeReadOrIsErasedStays(t *testing.T) {
	n := newNoted(t)
	key := n.ring.SubjectPseudonym("user_id", "u_1")
	n.put("privacy.consent", key, "no record")
	n.put("privacy.suppression", key, "no record")
	require.Empty(t, n.told(chose("backend", her, `{"marketing":true}`, 10), mailed(`{"event":"spamreport"}`, 10)))
	erased := n.ring.SubjectPseudonym("user_id", "u_2")
	n.put("privacy.erasures", erased, `{"epoch":1,"state":"verified"}`)
	require.Empty(t, n.told(chose("backend", `{"user_id":"u_2"}`, `{"marketing":false}`, 10), strings.Replace(mailed(`{"event":"spamreport"}`, 10), "u_1", "u_2", 1)))
}

// An event whose record cannot be made now waits with it.
func TestAnEventWaitsForTheRecordItMakes(t *testing.T) {
	n := newNoted(t)
	n.p.changes.lookup = broken{}
	msg := service.NewMessage([]byte(chose("web_app", her, `{"marketing":false}`, 10)))
	out, err := n.p.ProcessBatch(t.Context(), service.MessageBatch{msg})
	require.NoError(t, err)
	require.ErrorIs(t, out[0][0].GetError(), stage.ErrWait)
	require.False(t, decided(out[0][0]))
}

type broken struct{}

func (broken) Recorded(context.Context, []string) ([]consent.State, error) {
	return nil, context.DeadlineExceeded
}
