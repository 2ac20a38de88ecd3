package staging

import "strings"

// SQL creates the table with its constraints, indexes and comment.
func (t Table) SQL() []string {
	var parts []string
	for _, c := range t.Columns {
		parts = append(parts, c.sql())
	}
	if len(t.Primary) > 0 {
		parts = append(parts, "PRIMARY KEY ("+idents(t.Primary)+")")
	}
	for _, check := range t.Checks {
		parts = append(parts, check.sql())
	}
	at := ident(t.Schema) + "." + ident(t.Name)
	body := "()"
	if len(parts) > 0 {
		body = "(\n  " + strings.Join(parts, ",\n  ") + "\n)"
	}
	statements := []string{"CREATE TABLE " + at + " " + body}
	for _, index := range t.Indexes {
		statements = append(statements, index.sql(t))
	}
	if t.Comment != "" {
		statements = append(statements, "COMMENT ON TABLE "+at+" IS "+literal(t.Comment))
	}
	return statements
}

func (c TableColumn) sql() string {
	s := ident(c.Name) + " " + c.Type
	if c.NotNull {
		s += " NOT NULL"
	}
	if c.Default != "" {
		s += " DEFAULT " + c.Default
	}
	return s
}

func (c Check) sql() string { return "CONSTRAINT " + ident(c.Name) + " CHECK (" + c.Expression + ")" }

func (i Index) sql(t Table) string {
	unique := ""
	if i.Unique {
		unique = "UNIQUE "
	}
	return "CREATE " + unique + "INDEX " + ident(i.Name) + " ON " + ident(t.Schema) + "." + ident(t.Name) + " (" + idents(i.Columns) + ")"
}
