package jsonschema_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/contract/strict"
	"github.com/ebbgate/ebbgate/internal/jsonschema"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/topics"
)

const (
	shipped = "../../pipelines"
	classes = "classes: { product: { retention: 400d, storage: analytics } }\n"
)

func compile(t testing.TB, name string) *validator.Schema {
	t.Helper()
	text, err := jsonschema.Of(name)
	require.NoError(t, err)
	return compileText(t, text)
}

func compileText(t testing.TB, text []byte) *validator.Schema {
	t.Helper()
	doc, err := validator.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := validator.NewCompiler()
	require.NoError(t, c.AddResource("schema.json", doc))
	s, err := c.Compile("schema.json")
	require.NoError(t, err)
	return s
}

// validate holds every document of a file to a schema.
func validate(s *validator.Schema, src []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(src))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(doc.Content) == 0 {
			continue
		}
		if err := s.Validate(value(doc.Content[0])); err != nil {
			return err
		}
	}
}

// value is a YAML value as an editor sees it: names are texts, and times too.
func value(n *yaml.Node) any {
	switch n.Kind {
	case yaml.AliasNode:
		return value(n.Alias)
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = value(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, value(c))
		}
		return list
	}
	var v any
	if n.Tag == "!!timestamp" || n.Decode(&v) != nil {
		return n.Value
	}
	return v
}

// kindOf tells which schema is for a file of a workspace.
func kindOf(name string) string {
	switch {
	case name == "policy.yaml":
		return "policy"
	case name == "topics.yaml":
		return "topics"
	case path.Dir(name) == "contracts" && path.Ext(name) == ".yaml":
		return "contract"
	}
	return ""
}

// parse returns what the parser says of a file.
func parse(name string, src []byte) error {
	switch kindOf(name) {
	case "policy":
		return policy.Lint(src, name)
	case "topics":
		_, err := topics.Parse(src, name)
		return err
	}
	files := fstest.MapFS{"contracts/classes.yaml": {Data: []byte(classes)}}
	files[name] = &fstest.MapFile{Data: src}
	_, err := contract.Load(files, "contracts")
	return err
}

// structural are the problems that one file shows by itself, by a name or a type.
var structural = regexp.MustCompile(`^(unknown name|is missing|is not true or false|is not a whole number in range|.* is not possible here` +
	`|.* is not a valid name|.* is no (retention|operation|principal|version|semantic version)|has no operation|a field has one operation` +
	`|is (empty|a single value|a list|a mapping), not (a mapping|a list|text)|.* takes true and nothing else|event_id is not kept` +
	`|is no valid (source|destination|topic|class|property) name|only type: .*|needs a role or a destination, not both|has no retention)$`)

// mistakes are the structural problems that a parser reports.
func mistakes(err error) (found []string) {
	var join interface{ Unwrap() []error }
	var problem *strict.Problem
	switch {
	case errors.As(err, &join):
		for _, inner := range join.Unwrap() {
			found = append(found, mistakes(inner)...)
		}
	case errors.As(err, &problem) && structural.MatchString(problem.What):
		found = append(found, problem.Error())
	}
	return found
}

// workspaceFiles visits every policy, topics and contract file of the shipped workspace and of the corpus of package workspace.
func workspaceFiles(t testing.TB, visit func(name, place string, src []byte)) {
	t.Helper()
	count := 0
	for _, root := range []string{shipped, "../workspace/testdata"} {
		files := os.DirFS(root)
		require.NoError(t, walk(files, func(place string, src []byte) {
			name := path.Base(place)
			if strings.HasSuffix(path.Dir(place), "contracts") {
				name = "contracts/" + name
			}
			if kindOf(name) != "" && !strings.HasPrefix(path.Base(place), ".") {
				count++
				visit(name, path.Join(root, place), src)
			}
		}))
	}
	require.Greater(t, count, 60)
}
