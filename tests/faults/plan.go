package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/ebbgate/ebbgate/internal/crash"
)

// plan says how much of what a run holds.
type plan struct {
	Events  int `json:"events"`
	Kills   int `json:"kills"`   // of the pipelines, out of nothing
	Crashes int `json:"crashes"` // of the pipelines, at a named place; each takes another kill to get there
	Brokers int `json:"brokers"` // kills of all brokers at once
	Stores  int `json:"stores"`  // kills of ClickHouse
	Areas   int `json:"areas"`   // kills of the staging area's PostgreSQL
	Zombies int `json:"zombies"` // pipelines stopped for longer than their session, then let go on
	Scales  int `json:"scales"`  // two more instances come, one is killed and one is told to leave
	Rolls   int `json:"rolls"`   // a new instance comes, the old one is told to leave
}

var (
	// lane is what `make test` plays: 20 SIGKILLs of the pipelines, and some of everything else.
	lane = plan{Events: 200_000, Kills: 2, Crashes: len(crash.Points) - 1, Brokers: 3, Stores: 2, Areas: 2, Zombies: 1, Scales: 1, Rolls: 1}

	// programme is the whole of `make faults`.
	programme = plan{Events: 5_000_000, Kills: 300, Crashes: 120, Brokers: 300, Stores: 60, Areas: 60, Zombies: 30, Scales: 40, Rolls: 50}
)

// part is one of n parts, rounded up.
func (p plan) part(n int) plan {
	share := func(all int) int { return (all + n - 1) / n }
	return plan{
		share(p.Events), share(p.Kills), share(p.Crashes), share(p.Brokers), share(p.Stores), share(p.Areas), share(p.Zombies), share(p.Scales), share(p.Rolls),
	}
}

// The kinds of faults.
const (
	kill   = "kill"
	die    = "crash"
	broker = "broker"
	store  = "store"
	area   = "area"
	zombie = "zombie"
	scale  = "scale"
	roll   = "roll"
)

// step is one fault.
type step struct {
	kind  string
	place string // of a crash
	nth   int    // pass of the place
	// after says how much has to move before it happens, as a share of the events of its part.
	after float64
}

func (s step) String() string {
	if s.kind == die {
		return fmt.Sprintf("%s %s:%d", s.kind, s.place, s.nth)
	}
	return s.kind
}

// steps are the faults of a run in their order.
func (p plan) steps(seed uint64) (out []step) {
	random := rand.New(rand.NewPCG(seed, 2))
	add := func(kind string, n int) {
		for i := range n {
			s := step{kind: kind, after: 3 * random.Float64()}
			if kind == die {
				s.place, s.nth = crash.Points[i%len(crash.Points)], 1+random.IntN(4)
			}
			out = append(out, s)
		}
	}
	add(kill, p.Kills)
	add(die, p.Crashes)
	add(broker, p.Brokers)
	add(store, p.Stores)
	add(area, p.Areas)
	add(zombie, p.Zombies)
	add(scale, p.Scales)
	add(roll, p.Rolls)
	random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
