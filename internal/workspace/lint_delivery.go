package workspace

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
	"github.com/ebbgate/ebbgate/internal/policy"
)

const tablesFolder = "clickhouse"

// delivery checks the outputs that deliver to a destination, and notes which destinations have one.
func (l *linter) delivery(s stream, served map[string]bool) {
	for _, c := range s.all("output", "clickhouse") {
		at := c.conf.get("destination")
		name, known := at.text()
		if !known {
			continue
		}
		served[name] = true
		if l.w.Policy == nil {
			continue
		}
		d, ok := l.w.Policy.Destination(name)
		if !ok {
			l.refuse(s.at(at), "stream.destination", "no destination "+strict.Quote(name)+" in the policy", strict.Suggest(name, l.destinations()))
			continue
		}
		l.wiring(s, at, name)
		if c.conf.get("records").node == nil {
			l.warn(s.at(at), "clickhouse.records", "has no records output, so what is denied at export is in no audit",
				"add records: a redpanda output with topic ${! @topic} and key ${! @key}")
		}
		l.columns(s, c.conf.get("columns"), d)
	}
}

func (l *linter) destinations() (names []string) {
	for _, d := range l.w.Policy.Destinations {
		names = append(names, d.Name)
	}
	return names
}

// wiring finds a sink that is fed from a topic which is not its own: all it would do is quarantine.
func (l *linter) wiring(s stream, at value, destination string) {
	if l.w.Topics == nil || len(s.all("pipeline", "redact")) > 0 {
		return
	}
	own, _ := l.w.Topics.ByDestination(destination)
	for _, c := range s.all("input", "redpanda") {
		for _, item := range c.conf.get("topics").items() {
			if name, known := item.text(); known && name != own.Name {
				l.refuse(s.at(at), "stream.wiring", "is fed from "+name+", whose records have no seal for it, so each would be quarantined",
					"read "+own.Name+", or judge in this stream: consent and redact")
			}
		}
	}
}

// columns checks that what a table is to hold is what its destination may have.
func (l *linter) columns(s stream, columns value, d *policy.Destination) {
	tables := l.tables()
	for name, column := range columns.members() {
		source, known := column.text()
		if !known || strings.HasPrefix(source, "@") {
			continue
		}
		if !mayHave(d, source) {
			l.refuse(s.at(column), "clickhouse.column", "destination "+d.Name+" may not have "+source+", so the column would stay empty",
				"list the field in "+PolicyFile+", or remove the column")
		}
		if tables != "" && !regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(tables) {
			l.warn(s.at(column), "clickhouse.table", "no file of "+tablesFolder+"/ speaks of such a column", "add it with a new file, ALTER TABLE ... ADD COLUMN")
		}
	}
}

// mayHave reports whether the policy lets a destination have a path, or something below it.
func mayHave(d *policy.Destination, source string) bool {
	return slices.ContainsFunc(d.Rules, func(r *policy.Rule) bool {
		rest, ok := strings.CutPrefix(r.Path, source)
		return ok && r.Op != policy.Drop && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// tables is the text of all files that make tables.
func (l *linter) tables() string {
	entries, err := fs.ReadDir(l.fsys, tablesFolder)
	if err != nil {
		return ""
	}
	var text strings.Builder
	for _, entry := range entries {
		if path.Ext(entry.Name()) != ".sql" {
			continue
		}
		if src, err := fs.ReadFile(l.fsys, path.Join(tablesFolder, entry.Name())); err == nil {
			text.Write(src)
		}
	}
	return text.String()
}

// unserved names destinations for which events are authorized and by which nobody is reached.
func (l *linter) unserved(served map[string]bool) {
	if l.w.Policy == nil {
		return
	}
	for _, d := range l.w.Policy.Destinations {
		if !served[d.Name] {
			l.warn(place{d.File, d.Line, "destinations." + d.Name}, "destination.unserved", "no stream delivers to it",
				"add one to "+StreamsFolder+"/: its events wait in the topic until that forgets them")
		}
	}
}
