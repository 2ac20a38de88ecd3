package staging

import (
	"fmt"
	"strings"
)

// Filled lists the columns the writer fills, in the order in which rows hold them.
func (d *Dataset) Filled(a *Area) (names []string) {
	for _, c := range a.rowTable(d).Columns {
		if c.Name != "row_seq" && c.Name != "staged_at" {
			names = append(names, c.Name)
		}
	}
	return names
}

// Incoming is the session's own table for the rows of a dataset.
func (d *Dataset) Incoming() string { return "in_" + d.Name }

// MakeIncoming makes that table for a session. Its rows go with each transaction.
func (a *Area) MakeIncoming(d *Dataset) string {
	return fmt.Sprintf("CREATE TEMPORARY TABLE %s ON COMMIT DELETE ROWS AS SELECT %s FROM %s.%s WITH NO DATA",
		ident(d.Incoming()), idents(d.Filled(a)), ident(a.Schema), ident(d.Name))
}

// Merge brings the session's rows, at most one for each key, into the dataset. It touches a row only where something is to
// change, so that a replay moves no row_seq. A row that a withdrawal emptied is filled again, because what arrives here has
// been judged; one that an erasure emptied never is.
func (a *Area) Merge(d *Dataset) string {
	columns := d.Filled(a)
	sets := make([]string, 0, len(columns))
	for _, name := range columns {
		if name != d.PrimaryKey() {
			sets = append(sets, ident(name)+" = "+d.merged(name))
		}
	}
	return fmt.Sprintf("INSERT INTO %s.%s AS t (%s) SELECT %s FROM %s ORDER BY %s ON CONFLICT (%s) DO UPDATE SET %s WHERE t.deletion_reason IS DISTINCT FROM 'erasure' AND (%s)",
		ident(a.Schema), ident(d.Name), idents(columns), idents(columns), ident(d.Incoming()), d.PrimaryKey(), d.PrimaryKey(), strings.Join(sets, ", "), d.changes())
}

const newer = "(t.entity_version, t.event_id) < (excluded.entity_version, excluded.event_id)"

// changes is when a row that is there is replaced.
func (d *Dataset) changes() string {
	const revived = "t.is_deleted AND (t.entity_version, t.event_id) <= (excluded.entity_version, excluded.event_id)"
	switch d.Kind {
	case Event:
		return "t.is_deleted"
	case Fact:
		return newer + " OR " + revived
	}
	filled := make([]string, 0, len(d.Columns))
	for _, c := range d.Columns {
		filled = append(filled, fmt.Sprintf("(t.%[1]s IS NULL AND excluded.%[1]s IS NOT NULL)", ident(c.Name)))
	}
	return newer + " OR " + revived + " OR (NOT t.is_deleted AND (" + strings.Join(filled, " OR ") + "))"
}

// merged is the value of a column after a merge. Of a profile the latest word on each column stays; an earlier event that
// comes late fills only what nobody has spoken of.
func (d *Dataset) merged(name string) string {
	excluded := "excluded." + ident(name)
	if d.Kind != Profile {
		return excluded
	}
	if _, declared := d.Column(name); declared {
		return fmt.Sprintf("CASE WHEN t.is_deleted THEN %[1]s WHEN %[2]s THEN coalesce(%[1]s, t.%[3]s) ELSE coalesce(t.%[3]s, %[1]s) END", excluded, newer, ident(name))
	}
	return fmt.Sprintf("CASE WHEN t.is_deleted OR %s THEN %s ELSE t.%s END", newer, excluded, ident(name))
}

// Withdraw empties the rows named in $1 for the reason in $2.
func (a *Area) Withdraw(d *Dataset) string {
	return fmt.Sprintf("UPDATE %s.%s SET %s WHERE %s = ANY ($1) AND NOT is_deleted", ident(a.Schema), ident(d.Name), d.Emptied("$2", "NULL"), d.PrimaryKey())
}

// Blank empties one column of the rows named in $1.
func (a *Area) Blank(d *Dataset, column string) string {
	return fmt.Sprintf("UPDATE %s.%s SET %s = NULL WHERE %s = ANY ($1) AND %s IS NOT NULL", ident(a.Schema), ident(d.Name), ident(column), d.PrimaryKey(), ident(column))
}

// RowsOf lists key, class and all subjects of the rows about the subjects in $1.
func (a *Area) RowsOf(d *Dataset) string {
	return fmt.Sprintf(`SELECT t.%[1]s, t.data_class, array_agg(DISTINCT r.subject)
		FROM %[2]s.%[3]s t JOIN stage_internal.row_subjects r ON r.dataset = %[4]s AND r.row_id = t.%[1]s
		WHERE NOT t.is_deleted AND t.%[1]s IN (SELECT s.row_id FROM stage_internal.row_subjects s WHERE s.dataset = %[4]s AND s.subject = ANY ($1))
		GROUP BY t.%[1]s, t.data_class ORDER BY t.%[1]s`, d.PrimaryKey(), ident(a.Schema), ident(d.Name), literal(d.Name))
}
