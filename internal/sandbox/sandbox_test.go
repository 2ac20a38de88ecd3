package sandbox

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/npm"
)

// The test binary stands in for the product's: started as `... sandbox
// <command>` it is a child, or a detached sandbox.
func TestMain(m *testing.M) {
	if len(os.Args) < 3 || os.Args[1] != "sandbox" {
		os.Exit(m.Run())
	}
	if err := actAsProgram(os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "ebbgate:", err)
		os.Exit(1)
	}
}

func actAsProgram(command string, args []string) error {
	var opts Options
	var serve ServeOptions
	flags := flag.NewFlagSet(command, flag.ExitOnError)
	flags.StringVar(&serve.Data, "data", "", "")
	flags.StringVar(&serve.Listen, "listen", "", "")
	flags.StringVar(&serve.Library, "library", "", "")
	flags.StringVar(&serve.Binary, "binary", "", "")
	flags.StringVar(&opts.Dir, "dir", "", "")
	flags.StringVar(&opts.ClickHouseDSN, "clickhouse-dsn", "", "")
	flags.IntVar(&opts.BrokerPort, "broker-port", 0, "")
	flags.IntVar(&opts.ClickHousePort, "clickhouse-port", 0, "")
	flags.IntVar(&opts.PostgresPort, "postgres-port", 0, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch command {
	case "serve-broker":
		return ServeBroker(serve)
	case "serve-clickhouse":
		return ServeClickHouse(serve)
	case "serve-postgres":
		return ServePostgres(serve)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	opts.Messages = os.Stderr
	s, err := Start(ctx, opts)
	if err != nil {
		return err
	}
	return errors.Join(s.Wait(ctx), s.Stop(context.Background()))
}

func requireEngine(t *testing.T) {
	t.Helper()
	t.Setenv(EnvClickHouseDSN, "")
	_, err := Library(t.Context(), nil)
	if err == nil {
		return
	}
	if os.Getenv("EBBGATE_REQUIRE_ENGINE") == "1" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// messages is a writer a test may read while it is written to.
type messages struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (m *messages) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.Write(p)
}

func (m *messages) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}

func free(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func start(t *testing.T, opts Options) *Sandbox {
	t.Helper()
	s, err := Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

func openClickHouse(t *testing.T, dsn string) driver.Conn {
	t.Helper()
	opts, err := driver.ParseDSN(dsn)
	require.NoError(t, err)
	conn, err := driver.Open(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func openBroker(t *testing.T, seeds string) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(seeds), kgo.DefaultProduceTopic("events"), kgo.AllowAutoTopicCreation())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func put(t *testing.T, s *Sandbox, value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client := openBroker(t, s.Endpoints().Brokers)
	_, err := kadm.NewClient(client).CreateTopic(ctx, 1, 1, nil, "events")
	if err != nil {
		require.ErrorContains(t, err, "TOPIC_ALREADY_EXISTS")
	}
	require.NoError(t, client.ProduceSync(ctx, kgo.StringRecord(value)).FirstErr())
	conn := openClickHouse(t, s.Endpoints().ClickHouseDSN)
	require.NoError(t, conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS events (a String) ENGINE = MergeTree ORDER BY a"))
	require.NoError(t, conn.Exec(ctx, "INSERT INTO events VALUES (?)", value))
}

func counts(t *testing.T, s *Sandbox) (records int64, rows uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ends, err := kadm.NewClient(openBroker(t, s.Endpoints().Brokers)).ListEndOffsets(ctx, "events")
	require.NoError(t, err)
	end, ok := ends.Lookup("events", 0)
	require.True(t, ok)
	require.NoError(t, openClickHouse(t, s.Endpoints().ClickHouseDSN).QueryRow(ctx, "SELECT count() FROM events").Scan(&rows))
	return end.Offset, rows
}

func TestDataOutlivesTheSandbox(t *testing.T) {
	requireEngine(t)
	opts := Options{Dir: t.TempDir(), BrokerPort: free(t), ClickHousePort: free(t)}
	s := start(t, opts)
	assert.Equal(t, "127.0.0.1:"+strconv.Itoa(opts.BrokerPort), s.Endpoints().Brokers)
	assert.Equal(t, EngineEmbedded, s.State().Engine)
	_, err := keys.Load(s.Endpoints().KeysFile)
	require.NoError(t, err)
	master, err := os.ReadFile(s.Endpoints().KeysFile)
	require.NoError(t, err)
	put(t, s, "one")

	_, err = Start(t.Context(), opts)
	require.ErrorIs(t, err, ErrRunning)
	seen, err := Status(opts.Dir)
	require.NoError(t, err)
	require.Equal(t, s.State(), seen)
	require.ErrorIs(t, Reset(opts.Dir), ErrRunning)

	require.NoError(t, s.Stop(t.Context()))
	_, err = Status(opts.Dir)
	require.ErrorIs(t, err, ErrNotRunning)
	s = start(t, opts)
	records, rows := counts(t, s)
	assert.EqualValues(t, 1, records)
	assert.EqualValues(t, 1, rows)
	again, err := os.ReadFile(s.Endpoints().KeysFile)
	require.NoError(t, err)
	assert.Equal(t, master, again, "keys are made once")

	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, Reset(opts.Dir))
	assert.NoDirExists(t, filepath.Join(opts.Dir, "data"))
	assert.FileExists(t, s.Endpoints().KeysFile)
}

func TestKilledChildrenComeBackWithTheirData(t *testing.T) {
	requireEngine(t)
	var said messages
	s := start(t, Options{Dir: t.TempDir(), BrokerPort: free(t), ClickHousePort: free(t), Messages: &said})
	for round := 1; round <= 3; round++ {
		put(t, s, fmt.Sprint(round))
		require.NoError(t, s.Kill(Broker))
		require.NoError(t, s.Kill(ClickHouse))
		if s.Endpoints().StagingDSN != "" {
			require.NoError(t, s.Kill(Postgres))
		}
		require.Eventually(t, func() bool {
			for _, p := range s.State().Processes {
				if p.Restarts != round {
					return false
				}
			}
			return true
		}, time.Minute, 20*time.Millisecond)
		records, rows := counts(t, s)
		require.EqualValues(t, round, records)
		require.EqualValues(t, round, rows)
	}
	assert.Contains(t, said.String(), "broker ended and is started again")
	require.Error(t, s.Kill("nobody"))
}

func TestTakenPortsAreReplaced(t *testing.T) {
	requireEngine(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	var said messages
	s := start(t, Options{Dir: t.TempDir(), BrokerPort: port, ClickHousePort: port, Messages: &said})
	put(t, s, "x")
	assert.NotContains(t, s.Endpoints().Brokers, strconv.Itoa(port))
	assert.Contains(t, said.String(), fmt.Sprintf("port %d is in use: broker takes a free one", port))
}

// processEnds waits for the end of a process that is no child of this one.
func processEnds(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, time.Minute, 20*time.Millisecond)
}

func TestDetachedSandboxEndsWholeHoweverItEnds(t *testing.T) {
	requireEngine(t)
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc to look for processes in")
	}
	opts := Options{Dir: t.TempDir(), BrokerPort: free(t), ClickHousePort: free(t)}
	ends := map[string]func(State){
		"stopped": func(State) { require.NoError(t, StopOther(t.Context(), opts.Dir)) },
		"killed": func(state State) {
			require.NoError(t, syscall.Kill(state.PID, syscall.SIGKILL))
			processEnds(t, state.PID)
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			state, err := Detach(t.Context(), opts)
			require.NoError(t, err)
			t.Cleanup(func() { syscall.Kill(state.PID, syscall.SIGKILL) }) // for when the test fails; else it has ended
			_, err = Detach(t.Context(), opts)
			require.ErrorIs(t, err, ErrRunning)
			require.NoError(t, openClickHouse(t, state.Endpoints.ClickHouseDSN).Ping(t.Context()))
			end(state)
			for _, p := range state.Processes {
				processEnds(t, p.PID)
			}
			_, err = Status(opts.Dir)
			require.ErrorIs(t, err, ErrNotRunning)
			require.ErrorIs(t, StopOther(t.Context(), opts.Dir), ErrNotRunning)
		})
	}
}

func TestExternalClickHouseIsUsedAsItIs(t *testing.T) {
	s := start(t, Options{Dir: t.TempDir(), BrokerPort: free(t), ClickHouseDSN: "clickhouse://example.com:9000/x"})
	assert.Equal(t, "clickhouse://example.com:9000/x", s.Endpoints().ClickHouseDSN)
	assert.Equal(t, EngineExternal, s.State().Engine)
	for _, p := range s.State().Processes {
		assert.NotEqual(t, ClickHouse, p.Name)
	}
	assert.Equal(t, []string{
		"EBBGATE_BROKERS=" + s.Endpoints().Brokers, "EBBGATE_CLICKHOUSE_DSN=clickhouse://example.com:9000/x",
		"EBBGATE_KEYS_FILE=" + s.Endpoints().KeysFile, "EBBGATE_SECRETS=" + s.Endpoints().SecretsDir,
	}, s.Endpoints().Environment()[:4])
}

func TestFoldersThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Start(t.Context(), Options{Dir: filepath.Join(file, "below")})
	require.ErrorContains(t, err, "making the sandbox's folder")
	_, err = Status(t.TempDir())
	require.ErrorIs(t, err, ErrNotRunning)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sandbox.json"), []byte("{"), 0o600))
	_, err = Status(dir)
	require.ErrorContains(t, err, "sandbox.json")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "data"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "broker"), nil, 0o600))
	_, err = Start(t.Context(), Options{Dir: dir, BrokerPort: free(t), ClickHouseDSN: "clickhouse://x"})
	require.ErrorContains(t, err, "starting broker")
	require.ErrorContains(t, err, "broker.log")
}

func TestMissingEngineSaysWhatToInstall(t *testing.T) {
	_, err := library(t.Context(), npm.Fetcher{CacheDir: t.TempDir(), Client: "no-such-npm"}, enginePackages["linux/amd64"])
	require.ErrorIs(t, err, ErrNoEngine)
	for _, word := range []string{"npm", "clickhouse", EnvClickHouseDSN} {
		assert.ErrorContains(t, err, word)
	}
	_, err = library(t.Context(), npm.Fetcher{CacheDir: t.TempDir(), Client: "false"}, enginePackages["linux/amd64"])
	require.ErrorIs(t, err, ErrNoEngine, "a fetch that fails leaves the binary on PATH to try")
}

func TestADSNOfTheSandboxItselfIsNotAnotherServer(t *testing.T) {
	t.Setenv(EnvClickHouseDSN, "http://127.0.0.1:18123/"+Database)
	opts, err := Options{Dir: t.TempDir()}.complete()
	require.NoError(t, err)
	assert.Empty(t, opts.ClickHouseDSN, "a shell that was pointed at a sandbox can start it again")

	t.Setenv(EnvClickHouseDSN, "http://127.0.0.1:8123/"+Database)
	opts, err = Options{Dir: t.TempDir()}.complete()
	require.NoError(t, err)
	assert.NotEmpty(t, opts.ClickHouseDSN)
}
