package broker

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

func client(t *testing.T, address string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(address), kgo.DefaultProduceTopic("events"))...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestServeKeepsRecordsAndOffsets(t *testing.T) {
	dir := t.TempDir()
	for round := int64(1); round <= 3; round++ {
		ctx, stop := context.WithCancel(t.Context())
		ready, ended := make(chan string, 1), make(chan error, 1)
		go func() {
			ended <- Serve(ctx, Options{DataDir: dir, Listen: "127.0.0.1:0", Sync: true, Ready: func(address string) { ready <- address }})
		}()
		c := client(t, <-ready)
		admin := kadm.NewClient(c)
		if round == 1 {
			_, err := admin.CreateTopic(limited(t), 1, 1, nil, "events")
			require.NoError(t, err)
		}
		require.NoError(t, c.ProduceSync(limited(t), kgo.StringRecord(fmt.Sprint(round))).FirstErr())
		if round > 1 {
			committed, err := admin.FetchOffsets(limited(t), "group")
			require.NoError(t, err)
			at, ok := committed.Lookup("events", 0)
			require.True(t, ok)
			require.Equal(t, round-1, at.At)
		}
		ends, err := admin.ListEndOffsets(limited(t), "events")
		require.NoError(t, err)
		end, _ := ends.Lookup("events", 0)
		require.Equal(t, round, end.Offset)
		offsets := kadm.Offsets{}
		offsets.AddOffset("events", 0, round, -1)
		require.NoError(t, admin.CommitAllOffsets(limited(t), "group", offsets))
		stop()
		require.NoError(t, <-ended)
	}
}

func TestUsersAreHeldToTheirRights(t *testing.T) {
	cluster, err := Open(Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0", Users: []User{
		{Mechanism: "SCRAM-SHA-256", Name: "admin", Password: "a", Super: true},
		{Mechanism: "PLAIN", Name: "writer", Password: "w", ACLs: []kfake.ACL{{
			Resource: kmsg.ACLResourceTypeTopic, Name: "events", Pattern: kmsg.ACLResourcePatternTypeLiteral,
			Operation: kmsg.ACLOperationWrite, Allow: true,
		}}},
		{Mechanism: "PLAIN", Name: "nobody", Password: "n"},
	}})
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	address := cluster.ListenAddrs()[0]
	admin := kadm.NewClient(client(t, address, kgo.SASL(scram.Auth{User: "admin", Pass: "a"}.AsSha256Mechanism())))
	_, err = admin.CreateTopic(limited(t), 1, 1, nil, "events")
	require.NoError(t, err)
	as := func(user, password string) error {
		c := client(t, address, kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism()), kgo.DisableIdempotentWrite(), kgo.RecordRetries(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return c.ProduceSync(ctx, kgo.StringRecord("x")).FirstErr()
	}
	require.NoError(t, as("writer", "w"))
	require.Error(t, as("nobody", "n"))
	require.Error(t, as("writer", "wrong"))
}

func TestAddressesThatAreRefused(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "localhost:0", "10.0.0.1:1", "127.0.0.1", "127.0.0.1:x", ":0"} {
		_, err := Open(Options{DataDir: t.TempDir(), Listen: address})
		require.ErrorContains(t, err, "to listen on", address)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = Open(Options{DataDir: t.TempDir(), Listen: taken.Addr().String()})
	require.ErrorContains(t, err, "starting the broker on "+taken.Addr().String())
}
