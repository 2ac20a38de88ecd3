package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/books"
)

// report is what a run says of itself.
type report struct {
	Seed         uint64         `json:"seed"`
	Version      string         `json:"version"`
	Plan         plan           `json:"plan"`
	Seconds      int            `json:"seconds"`
	Accepted     int            `json:"accepted"`
	Flawed       int            `json:"flawed"`
	LedgerSHA256 string         `json:"ledger_sha256"`
	Played       []played       `json:"played"`
	Injected     map[string]int `json:"injected"`
	Destinations []*account     `json:"destinations"`
	Rows         int            `json:"rows"`
	RowsTwice    int            `json:"rows_twice"`
	RowsLost     int            `json:"rows_lost"`
	Leaked       int            `json:"leaked"`
	Staged       int            `json:"staged"` // live rows of single events in the staging area
	Books        []books.Row    `json:"books"`
	Problems     []*problem     `json:"problems"`
}

// problem is one thing that must not be, with how many events it touches and the ids of the first.
type problem struct {
	What     string   `json:"what"`
	Events   int      `json:"events"`
	Examples []string `json:"examples,omitempty"`
}

// played is a fault that happened.
type played struct {
	Fault        string `json:"fault"`
	Milliseconds int    `json:"ms"`
}

// account is what the reference found at one destination's topic, in events.
type account struct {
	Name      string `json:"name"`
	Delivered int    `json:"delivered"`
	Denied    int    `json:"denied"`
	Lost      int    `json:"lost"`
	Wrong     int    `json:"wrong"`
	Repeated  int    `json:"repeated"` // copies on the topic, which a sink knows and leaves out
	Both      int    `json:"both"`     // judged twice, before and after a withdrawal became known
}

func (r *report) destination(name string) *account {
	for _, a := range r.Destinations {
		if a.Name == name {
			return a
		}
	}
	r.Destinations = append(r.Destinations, &account{Name: name})
	return r.Destinations[len(r.Destinations)-1]
}

// mostExamples is how many ids a problem names.
const mostExamples = 3

// wrong notes that something must not be. id may be empty.
func (r *report) wrong(id, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	i := slices.IndexFunc(r.Problems, func(p *problem) bool { return p.What == what })
	if i < 0 {
		i = len(r.Problems)
		r.Problems = append(r.Problems, &problem{What: what})
	}
	p := r.Problems[i]
	p.Events++
	if id != "" && len(p.Examples) < mostExamples {
		p.Examples = append(p.Examples, id)
	}
}

// count is how many faults of a kind happened.
func (r *report) count(kinds ...string) (n int) {
	for _, p := range r.Played {
		for _, kind := range kinds {
			if first, _, _ := strings.Cut(p.Fault, " "); first == kind {
				n++
			}
		}
	}
	return n
}

// kills are the SIGKILLs of pipelines.
func (r *report) kills() int { return r.count(kill) + 2*r.count(die) + r.count(scale) }

// rebalances are the times that members came or went, each a rebalance of every group.
func (r *report) rebalances() int {
	return 2*r.count(kill, roll) + 4*r.count(die) + 4*r.count(scale) + 3*r.count(zombie)
}

func (r *report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, %d s: %d events accepted, %d of them flawed; %d SIGKILLs of pipelines, %d of brokers, %d of ClickHouse, %d of PostgreSQL, %d rebalances\n",
		r.Seed, r.Seconds, r.Accepted, r.Flawed, r.kills(), r.count(broker), r.count(store), r.count(area), r.rebalances())
	fmt.Fprintf(&b, "%-12s %10s %10s %10s %6s %6s\n", "destination", "delivered", "denied", "copies", "lost", "wrong")
	for _, a := range r.Destinations {
		fmt.Fprintf(&b, "%-12s %10d %10d %10d %6d %6d\n", a.Name, a.Delivered, a.Denied, a.Repeated, a.Lost, a.Wrong)
	}
	fmt.Fprintf(&b, "table: %d rows, %d twice, %d lost, %d leaked\n", r.Rows, r.RowsTwice, r.RowsLost, r.Leaked)
	fmt.Fprintf(&b, "staging area: %d live rows of single events\n", r.Staged)
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "wrong, %d times: %s %v\n", p.Events, p.What, p.Examples)
	}
	return b.String()
}

func (r *report) save(file string) error { return saveJSON(file, r) }

func version() string {
	out, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
