package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/keys"
)

// contender is one line of the result.
type contender struct {
	name    string
	role    string
	env     []string
	packed  bool   // a chunk is one message of the engine
	program string // another build of this program, for before and after; empty for this one
}

const (
	packedName  = "ebbgate, packed"
	limitedName = "ebbgate, packed, GOMEMLIMIT=256MiB"
	beforeName  = "ebbgate, before"
)

var contenders = []contender{
	{name: "baseline", role: roleBaseline},
	{name: "ceiling", role: roleCeiling},
	{name: packedName, role: roleEbbgate, packed: true},
	{name: limitedName, role: roleEbbgate, packed: true, env: []string{"GOMEMLIMIT=256MiB"}},
	{name: "ebbgate", role: roleEbbgate},
}

// landed is what is in the table after a run, in figures that are equal only when the rows are.
type landed struct{ Rows, IDs, Typed, Payload uint64 }

// run is one measured run of a contender.
type run struct {
	usage
	landed
	wall time.Duration
}

// perEvent is the CPU time of one event, after the start.
func (r run) perEvent(events int) float64 {
	return float64((r.Total - r.Start).Nanoseconds()) / float64(events)
}

// job runs the contenders in turn and keeps their runs.
type job struct {
	servers *servers
	dir     string
	ring    *keys.Ring
	keyFile string
	events  int
	admin   *kadm.Client
	runs    map[string][]run
	count   int

	eventSize int64
}

func newJob(ctx context.Context, dir string, events int) (*job, error) {
	j := &job{dir: dir, keyFile: filepath.Join(dir, "keys"), events: events, runs: map[string][]run{}}
	if err := keys.Init(j.keyFile); err != nil {
		return nil, err
	}
	var err error
	if j.ring, err = keys.Load(j.keyFile); err != nil {
		return nil, err
	}
	if j.servers, err = startServers(ctx, dir); err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(j.servers.brokers))
	if err != nil {
		j.servers.stop()
		return nil, err
	}
	j.admin = kadm.NewClient(client)
	size, err := prepareTopics(ctx, j.servers.brokers, j.ring, events)
	if err != nil {
		j.close()
		return nil, err
	}
	j.eventSize = size / int64(events)
	tell("%d events of %d B in %d partitions", events, j.eventSize, partitions)
	return j, nil
}

func (j *job) close() {
	j.admin.Close()
	j.servers.stop()
}

// runTimeout bounds one run.
const runTimeout = 2 * time.Minute

// measure lets a contender do the whole job once, into a database of its own.
func (j *job) measure(ctx context.Context, c contender, profile string) (r run, err error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	j.count++
	database := fmt.Sprintf("run_%d", j.count)
	client, err := j.makeTables(ctx, database, c.role)
	if err != nil {
		return r, err
	}
	defer client.Close()
	p := place{Brokers: j.servers.brokers, DSN: j.servers.clickhouse + "/" + database, Group: "bench-" + database, Packed: c.packed, TokenKey: j.ring.CurrentID()}
	started := time.Now()
	if r.usage, err = j.runChild(ctx, c, p, profile); err != nil {
		return r, fmt.Errorf("running %s: %w", c.name, err)
	}
	r.wall = time.Since(started)
	if r.landed, err = count(ctx, client, c.role); err != nil {
		return r, err
	}
	return r, client.Exec(ctx, "DROP DATABASE "+database+" SYNC")
}

// makeTables opens the database of a run, with the tables it needs.
func (j *job) makeTables(ctx context.Context, database, role string) (*clickhouse.Client, error) {
	first, err := clickhouse.Open(clickhouse.Options{DSN: j.servers.clickhouse + "/default"})
	if err != nil {
		return nil, err
	}
	defer first.Close()
	if err := first.Exec(ctx, "CREATE DATABASE "+database); err != nil {
		return nil, err
	}
	client, err := clickhouse.Open(clickhouse.Options{DSN: j.servers.clickhouse + "/" + database})
	if err != nil {
		return nil, err
	}
	statements := []string{ceilingTable}
	if role != roleCeiling {
		statements = statements[:0]
		for _, file := range []string{filepath.Join(workspace, "events.sql"), "pipelines/clickhouse/002_ebbgate_chunks.sql", "pipelines/clickhouse/004_denied_names.sql"} {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			statements = append(statements, strings.TrimSuffix(strings.TrimSpace(string(text)), ";"))
		}
	}
	for _, statement := range statements {
		if err := client.Exec(ctx, statement); err != nil {
			return nil, err
		}
	}
	return client, nil
}

func (j *job) runChild(ctx context.Context, c contender, p place, profile string) (u usage, err error) {
	where, err := json.Marshal(p)
	if err != nil {
		return u, err
	}
	program := c.program
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return u, err
		}
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), append(c.env, envRole+"="+c.role, envPlace+"="+string(where), envProfile+"="+profile,
		"EBBGATE_KEYS_FILE="+j.keyFile, "GOMAXPROCS=1", "TZ=UTC")...)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return u, err
	}
	if err := cmd.Start(); err != nil {
		return u, err
	}
	ended := make(chan struct{})
	var failed error
	go func() { failed = cmd.Wait(); close(ended) }()
	waited := waitFor(ctx, j.admin, p.Group, j.events, ended)
	_ = stdin.Close()
	<-ended
	if waited != nil || failed != nil {
		return u, fmt.Errorf("%w, %w: %s", waited, failed, last(messages.String(), 2000))
	}
	return u, json.NewDecoder(&out).Decode(&u)
}

func last(text string, n int) string { return text[max(0, len(text)-n):] }

// count reads what landed. The ceiling's rows have no columns to compare.
func count(ctx context.Context, client *clickhouse.Client, role string) (l landed, err error) {
	query := "SELECT count(), sum(cityHash64(event_id)), sum(cityHash64(event_name, timestamp, received_at, account_id, source, session_id, " +
		"plan, country, trial, paid, seats, duration_ms, amount, partition, offset, topic, src_topic, src_partition, src_offset, replay_epoch, length(email))), sum(length(properties)) FROM events"
	if role == roleCeiling {
		query = "SELECT count(), toUInt64(0), toUInt64(0), sum(length(body)) FROM raw"
	}
	err = client.Query(ctx, query, nil, func(scan func(...any) error) error {
		return scan(&l.Rows, &l.IDs, &l.Typed, &l.Payload)
	})
	return l, err
}

func tell(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
