package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const waitLong = 20 * time.Second

type fixture struct {
	t       testing.TB
	cluster *kfake.Cluster
	cl      *kgo.Client
	client  *Client
}

func newFixture(t testing.TB, opts ...kfake.Opt) *fixture {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return &fixture{t: t, cluster: cluster, cl: cl, client: parseClient(t, fmt.Sprintf("seed_brokers: [ %q ]", strings.Join(cluster.ListenAddrs(), ",")))}
}

func parseClient(t testing.TB, yaml string) *Client {
	t.Helper()
	conf, err := service.NewConfigSpec().Fields(ClientFields()...).ParseYAML(yaml, service.NewEmptyEnvironment())
	require.NoError(t, err)
	c, err := ParseClient(conf, nil)
	require.NoError(t, err)
	return c
}

func (f *fixture) put(topic, key, value string) {
	f.t.Helper()
	rec := &kgo.Record{Topic: topic, Key: []byte(key)}
	if value != "" {
		rec.Value = []byte(value)
	}
	require.NoError(f.t, f.cl.ProduceSync(ctx(f.t), rec).FirstErr())
}

func ctx(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), waitLong)
	t.Cleanup(cancel)
	return ctx
}

// texts is a view whose values are "version text".
func texts(topic string, keepNull bool) *View[string] {
	return NewView(ViewConfig[string]{Topic: topic, KeepNull: keepNull, Decode: func(value []byte) (string, int64, error) {
		version, text, ok := strings.Cut(string(value), " ")
		n, err := strconv.ParseInt(version, 10, 64)
		if !ok || err != nil {
			return "", 0, errors.New("unreadable")
		}
		return text, n, nil
	}})
}

func (f *fixture) follow(tables ...Table) *Follower {
	follower := NewFollower(f.client, nil, tables...)
	f.t.Cleanup(func() { assert.NoError(f.t, follower.Close(ctx(f.t))) })
	return follower
}

func get(t testing.TB, f *Follower, v *View[string], key string) (e Entry[string], ok bool) {
	t.Helper()
	require.NoError(t, f.Read(ctx(t), func() { e, ok = v.Get(key) }))
	return e, ok
}

func TestReadSeesEverythingWrittenBeforeIt(t *testing.T) {
	f := newFixture(t, kfake.SeedTopics(3, "a", "b"))
	a, b := texts("a", false), texts("b", false)
	follower := f.follow(a, b)
	for i := range 100 {
		key := fmt.Sprint("k", i%7)
		f.put("a", key, fmt.Sprint(i, " v", i))
		f.put("b", key, fmt.Sprint(i, " w", i))
		e, ok := get(t, follower, a, key)
		require.True(t, ok)
		require.Equal(t, fmt.Sprint("v", i), e.Value)
		e, _ = get(t, follower, b, key)
		require.Equal(t, fmt.Sprint("w", i), e.Value)
	}
}

func TestViewKeepsTheHighestVersionAndMarksWhatItCannotRead(t *testing.T) {
	f := newFixture(t, kfake.SeedTopics(1, "a", "never-taken-back"))
	v, kept := texts("a", false), texts("never-taken-back", true)
	follower := f.follow(v, kept)
	cases := []struct {
		name       string
		records    []string // "" is a record without a value
		want       string
		there      bool
		unreadable bool
	}{
		{"later version", []string{"1 x", "2 y"}, "y", true, false},
		{"older version comes late", []string{"2 y", "1 x"}, "y", true, false},
		{"same version", []string{"2 y", "2 z"}, "z", true, false},
		{"deleted", []string{"2 y", ""}, "", false, false},
		{"unreadable", []string{"nonsense"}, "", true, true},
		{"unreadable after readable", []string{"3 x", "nonsense"}, "x", true, true},
		{"mended", []string{"3 x", "nonsense", "4 y"}, "y", true, false},
		{"an older record mends nothing", []string{"3 x", "nonsense", "2 y"}, "x", true, true},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			key := fmt.Sprint(i)
			for _, r := range c.records {
				f.put("a", key, r)
			}
			e, ok := get(t, follower, v, key)
			assert.Equal(t, c.there, ok)
			assert.Equal(t, c.want, e.Value)
			assert.Equal(t, c.unreadable, e.Unreadable)
		})
	}
	f.put("never-taken-back", "k", "1 x")
	f.put("never-taken-back", "k", "")
	e, ok := get(t, follower, kept, "k")
	assert.True(t, ok)
	assert.True(t, e.Unreadable, "a null value must not take back what can never be taken back")
}

func TestReadWaitsForAMissingTopicAndAnAbsentBroker(t *testing.T) {
	f := newFixture(t)
	v := texts("late", false)
	follower := f.follow(v)
	short, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	err := follower.Read(short, func() { t.Error("read from nothing") })
	require.ErrorIs(t, err, context.DeadlineExceeded)

	_, err = kadm.NewClient(f.cl).CreateTopic(ctx(t), 1, 1, nil, "late")
	require.NoError(t, err)
	f.put("late", "k", "1 x")
	e, _ := get(t, follower, v, "k")
	assert.Equal(t, "x", e.Value)
}

func TestReadIsNotAnsweredByAnEndThatWasAskedForBefore(t *testing.T) {
	r := rounds{wake: make(chan struct{}, 1)}
	ask := func() (answer chan kadm.ListedOffsets, asked *round) {
		answer = make(chan kadm.ListedOffsets, 1)
		before := r.current()
		go func() {
			ends, err := r.next(ctx(t), context.Background())
			assert.NoError(t, err)
			answer <- ends
		}()
		require.Eventually(t, func() bool { return r.current() != nil && r.current() != before }, waitLong, time.Millisecond)
		return answer, r.current()
	}
	first, asked := ask()
	require.Same(t, asked, r.take(), "the question is on its way to the broker")
	second, later := ask()
	require.NotSame(t, asked, later, "whoever comes now needs a newer answer")
	asked.ends = kadm.ListedOffsets{}
	close(asked.done)
	<-first
	assert.Empty(t, second)
	close(r.take().done)
	<-second
}

func (r *rounds) current() *round {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pending
}

func TestManyReadersShareOneQuestion(t *testing.T) {
	f := newFixture(t, kfake.SeedTopics(1, "a"))
	v := texts("a", false)
	follower := f.follow(v)
	get(t, follower, v, "k")
	var mu sync.Mutex
	asked := 0
	f.cluster.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		mu.Lock()
		asked++
		mu.Unlock()
		return nil, nil, false
	})
	var wg sync.WaitGroup
	for range 500 {
		wg.Go(func() { assert.NoError(t, follower.Read(ctx(t), func() {})) })
	}
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	assert.Less(t, asked, 100, "500 readers at once ask far fewer questions")
}

func TestReadSurvivesErrorsAndDeletedRecords(t *testing.T) {
	f := newFixture(t, kfake.SeedTopics(1, "a"))
	v := texts("a", false)
	follower := f.follow(v)
	f.put("a", "k", "1 x")
	get(t, follower, v, "k")

	fault := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets, kmsg.Fetch}, Err: kerr.UnknownServerError, Count: 3})
	f.put("a", "k", "2 y")
	e, _ := get(t, follower, v, "k")
	assert.Equal(t, "y", e.Value)
	fault.Remove()

	// Everything deleted: an end above zero with nothing to read. A new follower must not wait for it.
	offsets := kadm.Offsets{}
	offsets.AddOffset("a", 0, 2, -1)
	_, err := kadm.NewClient(f.cl).DeleteRecords(ctx(t), offsets)
	require.NoError(t, err)
	fresh := texts("a", false)
	_, ok := get(t, f.follow(fresh), fresh, "k")
	assert.False(t, ok)
}

func TestATopicMadeAnewIsReadAgain(t *testing.T) {
	for _, records := range []int{1, 5} { // less and more than was read of the first
		t.Run(fmt.Sprint(records), func(t *testing.T) { recreate(t, records) })
	}
}

func recreate(t *testing.T, records int) {
	f := newFixture(t, kfake.SeedTopics(1, "a"))
	v := texts("a", false)
	follower := f.follow(v)
	f.put("a", "gone", "1 x")
	f.put("a", "k", "9 x")
	get(t, follower, v, "k")
	adm := kadm.NewClient(f.cl)
	_, err := adm.DeleteTopic(ctx(t), "a")
	require.NoError(t, err)
	_, err = adm.CreateTopic(ctx(t), 1, 1, nil, "a")
	require.NoError(t, err)
	other, err := kgo.NewClient(kgo.SeedBrokers(f.cluster.ListenAddrs()...))
	require.NoError(t, err)
	defer other.Close()
	for range records {
		require.NoError(t, other.ProduceSync(ctx(t), &kgo.Record{Topic: "a", Key: []byte("k"), Value: []byte("1 new")}).FirstErr())
	}
	e, _ := get(t, follower, v, "k")
	assert.Equal(t, "new", e.Value)
	_, ok := get(t, follower, v, "gone")
	assert.False(t, ok)
}

func TestSharedFollowersLiveAsLongAsTheirUsers(t *testing.T) {
	f := newFixture(t, kfake.SeedTopics(1, "a"))
	mgr := service.MockResources()
	made := 0
	build := func() []Table { made++; return []Table{texts("a", false)} }
	one := Share(f.client, mgr, []string{"a"}, build)
	two := Share(f.client, mgr, []string{"a"}, build)
	assert.Equal(t, 1, made)
	require.NoError(t, one.Close(ctx(t)))
	require.NoError(t, one.Close(ctx(t)), "closing twice gives up one share")
	require.NoError(t, two.Read(ctx(t), func() {}))
	require.NoError(t, two.Close(ctx(t)))
	require.Error(t, two.Read(ctx(t), func() { t.Error("read after close") }))

	three := Share(f.client, mgr, []string{"a"}, build)
	assert.Equal(t, 2, made)
	require.NoError(t, three.Read(ctx(t), func() {}))
	require.NoError(t, three.Close(ctx(t)))
}
