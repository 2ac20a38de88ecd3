// Package crash names the places at which a program may die and lose nothing: between a write and the note of it. A program
// built with the tag `faults` ends itself there, without any cleaning up, when EBBGATE_CRASH_AT says so; that is what the fault
// programme in tests/faults does. In every other build At is empty and costs nothing.
package crash

// The named places, in the order in which a chunk passes them.
const (
	BeforeIntent  = "intent.before"  // the chunk is cut; its end is not yet written down
	AfterIntent   = "intent.after"   // its end is written down; nobody has it yet
	BeforeProduce = "produce.before" // an output has its records made
	AfterProduce  = "produce.after"  // all of them are durable; the input does not know
	BeforeInsert  = "insert.before"  // a sink has its rows made
	AfterInsert   = "insert.after"   // they are in the table; no mark says so
	BeforeMark    = "mark.before"
	AfterMark     = "mark.after" // the mark says so; the input does not know
	BeforeCommit  = "commit.before"
	AfterCommit   = "commit.after" // the group has the offset
)

// Points lists the named places.
var Points = []string{
	BeforeIntent, AfterIntent, BeforeProduce, AfterProduce, BeforeInsert, AfterInsert, BeforeMark, AfterMark, BeforeCommit, AfterCommit,
}

// Environment names the variable that says where to die, as place:n for the n-th time it is passed.
const Environment = "EBBGATE_CRASH_AT"
