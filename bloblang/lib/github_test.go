package lib

import (
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/generate"
	"github.com/ebbgate/ebbgate/internal/npm"
)

// arrived is the broker's time of every delivery in these tests.
var arrived = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func mapping(t testing.TB) *bloblang.Executor {
	t.Helper()
	text, err := os.ReadFile("github.blobl")
	require.NoError(t, err)
	exec, err := bloblang.NewEnvironment().Parse(string(text))
	require.NoError(t, err)
	return exec
}

// deliver runs the mapping as a stream does: on a record's bytes with its headers as metadata.
func deliver(t require.TestingT, exec *bloblang.Executor, d generate.Delivery) []byte {
	msg := service.NewMessage(d.Body)
	msg.MetaSetMut(generate.HeaderGitHubEvent, d.Event)
	msg.MetaSetMut(generate.HeaderGitHubDelivery, d.ID)
	msg.MetaSetMut("kafka_timestamp_ms", strconv.FormatInt(arrived.UnixMilli(), 10))
	out, err := msg.BloblangQuery(exec)
	require.NoError(t, err)
	body, err := out.AsBytes()
	require.NoError(t, err)
	return body
}

// judge says what validation makes of an event.
type judge struct {
	scanner   *event.Scanner
	contracts *contract.Set
	index     event.Index
}

func newJudge(t testing.TB) *judge {
	t.Helper()
	set, err := contract.Load(os.DirFS("../../pipelines"), "contracts")
	require.NoError(t, err)
	dict, err := event.NewDictionary(set.Paths()...)
	require.NoError(t, err)
	return &judge{scanner: event.NewScanner(dict, event.DefaultLimits), contracts: set.Bind(dict)}
}

func (j *judge) code(t require.TestingT, body []byte) string {
	require.NoError(t, j.scanner.Scan(body, &j.index))
	if fault := event.CheckEnvelope(&j.index, arrived, event.DefaultTimeLimits); fault != nil {
		return fault.Code
	}
	agreed, fault := j.contracts.For(&j.index)
	if fault != nil {
		return fault.Code
	}
	var result contract.Result
	agreed.Check(&j.index, &result)
	if len(result.Faults) > 0 {
		return result.Faults[0].Error()
	}
	assert.Empty(t, result.Remove, "the mapping makes only declared properties")
	return ""
}

// examples are GitHub's own payloads. Without the npm client and a cache there are none to test with.
func examples(t testing.TB) []generate.Delivery {
	t.Helper()
	cache, err := npm.CacheDir()
	require.NoError(t, err)
	all, err := generate.GitHub(t.Context(), npm.Fetcher{CacheDir: cache})
	if errors.Is(err, npm.ErrNoClient) && os.Getenv("EBBGATE_REQUIRE_ENGINE") != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	return all
}

func TestAllGitHubExamples(t *testing.T) {
	exec, j := mapping(t), newJudge(t)
	all := examples(t)
	require.Len(t, all, 329)
	codes, ids := map[string]int{}, map[string]bool{}
	for _, d := range all {
		body := deliver(t, exec, d)
		code := j.code(t, body)
		codes[code]++
		if d.Event == "security_advisory" {
			assert.Equal(t, "envelope.subject", code, "nobody sent it")
			continue
		}
		require.Empty(t, code, "%s: %s", d.Event, body)
		ids[d.ID] = true
		at := j.text(event.CorrelationID)
		assert.Equal(t, d.ID, at)
		assert.Regexp(t, `^github:[0-9]+$`, j.text(event.UserID))
		_, consent := j.index.Get(event.Consent)
		assert.False(t, consent, "a webhook carries no consent")
	}
	assert.Equal(t, map[string]int{"": 325, "envelope.subject": 4}, codes)
	assert.Len(t, ids, 320, "only the five payloads that are published twice share an id")
}

func (j *judge) text(f event.Field) string {
	value, _ := j.index.Get(f)
	return value.String()
}

func TestGitHubFields(t *testing.T) {
	exec := mapping(t)
	d := generate.Delivery{Event: "pull_request", ID: "11111111-1111-8111-8111-111111111111", Body: []byte(`{"action":"closed","number":7,
	  "pull_request":{"number":7,"title":"Ask first","state":"closed","merged":true,"commits":3,"additions":12,"deletions":4,
	    "head":{"ref":"ask"},"labels":[{"name":"privacy"},{"name":""}],"updated_at":"2026-11-20T11:59:58Z","created_at":"2026-11-01T00:00:00Z"},
	  "repository":{"id":186853002,"full_name":"acme/site","private":true,"owner":{"id":5},"updated_at":"2026-11-20T11:59:59Z"},
	  "organization":{"id":38302899},"installation":{"id":375706},"sender":{"id":9007199254740993,"login":"ada","type":"User"}}`)}
	assert.JSONEq(t, `{"event_name":"github_activity","timestamp":"2026-11-20T11:59:58.000Z",
	  "subject":{"user_id":"github:9007199254740993","account_id":"github:38302899"},
	  "context":{"source":"github","schema_version":"1.0.0","correlation_id":"11111111-1111-8111-8111-111111111111"},
	  "properties":{"event":"pull_request","action":"closed","number":7,"title":"Ask first","state":"closed","merged":true,"commits":3,
	    "additions":12,"deletions":4,"ref":"ask","labels":["privacy"],"repository_id":186853002,"repository_name":"acme/site","private":true,
	    "organization_id":38302899,"installation_id":375706,"sender_id":9007199254740993,"sender_login":"ada","sender_type":"User"}}`,
		string(deliver(t, exec, d)))
}

func TestGitHubTime(t *testing.T) {
	exec, j := mapping(t), newJudge(t)
	for name, c := range map[string]struct{ event, body, want string }{
		"newest of what it is about": {"issue_comment", `{"comment":{"created_at":"2026-11-20T11:00:00Z"},"issue":{"updated_at":"2026-11-20T11:00:01Z"}}`, "2026-11-20T11:00:01.000Z"},
		"another zone":               {"workflow_run", `{"workflow_run":{"updated_at":"2026-11-20T13:30:00+02:00"}}`, "2026-11-20T11:30:00.000Z"},
		"a push":                     {"push", `{"repository":{"pushed_at":1795175999},"head_commit":{"timestamp":"2026-11-19T10:00:00Z"}}`, "2026-11-20T11:59:59.000Z"},
		"too old to be the act":      {"label", `{"label":{"created_at":"2024-01-01T00:00:00Z"}}`, "2026-11-20T12:00:00.000Z"},
		"a deleted thing":            {"issues", `{"action":"deleted","issue":{"updated_at":"2026-11-20T09:00:00Z"}}`, "2026-11-20T12:00:00.000Z"},
		"the repository's own time":  {"star", `{"repository":{"updated_at":"2026-11-20T09:00:00Z"}}`, "2026-11-20T12:00:00.000Z"},
		"no time":                    {"watch", `{}`, "2026-11-20T12:00:00.000Z"},
		"a time that is none":        {"status", `{"created_at":"yesterday","updated_at":{}}`, "2026-11-20T12:00:00.000Z"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, j.scanner.Scan(deliver(t, exec, generate.Delivery{Event: c.event, ID: "x", Body: []byte(c.body)}), &j.index))
			assert.Equal(t, c.want, j.text(event.Timestamp))
		})
	}
}

// The YAML tests that data engineers read pass in the engine.
func TestGitHubYAMLTests(t *testing.T) {
	code, err := service.RunCLIToCode(t.Context(), service.CLIOptSetArgs("ebbgate", "test", "./github_test.yaml"))
	require.NoError(t, err)
	assert.Zero(t, code)
}

// Whatever stands where GitHub's fields are, the mapping gives an event or a faulty event, never an error.
func TestGitHubMappingFailsOnNothing(t *testing.T) {
	exec, j := mapping(t), newJudge(t)
	names := []string{
		"action", "sender", "repository", "organization", "installation", "pull_request", "issue", "discussion", "comment", "release",
		"commits", "head_commit", "pusher", "number", "ref", "state", "created_at", "updated_at", "labels", "id", "login", "owner", "account",
		"title", "full_name", "author", "email", "merged", "name", "pushed_at",
	}
	value := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{
			`null`, `true`, `""`, `"x"`, `0`, `-1.5`, `1e300`, `[]`, `{}`, `[null,1,"x",{}]`, `"2026-11-20T11:00:00Z"`, `18446744073709551616`,
		}).Draw(t, "value")
	})
	object := func(t *rapid.T, inner func() string) string {
		text := "{"
		for i, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 6, rapid.ID[string]).Draw(t, "names") {
			if i > 0 {
				text += ","
			}
			text += strconv.Quote(name) + ":" + inner()
		}
		return text + "}"
	}
	rapid.Check(t, func(t *rapid.T) {
		leaf := func() string { return value.Draw(t, "leaf") }
		some := func() string {
			if rapid.Bool().Draw(t, "nested") {
				return object(t, leaf)
			}
			return leaf()
		}
		d := generate.Delivery{Event: rapid.SampledFrom([]string{"push", "issues", ""}).Draw(t, "event"), Body: []byte(object(t, some))}
		j.code(t, deliver(t, exec, d))
	})
}
