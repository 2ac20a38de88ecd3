package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// write makes the page anew: everything on it but the explanations was measured in this run.
func (r *report) write() error {
	var b strings.Builder
	fmt.Fprintf(&b, pageHead, flagsGiven(), machine(), runtime.Version(), r.before, r.after, r.rounds-1, r.passRounds-1, r.cases)
	b.WriteString("\n## Against the targets\n\n" + r.targets())
	b.WriteString("\n## The policy pass alone\n\n" + passText + r.passTable())
	b.WriteString("\n### Budgets of allocations\n\n" + budgetText + r.budgetTable())
	fmt.Fprintf(&b, "\n## Through all hops\n\n"+pacedText+r.pacedTable(), r.rate)
	fmt.Fprintf(&b, "\n## The doors\n\n"+doorText+r.doorTables(), doorBatch, r.doors.eventBytes, doorWorkers)
	fmt.Fprintf(&b, "\n## The whole job in one stream\n\n"+jobText, r.events, r.eventSize, partitions)
	b.WriteString(r.jobTable())
	b.WriteString("\n### The same rows\n\n" + r.equality())
	b.WriteString("\n### Where the time goes\n\n" + r.profileText)
	b.WriteString(pageTail)
	if err := os.WriteFile(r.out, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	tell("wrote %s", r.out)
	return nil
}

// target is one line of what was promised: value must be at most the limit, or at least, as more says.
type target struct {
	what           string
	value          float64
	limit, stretch float64
	more           bool
	unit           string
}

func (t target) verdict() string {
	meets := func(limit float64) bool {
		if t.more {
			return t.value >= limit
		}
		return t.value <= limit
	}
	switch {
	case t.stretch != t.limit && meets(t.stretch):
		return "met, and the stretch too"
	case meets(t.limit):
		return "met"
	}
	return "**missed**"
}

func (r *report) targets() string {
	free, limited := packedName, limitedName
	list := []target{
		{"policy pass, allocations per event", median(r.pass[passPolicy], func(s sample) float64 { return s.Allocs }), 0.005, 0.005, false, ""},
		{"policy pass against Bloblang `mutation`, times as fast", r.nanos(passMutation) / r.nanos(passPolicy), 15, 20, true, "x"},
		{"policy pass against `sonic.Valid`, times its time", r.nanos(passPolicy) / r.nanos(passSonic), 3.0, 2.1, false, "x"},
		{"whole job against the baseline, events per CPU-second", r.micros("baseline") / r.micros(free), 5, 8, true, "x"},
		{"whole job against the ceiling, times its CPU", r.micros(free) / r.micros("ceiling"), 3.0, 2.2, false, "x"},
		{"action to queryable through three hops, p99, servers' files " + r.delays[0].place(), r.delays[0].P99, pacedTarget, pacedTarget, false, " ms"},
		{"collector against `http_server` and a mapping, events per CPU-second", r.doorCost(roleStock) / r.doorCost(roleCollector), 3, 3, true, "x"},
		{"collector against a bare handler, times its CPU", r.doorCost(roleCollector) / r.doorCost(roleBare), 1.6, 1.6, false, "x"},
		{"receipts, of a webhook's CPU", r.receiptsCost(), 25, 25, false, " %"},
		{"resident set at GOMEMLIMIT=256MiB", r.resident(limited), 256, 256, false, " MB"},
		{"throughput lost under that limit", 100 * (r.micros(limited)/r.micros(free) - 1), 5, 5, false, " %"},
	}
	var b strings.Builder
	b.WriteString("| figure | target | stretch | measured | |\n|---|---|---|---|---|\n")
	for _, t := range list {
		sign := "at most"
		if t.more {
			sign = "at least"
		}
		limit, stretch := fmt.Sprintf("%s %g%s", sign, t.limit, t.unit), fmt.Sprintf("%g%s", t.stretch, t.unit)
		if t.stretch == t.limit {
			stretch = ""
		}
		if t.limit < 0.01 {
			limit = "0"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.2f%s | %s |\n", t.what, limit, stretch, t.value, t.unit, t.verdict())
	}
	return b.String()
}

func (r *report) resident(name string) float64 {
	return median(r.runs[name], func(x run) float64 { return float64(x.RSS) / 1e6 })
}

func (r *report) equality() string {
	got := r.runs["ebbgate"][0].landed
	return fmt.Sprintf("Before any figure is printed, every run of the baseline and of Ebbgate must have landed the same: here %d rows "+
		"(%d events lack consent), sum of the hashes of event ids %d, sum of the hashes of the other typed columns %d, %d bytes of payload. "+
		"The ceiling lands all %d events as they are.\n", got.Rows, uint64(r.events)-got.Rows, got.IDs, got.Typed, got.Payload, r.events)
}

// machine is the processor as the kernel names it.
func machine() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return fmt.Sprintf("%d x %s", runtime.NumCPU(), strings.TrimSpace(strings.TrimLeft(name, "\t :")))
		}
	}
	return runtime.GOARCH
}

// flagsGiven is what make has to be told so that it runs this very command.
func flagsGiven() string {
	if len(os.Args) == 1 {
		return ""
	}
	return fmt.Sprintf(" BENCHFLAGS=%q", strings.Join(os.Args[1:], " "))
}

const pageHead = `# Performance

Everything here was measured by one run of

` + "```sh\nmake bench%s\n```" + `

on %s, %s; load average %s before and %s after (1, 5 and 15 minutes). Ratios count, not times: what is compared ran side by side,
in turn, in the same run. CPU is user and system time of the measured process with ` + "`GOMAXPROCS=1`" + `, without its start. Figures are
medians of %d rounds (policy pass: %d); one more round before them was not counted. Broker and ClickHouse were processes of their
own: the sandbox's broker and the embedded ClickHouse, which both cost the pipeline less waiting, and the same CPU, as real ones.

A number counts only for a gate that is shut: first the run held the scanner to all %d cases of the bypass corpus in ` + "`tests/corpus`" + `.
`

const passText = `One event of about 1 KB, in memory: strict scan, envelope, contract, claim, judgement, three values dropped, one HMAC token, new
document written. ` + "`mutation`" + ` does consent, drops and token only; validators only say whether it is JSON.

`

const budgetText = `Allocations per event, each counted by a benchmark of that part alone. What exceeds its budget is to be explained or mended.

`

const doorText = `Requests over %[3]d connections on loopback, each answered once its records are durable on the broker. SDKs: batches of %[1]d events of %[2]d B.

- **collector** checks the write key, reads each event strictly, and makes it an envelope with consent, clock and lineage.
- **stock** is ` + "`http_server`, `mapping`, `unarchive`" + ` and our output: an envelope of each event and nothing else.
- **bare** reads the body and produces it as one record: no key, no JSON, no events.

Webhooks: deliveries of 2 KB that Stripe's scheme signs, each another. Without receipts the same door does all but write one.

`

// pacedTarget is what the 99th percentile may take: the period after which the sink's input ends a chunk, and half a second.
const pacedTarget = 1500

const pacedText = `%d events a second, a rate that two cores sustain with broker and ClickHouse beside the pipelines, through the shipped streams: raw to
validated to authorized to the table. The time is from the user's action, as the event says it, to the confirmed chunk, after which every
query finds the row. The sink's input ends a chunk after one second; the target is that and half a second. It runs twice: on a disk the
kernel's write-back of the first half minute's files can hold up every insert, ClickHouse's own marks included, for seconds.

`

const jobText = `%d events of %d B in %d partitions, lz4, from the broker to ClickHouse. Consent (judged against the broker's consent, suppression
and erasure topics, with 10,000 consent records), redaction, 23 typed columns, lz4 inserts, exactly once, every denial on record.

- **baseline**: the same input, the engine's ` + "`mutation`" + `, and rows through database/sql as Redpanda Connect's ` + "`sql_insert`" + ` writes them
  (` + "`tests/bench/baseline`" + `). It checks the claim only, records no decision and repeats rows after a crash.
- **ceiling**: franz-go to native inserts of the raw bytes, three columns. No JSON, no policy, no engine, no exactly-once.
- **ebbgate**: ` + "`redpanda`" + ` input with ` + "`memory_limit: 32MiB`, `consent`, `redact`, `clickhouse` with `records`" + `, as a team would write it.

`

const pageTail = `
### What stands between this and the stretch

- Fetching, decompressing, compressing and sending are the ceiling's own work, and cost here what they cost there.
- ` + "`packed: true`" + ` carries a chunk through the engine as one message. What the engine itself costs, spans and contexts, is under one
  percent since then; what is still allocated per event is its part of the chunk, its metadata and its seal.
- No part is large any more. The policy pass takes twice as long here as alone in memory: a chunk goes through four stages one after the
  other, so each finds its events cold. Judging event by event instead would keep them warm, and would end the processors' being
  processors, between which a team may put its own.
- The sink scans the document that redaction wrote, though in one process both could share the positions. It is left as it is because the
  sink then fills its columns from the very bytes that were sealed, whoever wrote them.
- Two pseudonyms and a token are three HMACs per event, and the state of each of a subject's identifiers is asked for at both ends. That is
  what the product is for.

Measure before and after on the same machine: ` + "`go run ./tests/bench -only job -rounds 3 -profile cpu.prof`" + ` takes two minutes and leaves a
profile of the pipeline for ` + "`go tool pprof`" + `.
`
