package staging

import "fmt"

// Trigger is one trigger of a table.
type Trigger struct {
	Name string
	On   string // schema.table
	SQL  string
}

// Triggers lists those of the area.
func (a *Area) Triggers() (triggers []Trigger) {
	for _, t := range a.Tables() {
		on := t.Schema + "." + t.Name
		triggers = append(triggers, Trigger{"stamp", on, fmt.Sprintf(
			"CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON %s.%s FOR EACH ROW EXECUTE FUNCTION stage_internal.stamp('%s')",
			ident(t.Schema), ident(t.Name), t.Stamped)})
	}
	for _, d := range a.Datasets {
		if d.Kind != Aggregate {
			continue
		}
		on, name := a.Schema+"."+d.Of, restateName(d)
		for _, when := range []struct{ suffix, event, tables string }{
			{"_insert", "INSERT", "NEW TABLE AS added"},
			{"_update", "UPDATE", "OLD TABLE AS removed NEW TABLE AS added"},
		} {
			triggers = append(triggers, Trigger{name + when.suffix, on, fmt.Sprintf(
				"CREATE TRIGGER %s AFTER %s ON %s.%s REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION stage_internal.%s()",
				name+when.suffix, when.event, ident(a.Schema), ident(d.Of), when.tables, name)})
		}
	}
	return triggers
}
