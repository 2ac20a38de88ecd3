package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// report gathers the results and words the page.
type report struct {
	options
	cases         int
	before, after string
	eventSize     int64
	profileText   string
	pass          passResult
	runs          map[string][]run
	delays        []delays
	budgets       []budget
	doors         *doors
}

// load is what the machine is busy with, as the kernel says: 1, 5 and 15 minutes.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

func median[T any](list []T, of func(T) float64) float64 {
	values := make([]float64, len(list))
	for i := range list {
		values[i] = of(list[i])
	}
	slices.Sort(values)
	if len(values) == 0 {
		return 0
	}
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func (r *report) nanos(name string) float64 {
	return median(r.pass[name], func(s sample) float64 { return s.Nanos })
}

func (r *report) passTable() string {
	var b strings.Builder
	b.WriteString("| what | ns per event | allocations per event | policy pass is |\n|---|---|---|---|\n")
	for _, name := range passNames {
		ns := r.nanos(name)
		ratio := ""
		switch name {
		case passSonic, passStandard:
			ratio = fmt.Sprintf("%.2fx its time", r.nanos(passPolicy)/ns)
		case passMutation:
			ratio = fmt.Sprintf("%.1fx as fast", ns/r.nanos(passPolicy))
		}
		fmt.Fprintf(&b, "| %s | %.0f | %.2f | %s |\n", name, ns, median(r.pass[name], func(s sample) float64 { return s.Allocs }), ratio)
	}
	return b.String()
}

func (r *report) micros(name string) float64 {
	return median(r.runs[name], func(x run) float64 { return x.perEvent(r.events) / 1000 })
}

func (r *report) mallocs(name string) float64 {
	return median(r.runs[name], func(x run) float64 { return float64(x.Mallocs) / float64(r.events) })
}

func (r *report) jobTable() string {
	var b strings.Builder
	b.WriteString("| pipeline | CPU, us per event | events per CPU-second | against the baseline | against the ceiling | allocations per event | resident set at most | start, CPU |\n|---|---|---|---|---|---|---|---|\n")
	for _, c := range contenders {
		runs := r.runs[c.name]
		if len(runs) == 0 {
			continue
		}
		us := r.micros(c.name)
		rss := r.resident(c.name)
		start := median(runs, func(x run) float64 { return x.Start.Seconds() })
		fmt.Fprintf(&b, "| %s | %.2f | %.0f k | %.1fx | %.2fx | %.0f | %.0f MB | %.2f s |\n",
			c.name, us, 1000/us, r.micros("baseline")/us, us/r.micros("ceiling"), r.mallocs(c.name), rss, start)
	}
	if before := r.micros(beforeName); before > 0 {
		fmt.Fprintf(&b, "\nebbgate, packed, takes %.3f of the CPU it took before (median of the rounds' own ratios).\n", r.paired())
	}
	return b.String()
}

// paired compares with the build before, round by round: what the machine did meanwhile fell on both.
func (r *report) paired() float64 {
	after, before := r.runs[packedName], r.runs[beforeName]
	ratios := make([]float64, min(len(after), len(before)))
	for i := range ratios {
		ratios[i] = after[i].perEvent(r.events) / before[i].perEvent(r.events)
	}
	return median(ratios, func(x float64) float64 { return x })
}

// sameRows holds the contenders to one result. The ceiling lands everything, denied events included.
func (r *report) sameRows() error {
	var want *landed
	for _, c := range contenders {
		for _, got := range r.runs[c.name] {
			if c.role == roleCeiling {
				if got.Rows != uint64(r.events) {
					return fmt.Errorf("%w: the ceiling landed %d of %d", errDiffer, got.Rows, r.events)
				}
				continue
			}
			if want == nil {
				want = &got.landed
			}
			if got.landed != *want {
				return fmt.Errorf("%w: %s landed %+v, others %+v", errDiffer, c.name, got.landed, *want)
			}
		}
	}
	return nil
}

func (r *report) pacedTable() string {
	var b strings.Builder
	b.WriteString("| servers' files | events a second | for | rows | p50 | p95 | p99 |\n|---|---|---|---|---|---|---|\n")
	for _, d := range r.delays {
		fmt.Fprintf(&b, "| %s | %d | %s | %d | %.0f ms | %.0f ms | %.0f ms |\n", d.place(), r.rate, d.lasted, d.Rows, d.P50, d.P95, d.P99)
	}
	return b.String()
}

func (d delays) place() string {
	if d.Memory {
		return "in memory"
	}
	return "on this machine's disk"
}

func (r *report) door(role string, of func(doorRun) float64) float64 {
	return median(r.doors.runs[role], of)
}

func (r *report) doorCost(role string) float64 { return r.door(role, doorRun.perRequest) }

// receiptsCost is by how many percent receipts make a delivery dearer.
func (r *report) receiptsCost() float64 {
	return 100 * (r.doorCost(roleWebhook)/r.doorCost(roleUnkept) - 1)
}

func (r *report) doorTables() string {
	var b strings.Builder
	b.WriteString("| door for SDKs | CPU, us per event | events per CPU-second | against the stock parts | its CPU against the bare handler |\n|---|---|---|---|---|\n")
	for _, role := range []string{roleCollector, roleStock, roleBare} {
		us := r.doorCost(role) / doorBatch
		fmt.Fprintf(&b, "| %s | %.2f | %.0f k | %.2fx | %.2fx |\n", role, us, 1000/us, r.doorCost(roleStock)/r.doorCost(role), r.doorCost(role)/r.doorCost(roleBare))
	}
	b.WriteString("\n| door for webhooks | CPU, us per delivery | deliveries per CPU-second | p99 at half of the maximum |\n|---|---|---|---|\n")
	for _, role := range []string{roleWebhook, roleUnkept} {
		us := r.doorCost(role)
		fmt.Fprintf(&b, "| %s | %.0f | %.0f | %.1f ms |\n", map[string]string{roleWebhook: "with receipts", roleUnkept: "without"}[role], us, 1e6/us,
			r.door(role, func(x doorRun) float64 { return float64(x.p99.Microseconds()) / 1000 }))
	}
	return b.String()
}
