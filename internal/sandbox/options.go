package sandbox

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ebbgate/ebbgate/internal/npm"
)

// Defaults of Options.
const (
	DefaultDir            = ".ebbgate"
	DefaultBrokerPort     = 19092
	DefaultClickHousePort = 18123
	DefaultPostgresPort   = 15432
)

// Database is the ClickHouse database the sandbox makes and its DSN names.
const Database = "ebbgate"

// The environment variables a pipeline reads its endpoints from. A
// ClickHouse DSN that is set makes the sandbox use that server and start none.
const (
	EnvBrokers       = "EBBGATE_BROKERS"
	EnvClickHouseDSN = "EBBGATE_CLICKHOUSE_DSN"
	EnvKeysFile      = "EBBGATE_KEYS_FILE"
	EnvSecrets       = "EBBGATE_SECRETS"
	// EnvStaging is the staging area as pipelines reach it, EnvStagingAdmin as who makes it does.
	EnvStaging      = "EBBGATE_STAGING_DSN"
	EnvStagingAdmin = "EBBGATE_STAGING_ADMIN_DSN"
)

// Options say where a sandbox lives. The zero value is good.
type Options struct {
	Dir            string // data, keys and logs; DefaultDir when empty
	BrokerPort     int    // wanted port; a free one is taken when it is in use
	ClickHousePort int    // likewise
	PostgresPort   int    // likewise
	// ClickHouseDSN names a running server to use; when empty,
	// EBBGATE_CLICKHOUSE_DSN is asked, then an engine is started.
	ClickHouseDSN string
	// Command runs the children: a program and its first arguments, to which
	// "serve-broker", "serve-clickhouse" or "serve-postgres" and flags are added. When empty it
	// is this executable with "sandbox".
	Command []string
	// Messages takes a line for everything worth telling: starts, ports that
	// were taken, restarts. Nil drops them.
	Messages io.Writer
	// Progress is told how far a fetch of the engine is. It may be nil.
	Progress func(npm.Progress)
}

// complete fills in the defaults and makes Dir absolute.
func (o Options) complete() (Options, error) {
	if o.Dir == "" {
		o.Dir = DefaultDir
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, fmt.Errorf("resolving the sandbox's folder %s: %w", o.Dir, err)
	}
	o.Dir = dir
	if o.BrokerPort == 0 {
		o.BrokerPort = DefaultBrokerPort
	}
	if o.ClickHousePort == 0 {
		o.ClickHousePort = DefaultClickHousePort
	}
	if o.PostgresPort == 0 {
		o.PostgresPort = DefaultPostgresPort
	}
	if o.ClickHouseDSN == "" {
		o.ClickHouseDSN = os.Getenv(EnvClickHouseDSN)
	}
	if o.ClickHouseDSN == ownDSN(net.JoinHostPort("127.0.0.1", strconv.Itoa(o.ClickHousePort))) {
		o.ClickHouseDSN = "" // left in a shell by `sandbox env`: it names the engine we are about to start, not another server
	}
	if o.Messages == nil {
		o.Messages = io.Discard
	}
	if len(o.Command) > 0 {
		return o, nil
	}
	self, err := os.Executable()
	if err != nil {
		return o, fmt.Errorf("finding this program: %w", err)
	}
	o.Command = []string{self, "sandbox"}
	return o, nil
}

// listen is the loopback address for a wanted port: with that port when it is
// free, else with port 0, for the child to take any.
func (o Options) listen(what string, port int) string {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	probe, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintf(o.Messages, "port %d is in use: %s takes a free one\n", port, what)
		return "127.0.0.1:0"
	}
	probe.Close()
	return address
}

// ownDSN is where a sandbox's own ClickHouse is.
func ownDSN(address string) string { return "http://" + address + "/" + Database }

// The places inside a sandbox's folder.
func keysFile(dir string) string      { return filepath.Join(dir, "keys", "master.key") }
func secretsDir(dir string) string    { return filepath.Join(dir, "secrets") }
func stateFile(dir string) string     { return filepath.Join(dir, "sandbox.json") }
func lockFile(dir string) string      { return filepath.Join(dir, "sandbox.lock") }
func logFile(dir, name string) string { return filepath.Join(dir, "logs", name+".log") }
func dataDir(dir, name string) string { return filepath.Join(dir, "data", name) }
