package contract

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

const (
	classesFile = "classes.yaml"
	maxNesting  = 8 // levels of objects below properties
)

// Load reads every *.yaml file in the folder root of fsys: classes.yaml declares the classes, the other files hold contracts, one
// document for each version of the event the file is named after. The error joins all problems, each with its file, line, field
// and remedy; file names in it are relative to fsys. The set is not bound yet: see Bind.
func Load(fsys fs.FS, root string) (*Set, error) {
	l := &loader{fsys: fsys, root: root, classes: map[string]*Class{}}
	l.readClasses()
	for _, name := range l.contractFiles() {
		l.readContracts(name)
	}
	set := newSet(l.contracts, l.classList)
	set.envelope = envelopeProperties(l.allowed)
	l.checkPaths(set)
	if err := l.problems.Err(); err != nil {
		return nil, err
	}
	return set, nil
}

type loader struct {
	fsys      fs.FS
	root      string
	problems  strict.Problems
	classes   map[string]*Class
	classList []*Class
	allowed   map[string][]string // envelope path -> purposes
	contracts []*Contract
	event     string // being read
}

func (l *loader) bad(file string, what, remedy string) {
	l.problems.Add(&strict.Problem{File: file, What: what, Remedy: remedy})
}

func (l *loader) contractFiles() []string {
	entries, err := fs.ReadDir(l.fsys, l.root)
	if err != nil {
		l.bad(l.root, "folder cannot be read", "create it with one YAML file per event")
		return nil
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		switch ext := path.Ext(name); {
		case strings.HasPrefix(name, "."), name == classesFile:
		case entry.IsDir():
			l.bad(path.Join(l.root, name), "folders in here are not read", "move its contracts up")
		case ext == ".yml":
			l.bad(path.Join(l.root, name), "only *.yaml is read", "rename it to "+strings.TrimSuffix(name, ext)+".yaml")
		case ext == ".yaml":
			names = append(names, name)
		}
	}
	return names
}

func (l *loader) documents(name string) []strict.Node {
	file := path.Join(l.root, name)
	src, err := fs.ReadFile(l.fsys, file)
	if err != nil {
		l.bad(file, "file cannot be read", "create it and make it readable")
		return nil
	}
	return strict.Documents(file, src, &l.problems)
}

func (l *loader) readClasses() {
	defer l.nonEmpty(classesFile, l.problems.Len(), "declare at least one class", func() bool { return len(l.classList) > 0 })
	for _, doc := range l.documents(classesFile) {
		o := doc.Object("classes", "envelope")
		if classes := o.Require("classes", "declare at least one class"); classes.Exists() {
			for _, m := range classes.Members() {
				l.readClass(m)
			}
		}
		if envelope := o.Get("envelope"); envelope.Exists() {
			l.readEnvelope(envelope)
		}
	}
}

// nonEmpty reports a file in which nothing was found and nothing was wrong.
func (l *loader) nonEmpty(name string, problems int, remedy string, found func() bool) {
	if !found() && l.problems.Len() == problems {
		l.bad(path.Join(l.root, name), "declares nothing", remedy)
	}
}

func (l *loader) readClass(m strict.Member) {
	if !strict.IsName(m.Key) {
		m.Value.Bad("is no valid class name", strict.NameRemedy)
	}
	o := m.Value.Object("description", "retention", "storage")
	if storage, _ := m.Value.Peek("storage"); slices.Contains([]string{"source", "checked_at", "version"}, storage) {
		o.Get("storage").Bad("has another meaning in an event's consent", "name the purpose otherwise")
	}
	class := &Class{
		Name:        m.Key,
		Description: o.Get("description").Text(),
		Retention:   o.Require("retention", "say how long such events are kept: retention: 400d").Retention(),
		Storage:     o.Require("storage", "name the purpose that storing needs, or none").Name(),
		File:        m.Value.File(),
		Line:        m.Value.Line(),
	}
	l.classes[m.Key] = class
	l.classList = append(l.classList, class)
}

// readEnvelope takes the purposes that envelope fields may go for untransformed.
func (l *loader) readEnvelope(n strict.Node) {
	l.allowed = map[string][]string{}
	for path, m := range n.Object(EnvelopePaths()...).All() {
		l.allowed[path] = m.Object("allowed_for").Require("allowed_for", "list purposes").Texts(strict.Node.Name)
	}
}

func (l *loader) readContracts(name string) {
	known := len(l.contracts)
	defer l.nonEmpty(name, l.problems.Len(), "write a contract, or remove the file", func() bool { return len(l.contracts) > known })
	for _, doc := range l.documents(name) {
		c := l.readContract(doc)
		if c.Event != "" && c.Event+".yaml" != name {
			doc.Bad("event "+strict.Quote(c.Event)+" is in the wrong file", "move it to "+c.Event+".yaml")
		}
		for _, other := range l.contracts {
			if other.Event == c.Event && other.Version == c.Version && c.Version != "" {
				doc.Bad("version "+c.Version+" is declared twice", "raise the version, the first is on line "+strconv.Itoa(other.Line))
			}
		}
		l.contracts = append(l.contracts, c)
	}
}

var versionForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$`)

func (l *loader) readContract(doc strict.Node) *Contract {
	o := doc.Object("event", "version", "owner", "description", "class", "from", "undeclared", "consent", "suppresses", "properties")
	c := &Contract{
		Event:       o.Require("event", "name the event").Name(),
		Owner:       o.Require("owner", "name the team that answers for the event").Name(),
		Description: o.Get("description").Text(),
		From:        o.Get("from").OneOf("server", "browser"),
		Quarantine:  o.Get("undeclared").OneOf("remove", "quarantine") == "quarantine",
		Choice:      o.Get("consent").OneOf("claim", "choice") == "choice",
		File:        doc.File(),
		Line:        doc.Line(),
	}
	version := o.Require("version", "give a semantic version: version: 1.0.0")
	if c.Version = version.Text(); c.Version != "" && !versionForm.MatchString(c.Version) {
		version.Bad(strict.Quote(c.Version)+" is no semantic version", "write three numbers: 1.4.2")
		c.Version = ""
	}
	class := o.Require("class", "name a class of "+classesFile)
	if name := class.Text(); name != "" {
		if c.Class = l.classes[name]; c.Class == nil {
			class.Bad("class "+strict.Quote(name)+" is not declared", strict.Suggest(name, l.classNames()))
		}
	}
	if properties := o.Get("properties"); properties.Exists() {
		l.event = c.Event
		c.Properties = l.readProperties(properties, "properties", 1)
	}
	readSuppressions(o.Get("suppresses"), c)
	return c
}

func (l *loader) classNames() []string {
	var names []string
	for _, class := range l.classList {
		names = append(names, class.Name)
	}
	return names
}
