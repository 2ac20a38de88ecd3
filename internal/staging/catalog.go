package staging

// Catalog is what a database has, as far as an area is concerned.
type Catalog struct {
	Database  string
	User      string
	Superuser bool
	Encoding  string
	Roles     map[string]Role
	Schemas   map[string]bool
	Sequence  bool                    // row_seq is there
	Cached    bool                    // and hands out numbers ahead, which breaks their order
	Relations map[string]Relation     // by schema.name
	Functions map[string]FunctionFact // by name
	Held      map[string]bool         // by Grant.Key, of objects that are there
}

// Role is what matters of a role.
type Role struct {
	Login     bool
	Superuser bool
	ReadOnly  bool // default_transaction_read_only is on
	UTC       bool // its sessions run in UTC
}

// Relation is a table, or what stands in its place.
type Relation struct {
	Kind     string // of pg_class: r is a plain table
	Owner    string
	Columns  []TableColumn
	Primary  []string
	Checks   map[string]bool
	Indexes  map[string]bool
	Triggers map[string]bool // by name: whether it fires
}

// FunctionFact is what matters of a function.
type FunctionFact struct {
	Body    string
	Definer bool
	Owner   string
}

func (r Relation) column(name string) (TableColumn, bool) {
	for _, c := range r.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return TableColumn{}, false
}
