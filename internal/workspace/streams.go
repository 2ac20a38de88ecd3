package workspace

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Names of a workspace's files for the engine.
const (
	ServiceFile     = "service.yaml"
	StreamsFolder   = "streams"
	DoorsFolder     = "doors"
	SinksFolder     = "sinks" // streams to parts that not every workspace has, started by name
	resourcesFolder = "resources"
	testSuffix      = "_benthos_test"
)

// EngineFiles lists the files of a workspace that the engine reads: service.yaml, streams, doors, sinks and resources. Those of unit tests are
// among them only if asked for.
func EngineFiles(fsys fs.FS, tests bool) ([]string, error) {
	var files []string
	for _, root := range []string{ServiceFile, StreamsFolder, DoorsFolder, SinksFolder, resourcesFolder} {
		err := fs.WalkDir(fsys, root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			ext := path.Ext(name)
			isTest := strings.HasSuffix(strings.TrimSuffix(name, ext), testSuffix)
			if !entry.IsDir() && (ext == ".yaml" || ext == ".yml") && (tests || !isTest) {
				files = append(files, name)
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return files, nil
}

// stream is one file for the engine, as far as it can be told without the engine.
type stream struct {
	file       string
	root       value
	components []component
}

// component is one of the components that lint looks into.
type component struct {
	section string // input, pipeline or output, or that of a resource
	name    string
	conf    value
}

// lookedInto are the components that lint looks into.
var lookedInto = []string{"clickhouse", "clickhouse_audit", "collector", "consent", "contract", "redact", "redpanda", "reject", "repeats", "staging", "webhook"}

// sections are the parts of a file that hold components.
var sections = []string{"input", "pipeline", "output", "input_resources", "processor_resources", "output_resources"}

// parseStream reads a file. What is no YAML mapping has no components: that is for the engine to say.
func parseStream(file string, src []byte) stream {
	s := stream{file: file}
	var doc yaml.Node
	if yaml.Unmarshal(src, &doc) != nil || len(doc.Content) == 0 {
		return s
	}
	s.root = value{node: doc.Content[0]}
	for _, section := range sections {
		s.collect(strings.TrimSuffix(section, "_resources"), s.root.get(section))
	}
	return s
}

func (s *stream) collect(section string, v value) {
	for _, item := range v.items() {
		s.collect(section, item)
	}
	for name, member := range v.members() {
		if slices.Contains(lookedInto, name) {
			s.components = append(s.components, component{section, name, member})
		}
		s.collect(section, member)
	}
}

// all returns the components of a name in a section; "" is every section.
func (s *stream) all(section, name string) []component {
	var found []component
	for _, c := range s.components {
		if c.name == name && (section == "" || c.section == section) {
			found = append(found, c)
		}
	}
	return found
}

// value is one value of a file, which may be absent.
type value struct {
	node  *yaml.Node
	line  int // of its name
	field string
}

func (v value) resolved() *yaml.Node {
	if v.node != nil && v.node.Kind == yaml.AliasNode {
		return v.node.Alias
	}
	return v.node
}

func (v value) items() []value {
	node := v.resolved()
	if node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	var items []value
	for _, item := range node.Content {
		items = append(items, value{item, item.Line, v.field})
	}
	return items
}

// members yields the entries of a mapping in the order of the file.
func (v value) members() func(func(string, value) bool) {
	return func(yield func(string, value) bool) {
		node := v.resolved()
		if node == nil || node.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			if !yield(key.Value, value{node.Content[i+1], key.Line, strings.TrimPrefix(v.field+"."+key.Value, ".")}) {
				return
			}
		}
	}
}

// get finds a value below; the zero value is none.
func (v value) get(names ...string) value {
	for _, name := range names {
		found := value{}
		for key, member := range v.members() {
			if key == name {
				found = member
			}
		}
		v = found
	}
	return v
}

// text is the value as the file says it: a variable stands for its default. It is not known where it depends on the environment
// or on the event.
func (v value) text() (text string, known bool) {
	node := v.resolved()
	if node == nil || node.Kind != yaml.ScalarNode {
		return "", false
	}
	text = variable.ReplaceAllStringFunc(node.Value, func(name string) string {
		match := variable.FindStringSubmatch(name)
		if !strings.Contains(name, ":") {
			return name
		}
		return match[2]
	})
	return text, text != "" && !strings.Contains(text, "${")
}

// interpolated reports whether the value is made anew from each event.
func (v value) interpolated() bool {
	node := v.resolved()
	return node != nil && node.Kind == yaml.ScalarNode && strings.Contains(node.Value, "${!")
}
