package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// part is a share of the pipeline's time, by the function that holds it.
type part struct{ what, function string }

var parts = []part{
	{"fetching and decompressing", "kgo.(*source).fetch"},
	{"making messages", "plugins/redpanda.(*input).messages"},
	{"`consent`", "plugins/consent.(*processor).ProcessBatch"},
	{"of it, the strict scan", "internal/event.(*Arena).Scan"},
	{"of it, pseudonyms", "internal/stage.(*Reader).SubjectOf"},
	{"`redact`", "plugins/redact.(*processor).ProcessBatch"},
	{"of it, the new document", "internal/policy.(*Worker).Project"},
	{"`clickhouse`", "plugins/clickhouse.(*output).WriteBatch"},
	{"of it, columns, with a scan", "plugins/clickhouse.(*worker).build"},
	{"of it, compressing and sending", "internal/clickhouse.(*Client).Insert"},
	{"spans and contexts of the engine", "internal/tracing.WithChildSpans"},
	{"garbage collection in the background", "runtime.gcBgMarkWorker"},
	{"allocating, wherever it happens", "runtime.mallocgc"},
	{"metadata maps, wherever it happens", "internal/message.(*messageData)."},
}

// profileTable reads a CPU profile with the toolchain's own tool and words it per event.
func profileTable(ctx context.Context, path string, micros float64) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-cum", "-nodefraction=0", "-nodecount=100000", path).Output()
	if err != nil {
		return "", fmt.Errorf("reading the profile: %w", err)
	}
	var b strings.Builder
	b.WriteString("From a CPU profile of one more run:\n\n| part | share | us per event |\n|---|---|---|\n")
	for _, p := range parts {
		share := 0.0
		for line := range strings.Lines(string(out)) {
			fields := strings.Fields(line)
			if len(fields) < 6 || !strings.Contains(fields[5], p.function) {
				continue
			}
			if percent, err := strconv.ParseFloat(strings.TrimSuffix(fields[4], "%"), 64); err == nil {
				share += percent
			}
			if !strings.HasSuffix(p.function, ".") {
				break
			}
		}
		fmt.Fprintf(&b, "| %s | %.0f %% | %.1f |\n", p.what, share, share*micros/100)
	}
	return b.String(), nil
}
