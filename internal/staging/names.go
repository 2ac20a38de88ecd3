package staging

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

// Limits of Stitch and of the destinations it loads: the shortest of each.
const (
	maxTable  = 60 // MySQL; Postgres has 63
	maxColumn = 55 // Postgres 59, with room for the suffix of a split column
)

var (
	nameForm = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	pathForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)
)

// Names that Stitch or a destination keeps for itself, besides those with a leading or a double underscore, which the form
// excludes. Rows with such a column land in a table of rejected rows.
var (
	reservedTableSuffixes = []string{"_old", "_stg"}
	ownTables             = []string{PrivacyDeletions}
	ownColumns            = append(lineageNames(), "subject_key", "fact_id", "cell_id", "event_id", "event_name", "entity_version", "metric_date", "is_final")
)

// PrivacyDeletions is the dataset that every area has: one row for each subject that was erased.
const PrivacyDeletions = "privacy_deletions"

// nameProblem tells what Stitch has against a name, or "".
func nameProblem(name string, limit int) (what, remedy string) {
	switch {
	case len(name) > limit:
		return "longer than " + strconv.Itoa(limit) + " characters, the least that every destination has", "shorten it"
	case strings.Contains(name, "__"):
		return "has two underscores, by which Stitch marks columns of its own", "write one"
	case !nameForm.MatchString(name):
		return "is no name that every destination keeps as it is", "use lower case letters, digits and single underscores between them, beginning with a letter"
	}
	return "", ""
}

func checkTable(m strict.Member) {
	what, remedy := nameProblem(m.Key, maxTable)
	for _, suffix := range reservedTableSuffixes {
		if what == "" && strings.HasSuffix(m.Key, suffix) {
			what, remedy = "ends in "+suffix+", which Stitch keeps for itself", "name it otherwise"
		}
	}
	if slices.Contains(ownTables, m.Key) {
		what, remedy = "is a table that every area has", "remove it: it fills itself"
	}
	if what != "" {
		m.Value.Bad(what, remedy)
	}
}

func checkColumn(m strict.Member, kind Kind) {
	what, remedy := nameProblem(m.Key, maxColumn)
	if slices.Contains(ownColumns, m.Key) {
		what, remedy = "is a column that every "+string(kind)+" has", "name yours otherwise"
	}
	if what != "" {
		m.Value.Bad(what, remedy)
	}
}

// refusedTypes are types that people ask for, and what becomes of them at Stitch.
var refusedTypes = map[string]string{
	"numeric": "arrives with a rounding of its own: use micros for amounts, bigint for counts",
	"decimal": "arrives with a rounding of its own: use micros for amounts, bigint for counts",
	"jsonb":   "is text in one version of Stitch and taken apart in the other: use json, which is text",
	"float":   "cannot hold infinity or NaN at the destination: use micros for amounts, bigint for counts",
	"double":  "cannot hold infinity or NaN at the destination: use micros for amounts, bigint for counts",
	"bytea":   "is not read by Stitch: use text",
	"uuid":    "is text at every destination: use text",
}

func columnType(m strict.Member, c strict.Object) Type {
	n := c.Require("type", "say text, bigint, integer, boolean, timestamptz, date, micros or json")
	written, _ := c.Peek("type")
	if written == "timestamp" {
		n.Bad("has no zone, and Stitch calls it UTC whatever it was", "use timestamptz")
		return Timestamp
	}
	if why, refused := refusedTypes[written]; refused {
		n.Bad(strict.Quote(written)+" "+why[:strings.Index(why, ":")], strings.TrimSpace(why[strings.Index(why, ":")+1:]))
		return Text
	}
	t := Type(n.OneOf(string(Text), string(BigInt), string(Integer), string(Boolean), string(Timestamp), string(Date), string(Micros), string(JSON)))
	for suffix, of := range map[string]Type{"_json": JSON, "_micros": Micros} {
		if t == of && !strings.HasSuffix(m.Key, suffix) {
			m.Value.Bad("holds "+string(of)+", and its name does not say so", "end its name in "+suffix)
		}
	}
	return t
}
