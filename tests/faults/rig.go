package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	chgo "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/sandbox/postgres"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

const (
	inbound  = "inbound.events"
	database = "ebbgate"
	// patience bounds every wait.
	patience = 3 * time.Minute
)

// rig is everything a run needs: servers, a copy of the shipped workspace, and the program itself.
type rig struct {
	dir, program string
	tell         func(string, ...any)
	brokers      *server
	store        *server
	area         *server // of the staging area
	warehouse    warehouse
	options      []kgo.Opt
	client       *kgo.Client
	admin        *kadm.Client
	conn         driver.Conn
	ws           *workspace.Workspace
	ring         *keys.Ring
	env          []string
	running      []*instance
	started      int
	share        int // events of one part
}

func newRig(ctx context.Context, dir string, seed uint64, tell func(string, ...any)) (r *rig, err error) {
	r = &rig{dir: dir, tell: tell, program: filepath.Join(dir, "ebbgate")}
	defer func() {
		if err != nil {
			r.stop()
		}
	}()
	source, err := root()
	if err != nil {
		return r, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-tags", "faults", "-o", r.program, "./cmd/ebbgate")
	build.Dir = source
	if out, err := build.CombinedOutput(); err != nil {
		return r, fmt.Errorf("building ebbgate: %w: %s", err, out)
	}
	if err := r.furnish(source); err != nil {
		return r, err
	}
	if err := r.serve(ctx); err != nil {
		return r, err
	}
	for _, what := range []string{"topics", "clickhouse", "staging"} {
		apply := r.command(what, "apply")
		if out, err := apply.CombinedOutput(); err != nil {
			return r, fmt.Errorf("ebbgate %s apply: %w: %s", what, err, out)
		}
	}
	return r, nil
}

// furnish copies the workspace and makes keys.
func (r *rig) furnish(source string) error {
	for _, part := range []string{"pipelines", "bloblang/lib"} {
		if err := os.CopyFS(filepath.Join(r.dir, part), os.DirFS(filepath.Join(source, part))); err != nil {
			return err
		}
	}
	file := filepath.Join(r.dir, "master.key")
	if err := keys.Init(file); err != nil {
		return err
	}
	r.env = []string{keys.EnvironmentVariable + "=" + file, "EBBGATE_HTTP_ADDRESS=127.0.0.1:0", "TZ=UTC"}
	var err error
	if r.ring, err = keys.Load(file); err != nil {
		return err
	}
	if r.ws, err = workspace.Load(filepath.Join(r.dir, "pipelines")); err != nil {
		return err
	}
	return r.quicken()
}

var groupLine = regexp.MustCompile(`(?m)^( +)consumer_group: .*$`)

// quicken gives the groups the shortest times a broker takes, so that a killed member is not waited for long.
func (r *rig) quicken() error {
	files, err := filepath.Glob(filepath.Join(r.dir, "pipelines", "streams", "*.yaml"))
	for _, file := range append(files, filepath.Join(r.dir, sinkFile)) {
		text, readErr := os.ReadFile(file)
		if err = readErr; err != nil {
			break
		}
		quick := groupLine.ReplaceAllString(string(text), "$0\n${1}session_timeout: 6s\n${1}rebalance_timeout: 3s\n${1}heartbeat_interval: 300ms\n${1}chunk_offsets: 512")
		if err = os.WriteFile(file, []byte(quick), 0o600); err != nil {
			break
		}
	}
	return err
}

func (r *rig) serve(ctx context.Context) error {
	library, err := sandbox.Library(ctx, nil)
	if err != nil {
		return err
	}
	ports, err := freePorts(5)
	if err != nil {
		return err
	}
	var listen []string
	for _, port := range ports[:3] {
		listen = append(listen, strconv.Itoa(port))
	}
	r.brokers = &server{role: roleBrokers, dir: filepath.Join(r.dir, "brokers"), listen: strings.Join(listen, ",")}
	r.store = &server{role: roleClickHouse, dir: filepath.Join(r.dir, "clickhouse"), listen: fmt.Sprintf("127.0.0.1:%d", ports[3]), env: []string{envLibrary + "=" + library}}
	r.area = &server{role: rolePostgres, dir: filepath.Join(r.dir, "postgres"), listen: fmt.Sprintf("127.0.0.1:%d", ports[4])}
	for _, s := range []*server{r.brokers, r.store, r.area} {
		if err := os.Mkdir(s.dir, 0o700); err != nil {
			return err
		}
		if err := s.start(ctx); err != nil {
			return err
		}
	}
	dsn := "http://" + r.store.running.Address() + "/"
	if r.conn, err = openStore(dsn + "default"); err != nil {
		return err
	}
	if err := r.conn.Exec(ctx, "CREATE DATABASE "+database); err != nil {
		return err
	}
	if r.conn, err = openStore(dsn + database); err != nil {
		return err
	}
	r.env = append(r.env, sandbox.EnvBrokers+"=127.0.0.1:"+strings.Join(listen, ",127.0.0.1:"), sandbox.EnvClickHouseDSN+"="+dsn+database)
	address := r.area.running.Address()
	r.env = append(r.env, sandbox.EnvStaging+"="+postgres.DSN(address, "stage_writer", postgres.Database), sandbox.EnvStagingAdmin+"="+postgres.DSN(address, postgres.User, postgres.Database))
	r.options = []kgo.Opt{seeds(ports[:3])}
	return r.connect()
}

// connect makes a new client, which knows nothing of who led what before.
func (r *rig) connect() (err error) {
	if r.client != nil {
		r.client.Close()
	}
	r.client, err = kgo.NewClient(append(r.options, kgo.ProducerLinger(5*time.Millisecond), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))...)
	if err == nil {
		r.admin = kadm.NewClient(r.client)
	}
	return err
}

func openStore(dsn string) (driver.Conn, error) {
	opts, err := chgo.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	return chgo.Open(opts)
}

func (r *rig) command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.program, args...)
	cmd.Dir = r.dir
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "EBBGATE_") || strings.HasPrefix(pair, "EBBGATE_CACHE_DIR=") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Env = append(cmd.Env, r.env...)
	endWithParent(cmd)
	return cmd
}

func (r *rig) stop() {
	for _, in := range r.running {
		in.kill()
	}
	if r.client != nil {
		r.client.Close()
	}
	for _, s := range []*server{r.brokers, r.store, r.area} {
		if s != nil && s.running != nil {
			s.running.Kill()
		}
	}
}

// plan is where the shipped streams keep what.
func (r *rig) plan() books.Plan {
	plan := books.DefaultPlan(r.ws.Topics, []books.Stage{
		{Topic: inbound, Group: "ebbgate-ingest-events"},
		{Topic: "inbound.github", Group: "ebbgate-ingest-brokered"},
		{Topic: "inbound.webhooks", Group: "ebbgate-ingest-webhooks"},
	}, "analytics")
	plan.Groups["warehouse"] = warehouseGroup
	return plan
}
