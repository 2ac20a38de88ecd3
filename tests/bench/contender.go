package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/plugins/all"
	"github.com/ebbgate/ebbgate/tests/bench/baseline"
)

// The pipelines that are measured. Each run is a process of its own with GOMAXPROCS=1.
const (
	roleEbbgate  = "ebbgate"
	roleBaseline = "baseline"
	roleCeiling  = "ceiling"
)

const (
	envPlace   = "EBBGATE_BENCH_PLACE"
	envProfile = "EBBGATE_BENCH_PROFILE"
)

// usage is what a contender tells of itself at its end. What it cost to start is not a cost per event.
type usage struct {
	Start time.Duration // CPU, user and system, when the first record could be read
	Total time.Duration // CPU at the end
	RSS   int64         // bytes at most
	// Mallocs counts allocations, of the start too.
	Mallocs uint64
}

func cpu() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// residentPeak reads what the kernel counted for this program alone: the figure of rusage begins with that of the
// parent.
func residentPeak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			var kb int64
			if _, err := fmt.Sscan(text, &kb); err == nil {
				return kb << 10
			}
		}
	}
	return 0
}

// contend is the main function of a contender. It ends when its standard input does.
func contend(role string) error {
	var p place
	if err := json.Unmarshal([]byte(os.Getenv(envPlace)), &p); err != nil {
		return fmt.Errorf("reading the place: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if path := os.Getenv(envProfile); path != "" {
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
		defer func() { _ = writeAllocations(path + allocsSuffix) }()
	}
	var u usage
	err := work(ctx, role, p, &u)
	u.Total, u.RSS = cpu(), residentPeak()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.Mallocs = m.Mallocs
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(u))
}

// allocsSuffix names the profile of allocations beside that of CPU.
const allocsSuffix = ".allocs"

func writeAllocations(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(file, 0), file.Close())
}

func work(ctx context.Context, role string, p place, u *usage) error {
	switch role {
	case roleCeiling:
		return ceiling(ctx, p, u)
	case roleCollector, roleStock, roleBare, roleWebhook, roleUnkept:
		return serveDoor(ctx, role, p, u)
	case roleEbbgate:
		env, err := all.Environment(false)
		if err != nil {
			return err
		}
		return stream(ctx, env, p.ebbgate(), u)
	}
	env := service.NewEnvironment()
	if err := baseline.Register(env); err != nil {
		return err
	}
	return stream(ctx, env, p.baseline(), u)
}

// stopGrace bounds how long a stream may take to give its input back.
const stopGrace = 20 * time.Second

func stream(ctx context.Context, env *service.Environment, config string, u *usage) error {
	builder := env.NewStreamBuilder()
	if err := builder.SetYAML(config); err != nil {
		return err
	}
	// Standard output is for the result.
	builder.SetLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	s, err := builder.Build()
	if err != nil {
		return err
	}
	u.Start = cpu()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.WithoutCancel(ctx)) }()
	select {
	case err := <-ended:
		return fmt.Errorf("the stream ended by itself: %w", err)
	case <-ctx.Done():
	}
	return s.StopWithin(stopGrace)
}
