package staging

import (
	"slices"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/staging"
)

// reader finds the paths of the area's columns in events. It is for one chunk at a time.
type reader struct {
	scanner *event.Scanner
	index   event.Index
	paths   []string // by field
}

func newReader(area *staging.Area) (*reader, error) {
	var paths []string
	for _, d := range area.Datasets {
		paths = append(paths, d.Key...)
		for _, c := range d.Columns {
			if c.Path != "" {
				paths = append(paths, c.Path)
			}
		}
	}
	dict, err := event.NewDictionary(slices.Compact(slices.Sorted(slices.Values(paths)))...)
	if err != nil {
		return nil, err
	}
	r := &reader{scanner: event.NewScanner(dict, event.DefaultLimits), paths: make([]string, dict.Len()+1)}
	for _, path := range paths {
		r.paths[dict.Field(path)] = path
	}
	return r, nil
}

// read gives the first value of each path.
func (r *reader) read(body []byte) (map[string]event.Value, *event.Fault) {
	if err := r.scanner.Scan(body, &r.index); err != nil {
		fault, _ := event.AsFault(err)
		return nil, &fault
	}
	values := map[string]event.Value{}
	for at := 1; at < len(r.index.Nodes); at++ {
		path := ""
		if field := r.index.Nodes[at].Field; int(field) < len(r.paths) {
			path = r.paths[field]
		}
		if path == "" {
			continue
		}
		if _, taken := values[path]; !taken {
			values[path] = r.index.At(at)
		}
	}
	return values, nil
}

// build makes the rows of the chunk's records that may go. Records that cannot be rows are named in the error.
func (o *output) build(c *chunk) ([]*table, error) {
	reader, err := newReader(o.cfg.area)
	if err != nil {
		return nil, err
	}
	var tables []*table
	for _, d := range o.cfg.area.Datasets {
		if d.Kind != staging.Aggregate {
			tables = append(tables, newTable(o.cfg.area, d))
		}
	}
	bad := &refusals{}
	for i := range c.records {
		r := &c.records[i]
		if r.denied != "" {
			continue
		}
		var fault *event.Fault
		if err := o.guarded(func() error { fault = o.rows(c, r, reader, tables); return nil }); err != nil {
			fault = errPanic
		}
		if fault != nil {
			bad.add(fault.Code, r.ref, fault)
		}
	}
	return tables, bad.err()
}

// rows makes the rows of one record: one in each dataset that takes its event.
func (o *output) rows(c *chunk, r *record, reader *reader, tables []*table) *event.Fault {
	values, fault := reader.read(r.sealed.Body)
	if fault != nil {
		return fault
	}
	f := &facts{
		sealed: r.sealed, r: r, values: values, batch: c.batchID(), topic: c.of.Topic, part: c.of.Partition,
		subjects: r.subjects(), token: o.cfg.token(r.subjects()[0]),
	}
	name, ok := reader.index.Get(event.EventName)
	if !ok || name.Kind() != event.String {
		return missing("event_name")
	}
	at, ok := reader.index.Get(event.Timestamp)
	if !ok {
		return missing("timestamp")
	}
	when, fits := instantOf(at)
	if !fits {
		return missing("timestamp")
	}
	f.name, f.at = name.String(), when
	taken := false
	for _, t := range tables {
		if !t.events[f.name] {
			continue
		}
		taken = true
		if fault := t.add(f); fault != nil {
			return fault
		}
	}
	if !taken {
		r.denied = reasonNoDataset
	}
	return nil
}

// reasonNoDataset is of events that were authorized before staging.yaml ceased to take them.
const reasonNoDataset = "staging.no_dataset"

func missing(path string) *event.Fault {
	return &event.Fault{Code: codeRequired, Path: path, Remedy: "the destination's rules in the policy must keep it, for every row needs it"}
}
