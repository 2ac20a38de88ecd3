package staging

import (
	"fmt"
	"strings"
)

// Function is a PostgreSQL function of the area, in schema Internal. All run with their owner's rights.
type Function struct {
	Name      string
	Arguments string // as pg_get_function_identity_arguments writes them
	Returns   string
	Body      string
}

// SQL creates or replaces the function.
func (f Function) SQL() string {
	return fmt.Sprintf("CREATE OR REPLACE FUNCTION %s.%s(%s) RETURNS %s LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $ebbgate$%s$ebbgate$",
		Internal, f.Name, f.Arguments, f.Returns, f.Body)
}

// Functions lists those of the area.
func (a *Area) Functions() []Function {
	functions := []Function{beginBatch, stamp, a.eraseSubject(), a.purge()}
	for _, d := range a.Datasets {
		if d.Kind == Aggregate {
			functions = append(functions, a.restate(d))
		}
	}
	return functions
}

// beginBatch takes the gate, which is held until the transaction is visible, and lifts the sequence to the clock: a
// database that was restored, or a standby that took over, must not begin again below what Stitch has read.
var beginBatch = Function{Name: "begin_batch", Returns: "bigint", Body: `
DECLARE
  floor_now bigint;
  value bigint;
BEGIN
  LOCK TABLE stage_internal.write_gate IN EXCLUSIVE MODE;
  value := nextval('stage_internal.row_seq');
  floor_now := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  IF value < floor_now THEN
    value := setval('stage_internal.row_seq', floor_now, true);
  END IF;
  RETURN value;
END
`}

// stamp numbers a row in the order of commits, and keeps out the rows of subjects who were erased.
var stamp = Function{Name: "stamp", Returns: "trigger", Body: `
BEGIN
  LOCK TABLE stage_internal.write_gate IN EXCLUSIVE MODE;
  IF TG_ARGV[0] = 'subject' THEN
    IF NOT NEW.is_deleted AND EXISTS (SELECT FROM stage_internal.erased_subjects e WHERE e.subject_key = NEW.subject_key) THEN
      RETURN NULL;
    END IF;
  END IF;
  NEW.row_seq := nextval('stage_internal.row_seq');
  NEW.staged_at := clock_timestamp();
  RETURN NEW;
END
`}

// rows lists the datasets that have subjects.
func (a *Area) rows() (sets []*Dataset) {
	for _, d := range a.Datasets {
		if d.Kind != Aggregate {
			sets = append(sets, d)
		}
	}
	return sets
}

// Emptied is the SET clause that makes a row a tombstone, for a reason given as an SQL expression.
func (d *Dataset) Emptied(reason, request string) string {
	parts := make([]string, 0, len(d.Columns)+5)
	for _, name := range d.Personal() {
		parts = append(parts, ident(name)+" = NULL")
	}
	return strings.Join(append(parts, "is_deleted = true", "deleted_at = clock_timestamp()", "deletion_reason = "+reason, "deletion_request_id = "+request), ", ")
}

// eraseSubject turns every row of a subject into a tombstone and keeps it so.
func (a *Area) eraseSubject() Function {
	var b strings.Builder
	b.WriteString(`
DECLARE
  n bigint;
  total bigint := 0;
BEGIN
  PERFORM stage_internal.begin_batch();
  INSERT INTO stage_internal.erased_subjects (subject, subject_key, request_id) VALUES (p_subject, p_subject_key, p_request) ON CONFLICT DO NOTHING;
`)
	for _, d := range a.rows() {
		fmt.Fprintf(&b, `  UPDATE %[1]s.%[2]s t SET %[3]s
    FROM stage_internal.row_subjects s
    WHERE s.subject = p_subject AND s.dataset = %[4]s AND t.%[5]s = s.row_id AND t.deletion_reason IS DISTINCT FROM 'erasure';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
`, ident(a.Schema), ident(d.Name), d.Emptied("'erasure'", "p_request"), literal(d.Name), d.PrimaryKey())
	}
	fmt.Fprintf(&b, `  DELETE FROM stage_internal.row_subjects WHERE subject = p_subject;
  INSERT INTO %s.privacy_deletions (deletion_id, subject_key, request_id, reason, rows_erased, policy_version, occurred_at)
    VALUES ('pd_' || encode(sha256(convert_to(p_request || chr(31) || p_subject_key, 'UTF8')), 'hex'), p_subject_key, p_request, 'erasure', total, p_policy, clock_timestamp())
    ON CONFLICT DO NOTHING;
  RETURN total;
END
`, ident(a.Schema))
	return Function{Name: "erase_subject", Arguments: "p_subject text, p_subject_key text, p_request text, p_policy text", Returns: "bigint", Body: b.String()}
}

// purge removes what Stitch must have read by now, and rows past their retention. Only the owner may call it.
func (a *Area) purge() Function {
	var b strings.Builder
	b.WriteString("\nDECLARE\n  n bigint;\n  total bigint := 0;\nBEGIN\n")
	remove := func(table, where string) {
		fmt.Fprintf(&b, "  DELETE FROM %s WHERE %s;\n  GET DIAGNOSTICS n = ROW_COUNT;\n  total := total + n;\n", ident(a.Schema)+"."+ident(table), where)
	}
	for _, d := range a.Datasets {
		if a.Tombstones > 0 {
			remove(d.Name, fmt.Sprintf("is_deleted AND deleted_at < now() - interval '%d hours'", int(a.Tombstones.Hours())))
		}
		since := "occurred_at"
		if d.Kind == Aggregate {
			since = "metric_date"
		}
		if d.Retention > 0 {
			remove(d.Name, fmt.Sprintf("%s < now() - interval '%d hours'", since, int(d.Retention.Hours())))
		}
	}
	for _, d := range a.rows() {
		fmt.Fprintf(&b, "  DELETE FROM stage_internal.row_subjects s WHERE s.dataset = %s AND NOT EXISTS (SELECT FROM %s.%s t WHERE t.%s = s.row_id);\n",
			literal(d.Name), ident(a.Schema), ident(d.Name), d.PrimaryKey())
	}
	b.WriteString("  RETURN total;\nEND\n")
	return Function{Name: "purge", Returns: "bigint", Body: b.String()}
}
