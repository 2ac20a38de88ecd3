package staging

// Table is a PostgreSQL table as the area wants it.
type Table struct {
	Schema  string
	Name    string
	Comment string
	Columns []TableColumn
	Primary []string
	Checks  []Check // by name
	Indexes []Index
	Stamped string // how the trigger stamps it: subject, plain, or "" where there is none
}

// TableColumn is one column of a table.
type TableColumn struct {
	Name    string
	Type    string // as format_type writes it
	NotNull bool
	Default string
}

// Check is a named constraint.
type Check struct{ Name, Expression string }

// Index is a named index besides the primary key's.
type Index struct {
	Name    string
	Columns []string
	Unique  bool
}

const (
	bigint      = "bigint"
	text        = "text"
	timestamptz = "timestamp with time zone"
)

// Internal is the schema that the reader never sees.
const Internal = "stage_internal"

// lineage tells of every row where it comes from and on what it relies.
var lineage = []TableColumn{
	{Name: "policy_version", Type: text, NotNull: true},
	{Name: "consent_version", Type: text},
	{Name: "relied_on", Type: text, NotNull: true}, // purposes and the columns' paths they carry, as the seal says
	{Name: "data_class", Type: text, NotNull: true},
	{Name: "correlation_id", Type: text},
	{Name: "batch_id", Type: text, NotNull: true},
	{Name: "source_topic", Type: text, NotNull: true},
	{Name: "source_partition", Type: "integer", NotNull: true},
	{Name: "source_offset", Type: bigint, NotNull: true},
	{Name: "occurred_at", Type: timestamptz, NotNull: true},
}

var tombstone = []TableColumn{
	{Name: "is_deleted", Type: "boolean", NotNull: true, Default: "false"},
	{Name: "deleted_at", Type: timestamptz},
	{Name: "deletion_reason", Type: text},
	{Name: "deletion_request_id", Type: text},
}

// stamps are filled by the trigger, and by nothing else.
var stamps = []TableColumn{
	{Name: "staged_at", Type: timestamptz, NotNull: true},
	{Name: "row_seq", Type: bigint, NotNull: true},
}

func lineageNames() (names []string) {
	for _, list := range [][]TableColumn{lineage, tombstone, stamps} {
		for _, c := range list {
			names = append(names, c.Name)
		}
	}
	return names
}

// Tables lists what the reader may see, in the order of the file, and privacy_deletions.
func (a *Area) Tables() []Table {
	var tables []Table
	for _, d := range a.Datasets {
		if d.Kind == Aggregate {
			tables = append(tables, a.aggregateTable(d))
		} else {
			tables = append(tables, a.rowTable(d))
		}
	}
	return append(tables, a.deletionsTable())
}

func (a *Area) rowTable(d *Dataset) Table {
	key := d.PrimaryKey()
	t := Table{Schema: a.Schema, Name: d.Name, Comment: d.Description, Primary: []string{key}, Stamped: "subject"}
	t.Columns = append(t.Columns, TableColumn{Name: key, Type: text, NotNull: true})
	if key != "subject_key" {
		t.Columns = append(t.Columns, TableColumn{Name: "subject_key", Type: text})
	}
	if key != "event_id" {
		t.Columns = append(t.Columns, TableColumn{Name: "event_id", Type: text, NotNull: true}, TableColumn{Name: "entity_version", Type: bigint, NotNull: true})
	}
	t.Columns = append(t.Columns, TableColumn{Name: "event_name", Type: text, NotNull: true})
	for _, c := range d.Columns {
		t.Columns = append(t.Columns, TableColumn{Name: c.Name, Type: c.Type.SQL()})
	}
	for _, more := range [][]TableColumn{lineage, tombstone, stamps} {
		t.Columns = append(t.Columns, more...)
	}
	t.Checks = append([]Check{keyLength(key), readableTime("occurred_at"), tombstoned(d)}, readable(d)...)
	t.Indexes = []Index{{Name: d.Name + "_row_seq", Columns: []string{"row_seq"}, Unique: true}}
	for _, agg := range a.Datasets {
		if agg.Of == d.Name {
			t.Indexes = append(t.Indexes, Index{Name: agg.Name + "_cells", Columns: append(append([]string{}, agg.GroupBy...), "occurred_at")})
		}
	}
	return t
}

// Personal lists the columns that a tombstone empties: all that is declared, and the subject where it is not the key.
func (d *Dataset) Personal() (names []string) {
	if d.PrimaryKey() != "subject_key" {
		names = append(names, "subject_key")
	}
	for _, c := range d.Columns {
		names = append(names, c.Name)
	}
	return names
}

func (a *Area) aggregateTable(d *Dataset) Table {
	t := Table{Schema: a.Schema, Name: d.Name, Comment: d.Description, Primary: []string{"cell_id"}, Stamped: "plain"}
	t.Columns = append(t.Columns, TableColumn{Name: "cell_id", Type: text, NotNull: true}, TableColumn{Name: "metric_date", Type: "date", NotNull: true})
	for _, name := range d.GroupBy {
		t.Columns = append(t.Columns, TableColumn{Name: name, Type: text, NotNull: true})
	}
	for _, c := range d.Columns {
		t.Columns = append(t.Columns, TableColumn{Name: c.Name, Type: bigint})
	}
	t.Columns = append(t.Columns, TableColumn{Name: "is_final", Type: "boolean", NotNull: true, Default: "false"},
		TableColumn{Name: "policy_version", Type: text, NotNull: true}, TableColumn{Name: "batch_id", Type: text, NotNull: true})
	t.Columns = append(t.Columns, tombstone[:3]...)
	t.Columns = append(t.Columns, stamps...)
	t.Checks = []Check{keyLength("cell_id"), tombstoned(d)}
	t.Indexes = []Index{{Name: d.Name + "_row_seq", Columns: []string{"row_seq"}, Unique: true}}
	return t
}

func (a *Area) deletionsTable() Table {
	t := Table{
		Schema: a.Schema, Name: PrivacyDeletions, Comment: "One row for each subject that was erased: what else the warehouse holds of it has to go.",
		Primary: []string{"deletion_id"}, Stamped: "plain",
		Columns: []TableColumn{
			{Name: "deletion_id", Type: text, NotNull: true},
			{Name: "subject_key", Type: text, NotNull: true},
			{Name: "request_id", Type: text, NotNull: true},
			{Name: "reason", Type: text, NotNull: true},
			{Name: "rows_erased", Type: bigint, NotNull: true},
			{Name: "policy_version", Type: text, NotNull: true},
			{Name: "occurred_at", Type: timestamptz, NotNull: true},
		},
		Checks:  []Check{keyLength("deletion_id"), readableTime("occurred_at")},
		Indexes: []Index{{Name: PrivacyDeletions + "_row_seq", Columns: []string{"row_seq"}, Unique: true}},
	}
	t.Columns = append(t.Columns, stamps...)
	return t
}

// internalTables are what the writer keeps for itself.
func internalTables() []Table {
	return []Table{
		{Schema: Internal, Name: "write_gate", Comment: "Whoever holds its lock may write. It has no rows."},
		{
			Schema: Internal, Name: "source_offsets", Comment: "How far each partition is in, and how its records ended.",
			Primary: []string{"source_topic", "source_partition", "replay_epoch"},
			Columns: []TableColumn{
				{Name: "source_topic", Type: text, NotNull: true},
				{Name: "source_partition", Type: "integer", NotNull: true},
				{Name: "replay_epoch", Type: bigint, NotNull: true},
				{Name: "next_offset", Type: bigint, NotNull: true},
				{Name: "delivered", Type: bigint, NotNull: true, Default: "0"},
				{Name: "denied", Type: bigint, NotNull: true, Default: "0"},
				{Name: "settled", Type: bigint, NotNull: true, Default: "0"},
				{Name: "updated_at", Type: timestamptz, NotNull: true, Default: "clock_timestamp()"},
			},
		},
		{
			Schema: Internal, Name: "row_subjects", Comment: "Whom each row is about, by the pseudonym of the state topics.",
			Primary: []string{"subject", "dataset", "row_id"},
			Columns: []TableColumn{
				{Name: "subject", Type: text, NotNull: true},
				{Name: "dataset", Type: text, NotNull: true},
				{Name: "row_id", Type: text, NotNull: true},
			},
			Indexes: []Index{{Name: "row_subjects_rows", Columns: []string{"dataset", "row_id"}}},
		},
		{
			Schema: Internal, Name: "erased_subjects", Comment: "Who was erased: no row of theirs ever comes back.",
			Primary: []string{"subject"},
			Columns: []TableColumn{
				{Name: "subject", Type: text, NotNull: true},
				{Name: "subject_key", Type: text, NotNull: true},
				{Name: "request_id", Type: text, NotNull: true},
				{Name: "erased_at", Type: timestamptz, NotNull: true, Default: "clock_timestamp()"},
			},
			Indexes: []Index{{Name: "erased_subjects_key", Columns: []string{"subject_key"}}},
		},
	}
}
