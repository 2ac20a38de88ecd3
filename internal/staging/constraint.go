package staging

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

func ident(name string) string { return `"` + name + `"` }

func idents(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = ident(name)
	}
	return strings.Join(quoted, ", ")
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// named gives a constraint a name that changes with what it says: that is how a change of it is seen.
func named(what, expression string) Check {
	sum := sha256.Sum256([]byte(expression))
	return Check{Name: what + "_" + hex.EncodeToString(sum[:4]), Expression: expression}
}

// keyLength keeps keys below the 256 characters Stitch takes, whatever the characters.
func keyLength(column string) Check {
	return named("key", "octet_length("+ident(column)+") BETWEEN 1 AND 200")
}

// readableTime keeps out what no reader's clock can hold: infinity, years before Christ or of five digits.
func readableTime(column string) Check {
	return named(column, ident(column)+" >= '1970-01-01Z' AND "+ident(column)+" < '9999-01-01Z'")
}

// readable are the limits of the declared columns.
func readable(d *Dataset) (checks []Check) {
	for _, c := range d.Columns {
		switch c.Type {
		case Text, JSON:
			checks = append(checks, named("length_"+short(c.Name), fmt.Sprintf("octet_length(%s) <= %d", ident(c.Name), MaxText)))
		case Timestamp, Date:
			checks = append(checks, named("time_"+short(c.Name), ident(c.Name)+" >= '1970-01-01' AND "+ident(c.Name)+" < '9999-01-01'"))
		}
	}
	return checks
}

// short keeps a constraint's name below PostgreSQL's 63 characters.
func short(name string) string { return name[:min(len(name), 40)] }

// tombstoned says that a deleted row holds nothing of the subject any more, and says why it is deleted.
func tombstoned(d *Dataset) Check {
	empty := d.Personal()
	if d.Kind == Aggregate {
		empty = empty[1:]
	}
	return named("tombstone", "NOT is_deleted OR (num_nonnulls("+idents(empty)+") = 0 AND deleted_at IS NOT NULL AND deletion_reason IS NOT NULL)")
}
