package staging

import (
	"fmt"
	"strings"
)

// Guide is what a data engineer types into Stitch's form for this area, and what to make in the warehouse afterwards.
// host, port and database are where Stitch reaches it.
func (a *Area) Guide(host, port, database string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `In the database, once, as who ran `+"`ebbgate staging apply`"+`:
  ALTER ROLE %[1]s PASSWORD '...';
  ALTER ROLE %[2]s PASSWORD '...';
and let Stitch's addresses connect as %[1]s and to database %[3]s alone (pg_hba.conf or firewall; the list is in Stitch's documentation).

In Stitch: Add Integration, PostgreSQL
  Host                 %[4]s
  Port                 %[5]s
  Username             %[1]s
  Password             the one above
  Database             %[3]s
  Connect using SSL    on
  Include schema names in destination tables   off

Tables to replicate, all of schema %[6]s:
`, a.Reader, a.Writer, database, host, port, a.Schema)
	tables := a.Tables()
	width := 0
	for _, t := range tables {
		width = max(width, len(t.Name))
	}
	for _, t := range tables {
		fmt.Fprintf(&b, "  %-*s   Key-based Incremental, replication key row_seq, primary key %s\n", width, t.Name, t.Primary[0])
	}
	b.WriteString(`
The destination must load in upsert mode, or every change adds a row and what was deleted stays. Log-based and full-table replication
are not needed. One row of each table comes again with every job: the key of the last row is read inclusively.

In the warehouse, what analysts read (rows that were deleted stay as tombstones until they are purged):
`)
	for _, d := range a.Datasets {
		fmt.Fprintf(&b, "  CREATE VIEW %[1]s_current AS SELECT * FROM %[1]s WHERE NOT is_deleted;\n", d.Name)
	}
	fmt.Fprintf(&b, `where the destination only appends:
  CREATE VIEW NAME_current AS SELECT * FROM (SELECT t.*, row_number() OVER (PARTITION BY primary_key ORDER BY row_seq DESC) AS n FROM NAME t) latest
    WHERE n = 1 AND NOT is_deleted;
and then purge by %s: whatever else the warehouse holds of its subject_key has to go.
`, PrivacyDeletions)
	return b.String()
}
