package staging

import (
	"fmt"
	"strings"
)

// restate is the trigger function of an aggregate. It counts anew the cells that a statement touched, whatever touched
// them: an insert, an upsert, a withdrawal or an erasure. What a replay leaves as it was fires nothing. A cell of fewer
// people than the least is never shown, and one that was shown and has become so small is emptied. A day is final once it
// and the cell's last change are old enough; then late events leave it alone, and deletions still reduce it.
func (a *Area) restate(d *Dataset) Function {
	var b strings.Builder
	b.WriteString("\nBEGIN\n  IF TG_OP = 'INSERT' THEN\n")
	b.WriteString(a.restateFrom(d, touched(d, "added", "NOT is_deleted"), false))
	b.WriteString("  ELSE\n")
	b.WriteString(a.restateFrom(d, touched(d, "removed", "NOT is_deleted")+" UNION ALL "+touched(d, "added", "NOT is_deleted"), true))
	b.WriteString("  END IF;\n")
	if d.FinalAfter > 0 {
		hours := int(d.FinalAfter.Hours())
		fmt.Fprintf(&b, "  UPDATE %s.%s SET is_final = true WHERE NOT is_final AND metric_date < (now() AT TIME ZONE 'UTC' - interval '%d hours')::date AND staged_at < now() - interval '%d hours';\n",
			ident(a.Schema), ident(d.Name), hours, hours)
	}
	b.WriteString("  RETURN NULL;\nEND\n")
	return Function{Name: restateName(d), Returns: "trigger", Body: b.String()}
}

func restateName(d *Dataset) string { return "restate_" + d.Name }

// touched selects the cells of a transition table's rows.
func touched(d *Dataset, from, where string) string {
	groups := make([]string, len(d.GroupBy))
	for i, name := range d.GroupBy {
		groups[i] = fmt.Sprintf("coalesce(%[1]s, '') AS %[1]s", ident(name))
	}
	return fmt.Sprintf("SELECT (occurred_at AT TIME ZONE 'UTC')::date AS metric_date, %s, policy_version, batch_id FROM %s WHERE %s IS NOT NULL AND %s",
		strings.Join(groups, ", "), from, ident(d.GroupBy[0]), where)
}

func (a *Area) restateFrom(d *Dataset, touched string, reduces bool) string {
	var on, measures, names, shown, keep, changed, fresh []string
	for i, g := range d.GroupBy {
		left := "e." + ident(g)
		if i > 0 {
			left = "coalesce(" + left + ", '')"
		}
		on = append(on, left+" = t."+ident(g))
	}
	for _, c := range d.Columns {
		name := ident(c.Name)
		names = append(names, name)
		measures = append(measures, measure(c)+" AS "+name)
		shown = append(shown, "CASE WHEN c.n__people >= k THEN c."+name+" END")
		changed, fresh = append(changed, "a."+name), append(fresh, "excluded."+name)
		if reduces {
			keep = append(keep, fmt.Sprintf("%[1]s = CASE WHEN a.is_final THEN least(excluded.%[1]s, coalesce(a.%[1]s, excluded.%[1]s)) ELSE excluded.%[1]s END", name))
		} else {
			keep = append(keep, name+" = excluded."+name)
		}
	}
	guard := ""
	if !reduces {
		guard = "NOT a.is_final AND "
	}
	groups := idents(d.GroupBy)
	sql := fmt.Sprintf(`    WITH t AS (SELECT metric_date, %[1]s, max(policy_version) AS policy_version, max(batch_id) AS batch_id FROM (%[2]s) x GROUP BY metric_date, %[1]s),
    c AS (SELECT t.metric_date, %[3]s, t.policy_version, t.batch_id, 'ce_' || encode(sha256(convert_to(concat_ws(chr(31), t.metric_date::text, %[3]s), 'UTF8')), 'hex') AS cell_id,
        count(DISTINCT e.subject_key) AS n__people, %[4]s
      FROM t LEFT JOIN %[5]s.%[6]s e ON %[7]s AND NOT e.is_deleted
        AND e.occurred_at >= t.metric_date::timestamp AT TIME ZONE 'UTC' AND e.occurred_at < (t.metric_date + 1)::timestamp AT TIME ZONE 'UTC'
      GROUP BY t.metric_date, %[3]s, t.policy_version, t.batch_id)
    INSERT INTO %[5]s.%[8]s AS a (cell_id, metric_date, %[1]s, %[9]s, policy_version, batch_id, is_deleted, deleted_at, deletion_reason)
    SELECT c.cell_id, c.metric_date, %[10]s, %[11]s, c.policy_version, c.batch_id, c.n__people < k,
        CASE WHEN c.n__people < k THEN clock_timestamp() END, CASE WHEN c.n__people < k THEN 'small_cell' END
      FROM c WHERE c.n__people >= k OR EXISTS (SELECT FROM %[5]s.%[8]s o WHERE o.cell_id = c.cell_id)
      ORDER BY c.cell_id
    ON CONFLICT (cell_id) DO UPDATE SET %[12]s, policy_version = excluded.policy_version, batch_id = excluded.batch_id,
        is_deleted = excluded.is_deleted, deleted_at = excluded.deleted_at, deletion_reason = excluded.deletion_reason
      WHERE %[13]s(%[14]s, a.is_deleted) IS DISTINCT FROM (%[15]s, excluded.is_deleted);
`, groups, touched, prefixed("t", d.GroupBy), strings.Join(measures, ", "), ident(a.Schema), ident(d.Of), strings.Join(on, " AND "), ident(d.Name),
		strings.Join(names, ", "), prefixed("c", d.GroupBy), strings.Join(shown, ", "), strings.Join(keep, ", "), guard, strings.Join(changed, ", "), strings.Join(fresh, ", "))
	return strings.NewReplacer("c.n__people >= k", fmt.Sprintf("c.n__people >= %d", d.MinimumSubjects), "c.n__people < k", fmt.Sprintf("c.n__people < %d", d.MinimumSubjects)).Replace(sql)
}

func measure(c *Column) string {
	switch {
	case c.Subjects:
		return "count(DISTINCT e.subject_key)"
	case c.Sum != "":
		return "coalesce(sum(e." + ident(c.Sum) + "), 0)::bigint"
	case c.Count == "*":
		return "count(e.event_id)"
	}
	return "count(e.event_id) FILTER (WHERE e.event_name = " + literal(c.Count) + ")"
}

func prefixed(table string, names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = table + "." + ident(name)
	}
	return strings.Join(out, ", ")
}
