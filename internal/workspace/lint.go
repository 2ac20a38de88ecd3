package workspace

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// Lint holds all files of a workspace against each other, streams and tables included, ordered by file and line. What the engine
// says of streams is not part of it: this package does not know the engine.
func Lint(fsys fs.FS) []Finding {
	w, contracts, err := parse(fsys)
	l := &linter{fsys: fsys, w: w, contracts: contracts, findings: refusals(err)}
	if err == nil {
		l.findings = append(l.findings, refusals(w.check(contracts))...)
		l.policy()
		l.unused()
		l.storage()
		l.staging()
		l.told()
	}
	l.topics()
	l.streams()
	return SortFindings(l.findings)
}

// linter collects findings. Policy, Topics and contracts are nil where the files have problems of their own; what needs them is
// not checked then.
type linter struct {
	fsys      fs.FS
	w         *Workspace
	contracts *contract.Set
	findings  []Finding
}

// place is where a finding stands.
type place struct {
	file  string
	line  int
	field string
}

func (l *linter) refuse(at place, rule, what, remedy string) {
	l.findings = append(l.findings, Finding{at.file, at.line, Error, rule, at.field, what, remedy})
}

func (l *linter) warn(at place, rule, what, remedy string) {
	l.findings = append(l.findings, Finding{at.file, at.line, Warning, rule, at.field, what, remedy})
}

func (l *linter) policy() {
	for _, d := range l.w.Policy.Destinations {
		at := place{d.File, d.Line, "destinations." + d.Name}
		if d.Owner == "" {
			l.warn(at, "destination.owner", "has no owner", "name the team that answers for it: owner: data")
		}
		if d.Retention == 0 {
			l.warn(at, "destination.retention", "keeps data for ever", "give a retention")
		}
		if !d.CanDelete {
			l.warn(at, "destination.delete", "cannot delete", "erasure ends at its door; say can_delete: true if it can")
		}
	}
	for _, one := range l.contracts.All() {
		if one.Description == "" {
			l.warn(place{one.File, one.Line, one.Event}, "contract.description", "has no description", "say when it happens")
		}
	}
}

// unused names properties that go nowhere: data that need not be collected.
func (l *linter) unused() {
	going := map[string]bool{}
	for _, d := range l.w.Policy.Destinations {
		for _, r := range d.Rules {
			going[r.Path] = going[r.Path] || r.Op != policy.Drop
		}
	}
	used := suppressing(l.contracts)
	what := fmt.Sprintf("goes to none of %d destinations", len(l.w.Policy.Destinations))
	for _, path := range l.contracts.LeafPaths() {
		for _, p := range l.contracts.Leaf(path) {
			if !going[path] && p.Event != "" && !used[p.Event+" "+path] {
				l.warn(place{p.File, p.Line, path}, "contract.unused", what, "stop collecting it, or list it in "+PolicyFile)
			}
		}
	}
}

// holding are the roles of topics that hold whole events, of every class.
var holding = []topics.Role{topics.Inbound, topics.Raw, topics.Validated, topics.Quarantine}

// storage keeps the topics before the gate from holding events longer than the shortest class allows. Those of destinations are
// Load's part.
func (l *linter) storage() {
	shortest := shortestClass(l.contracts.All())
	if shortest == nil {
		return
	}
	for _, t := range l.w.Topics.All() {
		if slices.Contains(holding, t.Role) && (t.Retention == 0 || t.Retention > shortest.Retention) {
			l.refuse(place{TopicsFile, t.Line, "topics." + t.Name + ".retention"}, "retention.class",
				"longer than class "+shortest.Name+" allows, "+days(shortest.Retention), "shorten it to that")
		}
	}
}

func (l *linter) topics() {
	if l.w.Topics == nil {
		return
	}
	if slices.ContainsFunc(l.w.Topics.All(), func(t topics.Topic) bool { return t.ReplicationFactor == 1 }) {
		l.warn(place{TopicsFile, 0, "topics"}, "topics.replicas", "some have one replica", "use replication_factor: 3 where losing a broker must not lose events")
	}
	if decisions, ok := l.w.Topics.ByRole(topics.Decisions); ok {
		for _, t := range l.w.Topics.Outliving(decisions) {
			l.warn(place{TopicsFile, t.Line, "topics." + t.Name + ".retention"}, "retention.decisions",
				"longer than that of "+decisions.Name, "what was authorized would outlive the record of why: shorten it, or keep decisions longer")
		}
	}
}
