package staging

import "time"

// Kind says what a row of a dataset stands for, and so when a new event replaces it.
type Kind string

// The kinds.
const (
	Profile   Kind = "profile"   // one row for each subject; later events fill in and replace
	Fact      Kind = "fact"      // one row for each thing named by key; the latest event replaces it
	Event     Kind = "event"     // one row for each event; never replaced
	Aggregate Kind = "aggregate" // counts over an event dataset, without any subject
)

// Type is what a column holds. The area uses only SQL types that every version of Stitch's integration reads alike.
type Type string

// The types.
const (
	Text      Type = "text"
	BigInt    Type = "bigint"
	Integer   Type = "integer"
	Boolean   Type = "boolean"
	Timestamp Type = "timestamptz"
	Date      Type = "date"
	Micros    Type = "micros" // an amount, in millionths, as bigint
	JSON      Type = "json"   // an object or list, as text
)

// SQL is the type of the column in PostgreSQL.
func (t Type) SQL() string {
	switch t {
	case Micros:
		return string(BigInt)
	case JSON:
		return string(Text)
	case Timestamp:
		return "timestamp with time zone"
	}
	return string(t)
}

// MaxText is the most bytes of a text or JSON column: beyond 65,535 some destinations cut without a word.
const MaxText = 60000

// Area is one staging area: a parsed staging.yaml. It is immutable.
type Area struct {
	File        string
	Destination string // of the policy, which feeds it
	Schema      string // what the reader may see
	Owner       string // role that owns everything and that nobody logs in as
	Writer      string // role of the output
	Reader      string // role of Stitch
	Tombstones  time.Duration
	Datasets    []*Dataset
	Line        int
}

// Dataset is one table of the area.
type Dataset struct {
	Name        string
	Kind        Kind
	Description string
	Events      []string // that feed it
	Key         []string // paths that name a fact
	Columns     []*Column
	Sensitivity string
	Latency     string
	Retention   time.Duration // 0 is for ever
	Line        int

	// Of an aggregate.
	Of              string // event dataset it counts
	GroupBy         []string
	MinimumSubjects int
	FinalAfter      time.Duration
}

// Column is one declared column of a dataset.
type Column struct {
	Name     string
	Path     string // of the event; "" in an aggregate
	Type     Type
	Required bool // an event without it goes to quarantine
	Line     int

	// Of an aggregate: exactly one is set.
	Count    string // event name, or "*" for all
	Sum      string // micros or bigint column of the counted dataset
	Subjects bool   // how many different subjects
}

// Dataset finds a dataset by name.
func (a *Area) Dataset(name string) (*Dataset, bool) {
	for _, d := range a.Datasets {
		if d.Name == name {
			return d, true
		}
	}
	return nil, false
}

// Column finds a declared column by name.
func (d *Dataset) Column(name string) (*Column, bool) {
	for _, c := range d.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return nil, false
}

// PrimaryKey is the column that names a row.
func (d *Dataset) PrimaryKey() string {
	switch d.Kind {
	case Profile:
		return "subject_key"
	case Fact:
		return "fact_id"
	case Event:
		return "event_id"
	}
	return "cell_id"
}
