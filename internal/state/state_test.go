package state

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/keys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const waitLong = 20 * time.Second

func ctx(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), waitLong)
	t.Cleanup(cancel)
	return ctx
}

func spec() *service.ConfigSpec { return service.NewConfigSpec().Fields(ConfigField()).LintRule(Rule) }

func build(t testing.TB, yaml string, mgr *service.Resources, ring *keys.Ring) Lookup {
	t.Helper()
	conf, err := spec().ParseYAML(yaml, service.NewEmptyEnvironment())
	require.NoError(t, err)
	l, err := FromParsed(conf, mgr, ring)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close(ctx(t))) })
	return l
}

func one(t testing.TB, l Lookup, key string) consent.State {
	t.Helper()
	states, err := l.Read(ctx(t), []string{key})
	require.NoError(t, err)
	require.Len(t, states, 1)
	return states[0]
}

func broker(t testing.TB) (seeds string, put func(topic, key, value string)) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "privacy.consent", "privacy.suppression", "privacy.erasures", "identity.links"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return strings.Join(cluster.ListenAddrs(), ","), func(topic, key, value string) {
		t.Helper()
		require.NoError(t, cl.ProduceSync(ctx(t), &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(value)}).FirstErr())
	}
}

func TestTopicsGiveTheCurrentState(t *testing.T) {
	seeds, put := broker(t)
	mgr := service.MockResources()
	l := build(t, fmt.Sprintf("state: {seed_brokers: [ %q ]}", seeds), mgr, nil)
	other := build(t, fmt.Sprintf("state: {seed_brokers: [ %q ]}", seeds), mgr, nil)

	assert.Equal(t, consent.State{}, one(t, l, "k"))
	put("privacy.consent", "k", `{"version":8,"purposes":{"marketing":false,"analytics":true},"source":"consent_service","changed_at":"2026-01-02T03:04:05Z"}`)
	s := one(t, l, "k")
	require.NotNil(t, s.Consent)
	assert.EqualValues(t, 8, s.Consent.Version)
	assert.Equal(t, map[string]bool{"marketing": false, "analytics": true}, s.Consent.Purposes)

	put("privacy.suppression", "k", `{"version":2,"channels":["email"],"reason":"hard_bounce","source":"sendgrid","changed_at":"2026-01-02T03:04:05Z"}`)
	require.NotNil(t, one(t, l, "k").Suppressed)
	put("privacy.erasures", "k", `{"epoch":17,"request_id":"req_9","requested_at":"2026-01-02T03:04:05Z","state":"fenced"}`)
	s = one(t, other, "k")
	require.NotNil(t, s.Erased)
	assert.EqualValues(t, 17, s.Erased.Epoch)

	put("privacy.consent", "k", `not a record`)
	assert.True(t, one(t, l, "k").Consent.Unreadable, "what cannot be read denies")

	states, err := l.Read(ctx(t), []string{"x", "k", "x", "k"})
	require.NoError(t, err)
	require.Len(t, states, 4)
	assert.Nil(t, states[0].Erased)
	assert.NotNil(t, states[1].Erased)
	assert.NotNil(t, states[3].Erased)
}

func TestWithoutABrokerReadWaits(t *testing.T) {
	l := build(t, `state: {seed_brokers: [ "127.0.0.1:1" ]}`, service.MockResources(), nil)
	short, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := l.Read(short, []string{"k"})
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.NotContains(t, err.Error(), "[k]")
}

func TestConsentServiceProtocol(t *testing.T) {
	const record = `{"version":3,"purposes":{"analytics":true},"source":"svc","changed_at":"2026-01-02T03:04:05Z"}`
	cases := []struct {
		name    string
		answers []int // a later answer is given to every later request
		body    string
		want    func(*testing.T, *consent.Record)
		asked   int
	}{
		{"a record", []int{200}, record, func(t *testing.T, r *consent.Record) { assert.EqualValues(t, 3, r.Version) }, 1},
		{"no record", []int{404}, "", func(t *testing.T, r *consent.Record) { assert.Nil(t, r) }, 1},
		{"unavailable, then a record", []int{503, 500, 302, 200}, record, func(t *testing.T, r *consent.Record) { assert.NotNil(t, r) }, 4},
		{"a record nobody can read", []int{200}, `{"version":"x"}`, func(t *testing.T, r *consent.Record) { assert.True(t, r.Unreadable) }, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var asked atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "/base/sk1abc", r.URL.Path)
				n := int(asked.Add(1))
				w.WriteHeader(c.answers[min(n, len(c.answers))-1])
				_, _ = w.Write([]byte(c.body))
			}))
			t.Cleanup(srv.Close)
			l := build(t, httpYAML(srv.URL+"/base", ""), service.MockResources(), nil)
			c.want(t, one(t, l, "sk1abc").Consent)
			assert.EqualValues(t, c.asked, asked.Load())
		})
	}
}

func httpYAML(url, extra string) string {
	return fmt.Sprintf("state: {suppression_topic: '', erasures_topic: '', identity_topic: '', http: {url: %q, %s}}", url, extra)
}

func TestConsentServiceAnswersThatAreNoRecordsMeanWait(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("<html>please log in</html>"))
	}))
	t.Cleanup(srv.Close)
	l := build(t, httpYAML(srv.URL, ""), service.MockResources(), nil)
	short, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	_, err := l.Read(short, []string{"sk1secret"})
	require.ErrorIs(t, err, ErrUnavailable)
	assert.NotContains(t, err.Error(), "sk1secret")
}

func TestConsentServiceIsAskedOncePerSubjectAndNotByAll(t *testing.T) {
	var (
		mu            sync.Mutex
		per           = map[string]int{}
		running, most int
	)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		per[r.URL.Path]++
		running++
		most = max(most, running)
		mu.Unlock()
		w.WriteHeader(http.StatusNotFound)
		mu.Lock()
		running--
		mu.Unlock()
	}))
	t.Cleanup(srv.Close)
	l := build(t, httpYAML(srv.URL, "max_in_flight: 3"), service.MockResources(), nil)
	var keys []string
	for i := range 200 {
		keys = append(keys, fmt.Sprint("k", i%20))
	}
	states, err := l.Read(ctx(t), keys)
	require.NoError(t, err)
	assert.Len(t, states, 200)
	mu.Lock()
	defer mu.Unlock()
	assert.Len(t, per, 20)
	for path, n := range per {
		assert.Equal(t, 1, n, path)
	}
	assert.LessOrEqual(t, most, 3)
}

func TestCacheIsOffUnlessAskedForAndBounded(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(srv.Close)
	off := build(t, httpYAML(srv.URL, ""), service.MockResources(), nil)
	one(t, off, "k")
	one(t, off, "k")
	assert.EqualValues(t, 2, asked.Load(), "without cache_ttl every read asks")

	asked.Store(0)
	on := build(t, httpYAML(srv.URL, "cache_ttl: 1h, cache_size: 2"), service.MockResources(), nil)
	for _, key := range []string{"a", "a", "b", "a", "c", "a", "b"} {
		one(t, on, key)
	}
	assert.EqualValues(t, 4, asked.Load(), "a, b, c and b again, which c pushed out")
}

func TestCacheForgetsWhatIsTooOld(t *testing.T) {
	c := newCache(10, time.Minute)
	c.put("k", nil, time.Now().Add(-2*time.Minute))
	_, ok := c.get("k")
	assert.False(t, ok)
}

func TestStaticState(t *testing.T) {
	t.Setenv(EnvironmentStatic, "1")
	ring := keys.ForTesting("static")
	l := build(t, `
state:
  static:
    - {user_id: u_1, purposes: {analytics: true, marketing: false}, version: 4}
    - {anonymous_id: a_1, suppressed: true}
    - {account_id: c_1, erased: true}
`, service.MockResources(), ring)
	s := one(t, l, ring.SubjectPseudonym("user_id", "u_1"))
	assert.Equal(t, map[string]bool{"analytics": true, "marketing": false}, s.Consent.Purposes)
	assert.EqualValues(t, 4, s.Consent.Version)
	assert.Nil(t, one(t, l, ring.SubjectPseudonym("anonymous_id", "a_1")).Consent)
	assert.NotNil(t, one(t, l, ring.SubjectPseudonym("anonymous_id", "a_1")).Suppressed)
	assert.NotNil(t, one(t, l, ring.SubjectPseudonym("account_id", "c_1")).Erased)
	assert.Equal(t, consent.State{}, one(t, l, "unknown"))
}

func TestWrongStatesAreRefusedAndLinted(t *testing.T) {
	t.Setenv(EnvironmentStatic, "1")
	cases := []struct{ name, yaml, want string }{
		{"nothing", `state: {}`, "seed_brokers"},
		{"http without the topics", `state: {http: {url: "http://x"}}`, "seed_brokers"},
		{"static and brokers", `state: {seed_brokers: ["x:1"], static: [{user_id: u}]}`, "static"},
		{"no consent at all", `state: {seed_brokers: ["x:1"], consent_topic: ""}`, "consent"},
		{"one topic for two", `state: {seed_brokers: ["x:1"], consent_topic: a, erasures_topic: a}`, "differ"},
		{"static without a subject", `state: {static: [{suppressed: true}]}`, "needed"},
		{"purpose that is no boolean", `state: {static: [{user_id: u, purposes: {a: maybe}}]}`, "purposes.a"},
		{"not an http address", `state: {suppression_topic: "", erasures_topic: "", identity_topic: "", http: {url: "ftp://x"}}`, "http"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			conf, err := spec().ParseYAML(c.yaml, service.NewEmptyEnvironment())
			require.NoError(t, err)
			_, err = FromParsed(conf, service.MockResources(), keys.ForTesting("x"))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestLintSeesWhatTheConstructorRefuses(t *testing.T) {
	env := service.NewEmptyEnvironment()
	require.NoError(t, env.RegisterProcessor("p", spec(), func(*service.ParsedConfig, *service.Resources) (service.Processor, error) { return nil, nil }))
	for yaml, wrong := range map[string]bool{
		`p: {state: {seed_brokers: ["x:1"]}}`:  false,
		`p: {state: {static: [{user_id: u}]}}`: false,
		`p: {state: {suppression_topic: "", erasures_topic: "", identity_topic: "", http: {url: "http://x"}}}`: false,
		`p: {state: {}}`:                                                                            true,
		`p: {state: {http: {url: "http://x"}}}`:                                                     true,
		`p: {state: {seed_brokers: ["x:1"], static: [{user_id: u}]}}`:                               true,
		`p: {state: {seed_brokers: ["x:1"], http: {url: "http://x", timeout: soon}}}`:               true,
		`p: {state: {seed_brokers: ["x:1"], sasl: [{mechanism: PLAIN}]}}`:                           true,
		`p: {state: {seed_brokers: ["x:1"], sasl: [{mechanism: PLAIN, username: u, password: p}]}}`: false,
		`p: {state: {seed_brokers: ["x:1"], sasl: [{mechanism: OAUTHBEARER, username: u}]}}`:        true,
	} {
		lints, err := env.NewComponentConfigLinter().LintProcessorYAML([]byte(yaml))
		require.NoError(t, err)
		assert.Equal(t, wrong, len(lints) > 0, "%s: %v", yaml, lints)
	}
}

// A state on brokers must not pass for a fixed one: the govern stage publishes its policy only for the former.
func TestStaticIsOnlyWhatListsSubjects(t *testing.T) {
	spec := service.NewConfigSpec().Field(ConfigField()).LintRule(Rule)
	for text, want := range map[string]bool{
		"state: { seed_brokers: [ a ] }":        false,
		"state: { static: [ { user_id: u } ] }": true,
	} {
		conf, err := spec.ParseYAML(text, nil)
		require.NoError(t, err)
		require.Equal(t, want, Static(conf), text)
	}
}
