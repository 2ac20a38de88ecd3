package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/keys"
)

const (
	program  = "bin/ebbgate" // what make bench builds first
	shipped  = "pipelines"
	rawTopic = "events.raw"

	// pacedWarm is how long events flow before those that are counted: groups have joined and views are read by then.
	pacedWarm = 15 * time.Second
)

// memory is a folder whose files are in memory, on Linux.
const memory = "/dev/shm"

// pacedPlaces are the folders that the servers' files are put in, one after the other. On a disk, the kernel's write-back
// of half a minute of new files can hold up every insert for seconds, which says more of the disk than of the pipelines.
func pacedPlaces() []string {
	if info, err := os.Stat(memory); err != nil || !info.IsDir() {
		return []string{""}
	}
	return []string{memory, ""}
}

// delays are how long events took from the user's action to a row that queries see.
type delays struct {
	Memory        bool // the servers' files were in memory
	Rows          uint64
	P50, P95, P99 float64 // milliseconds
	lasted        time.Duration
}

// measurePaced lets events arrive at a steady rate and go through the shipped streams, as a team runs them: raw to validated
// to authorized to ClickHouse.
// parent is the folder for the servers' files, or empty for the usual one.
func measurePaced(ctx context.Context, rate int, lasted time.Duration, parent string) (d delays, err error) {
	dir, err := os.MkdirTemp(parent, "ebbgate-paced-")
	if err != nil {
		return d, err
	}
	defer os.RemoveAll(dir)
	keyFile := filepath.Join(dir, "keys")
	if err := keys.Init(keyFile); err != nil {
		return d, err
	}
	servers, err := startServers(ctx, dir)
	if err != nil {
		return d, err
	}
	defer servers.stop()
	dsn, err := makeDatabase(ctx, servers.clickhouse)
	if err != nil {
		return d, err
	}
	p := pacer{dir: dir, env: append(os.Environ(), "EBBGATE_BROKERS="+servers.brokers,
		"EBBGATE_CLICKHOUSE_DSN="+dsn, "EBBGATE_KEYS_FILE="+keyFile, "EBBGATE_HTTP_ADDRESS=127.0.0.1:0", "TZ=UTC")}
	for _, group := range []string{"topics", "clickhouse"} {
		if out, err := p.command(ctx, group, "apply", "--workspace", shipped).CombinedOutput(); err != nil {
			return d, fmt.Errorf("running %s %s apply: %w: %s", program, group, err, out)
		}
	}
	from, err := p.flow(ctx, rate, lasted)
	if err != nil {
		return d, err
	}
	client, err := clickhouse.Open(clickhouse.Options{DSN: dsn})
	if err != nil {
		return d, err
	}
	defer client.Close()
	d.lasted, d.Memory = lasted, parent == memory
	return d, p.read(ctx, client, from, from.Add(lasted), uint64(float64(rate)*lasted.Seconds()), &d)
}

// makeDatabase makes one that takes refreshable views, which the embedded engine's first one does not.
func makeDatabase(ctx context.Context, address string) (dsn string, err error) {
	client, err := clickhouse.Open(clickhouse.Options{DSN: address + "/default"})
	if err != nil {
		return "", err
	}
	defer client.Close()
	return address + "/paced", client.Exec(ctx, "CREATE DATABASE paced")
}

// pacer runs the product's own program against the servers.
type pacer struct {
	dir string
	env []string
}

func (p *pacer) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = p.env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 45 * time.Second
	return cmd
}

// flow runs the streams while events are generated, and for long enough after it. It returns when those that count began.
func (p *pacer) flow(ctx context.Context, rate int, lasted time.Duration) (from time.Time, err error) {
	log, err := os.Create(filepath.Join(p.dir, "streams.log"))
	if err != nil {
		return from, err
	}
	defer log.Close()
	running, stop := context.WithCancel(ctx)
	streams := p.command(running, "streams", "-o", shipped+"/service.yaml", shipped+"/streams")
	streams.Stdout, streams.Stderr = log, log
	if err := streams.Start(); err != nil {
		stop()
		return from, err
	}
	defer func() {
		stop()
		if ended := streams.Wait(); ended != nil && !errors.Is(ended, context.Canceled) {
			tell("the streams ended: %v", ended)
		}
	}()
	sending, enough := context.WithTimeout(ctx, pacedWarm+lasted+time.Second)
	defer enough()
	from = time.Now().Add(pacedWarm)
	generator := p.command(sending, "generate", "--count", "0", "--rate", strconv.Itoa(rate), "--output", "topic", "--topic", rawTopic)
	if out, err := generator.CombinedOutput(); sending.Err() == nil {
		return from, fmt.Errorf("the generator ended by itself: %w: %s", err, last(string(out), 500))
	}
	select { // the last chunks are cut, judged and inserted
	case <-time.After(5 * time.Second):
	case <-ctx.Done():
	}
	return from, ctx.Err()
}

// pacedQuery gives the delays of the events that happened between two times. A row counts as seen when the sink had
// confirmed its chunk, which is a little after queries find it.
const pacedQuery = `
SELECT count(), quantileExact(0.5)(took), quantileExact(0.95)(took), quantileExact(0.99)(took) FROM (
	SELECT toFloat64(dateDiff('millisecond', e.timestamp, c.committed_at)) AS took
	FROM events AS e
	ASOF INNER JOIN (SELECT topic, partition, first, last, committed_at FROM ebbgate_chunks FINAL WHERE epoch = 0) AS c
	ON e.topic = c.topic AND e.partition = c.partition AND e.offset >= c.first
	WHERE e.offset <= c.last AND e.timestamp >= ? AND e.timestamp < ?
)`

func (p *pacer) read(ctx context.Context, client *clickhouse.Client, from, to time.Time, want uint64, d *delays) error {
	err := client.Query(ctx, pacedQuery, []any{from, to}, func(scan func(...any) error) error {
		return scan(&d.Rows, &d.P50, &d.P95, &d.P99)
	})
	if err != nil {
		return fmt.Errorf("reading the delays: %w", err)
	}
	if d.Rows < want*9/10 {
		text, _ := os.ReadFile(filepath.Join(p.dir, "streams.log"))
		return fmt.Errorf("%d events of %d arrived: the machine does not sustain the rate, or the streams failed: %s", d.Rows, want, last(string(text), 2000))
	}
	return nil
}
