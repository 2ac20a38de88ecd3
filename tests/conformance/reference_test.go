package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/plugins/all"
)

// generated heads every page, so that nobody edits one.
const generated = "<!-- Made from the component's own description: go test ./tests/conformance -update -->\n\n"

// referencePage is a component's page: what it does, its fields, real uses.
func referencePage(kind string, data service.TemplateDataPlugin) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s# %s `%s`\n\n%s\n\n", generated, kind, data.Name, strings.TrimSpace(data.Summary))
	fmt.Fprintf(&b, "Since %s, %s.\n\n", data.Version, data.Status)
	b.WriteString(strings.TrimSpace(data.Description) + "\n\n## Examples\n")
	for _, example := range data.Examples {
		fmt.Fprintf(&b, "\n### %s\n\n", example.Title)
		if example.Summary != "" {
			b.WriteString(example.Summary + "\n\n")
		}
		fmt.Fprintf(&b, "```yaml\n%s\n```\n", strings.TrimSpace(example.Config))
	}
	b.WriteString("\n## Fields\n")
	for _, field := range data.Fields {
		fieldEntry(&b, field)
	}
	return b.String()
}

func fieldEntry(b *strings.Builder, field service.TemplateDataPluginField) {
	traits := []string{cmp.Or(field.Type, "any")}
	switch field.DefaultMarshalled {
	case "":
		traits = append(traits, "no default")
	default:
		traits = append(traits, "default `"+field.DefaultMarshalled+"`")
	}
	if field.IsInterpolated {
		traits = append(traits, "may use `${! }` interpolation")
	}
	if field.IsSecret {
		traits = append(traits, "a secret: give it as `${VARIABLE}`")
	}
	fmt.Fprintf(b, "\n### `%s`\n\n%s.\n\n%s\n", field.FullName, strings.Join(traits, ", "), strings.TrimSpace(field.Description))
	for i, option := range field.AnnotatedOptions {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "- `%s`: %s\n", option[0], option[1])
	}
	if len(field.AnnotatedOptions) == 0 && len(field.Options) > 0 {
		fmt.Fprintf(b, "\nOne of `%s`.\n", strings.Join(field.Options, "`, `"))
	}
	if len(field.ExamplesMarshalled) > 0 {
		fmt.Fprintf(b, "\n```yaml\n%s\n```\n", strings.TrimSpace(strings.Join(field.ExamplesMarshalled, "# or\n")))
	}
}

// referenceIndex lists the pages.
func referenceIndex(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(generated + "# Components\n\n| component | what it does |\n|---|---|\n")
	for _, c := range components(t) {
		data, err := c.view.TemplateData()
		require.NoError(t, err)
		fmt.Fprintf(&b, "| [%s `%s`](%s-%s.md) | %s |\n", c.kind, c.name, c.kind, c.name, strings.TrimSpace(data.Summary))
	}
	b.WriteString("| [Bloblang](bloblang.md) | The policy's transforms as methods, for mappings by hand. |\n")
	return b.String()
}

// bloblangPage describes our methods and functions.
func bloblangPage(t *testing.T) string {
	t.Helper()
	env := bloblang.NewEmptyEnvironment()
	require.NoError(t, all.Register(service.NewEmptyEnvironment(), env))
	var entries []string
	env.WalkMethods(func(name string, view *bloblang.MethodView) {
		data := view.TemplateData()
		entries = append(entries, bloblangEntry("."+name, data.Description, data.Params, data.Examples))
	})
	env.WalkFunctions(func(name string, view *bloblang.FunctionView) {
		data := view.TemplateData()
		entries = append(entries, bloblangEntry(name, data.Description, data.Params, data.Examples))
	})
	slices.Sort(entries)
	return generated + "# Bloblang methods and functions\n\nThe transforms of a policy, for mappings by hand. A value they cannot read is an error, never the value itself.\n" +
		strings.Join(entries, "")
}

func bloblangEntry(name, description string, params bloblang.TemplateParamsData, examples []bloblang.TemplateExampleData) string {
	var b strings.Builder
	var names []string
	for _, p := range params.Definitions {
		names = append(names, p.Name)
	}
	fmt.Fprintf(&b, "\n## `%s(%s)`\n\n%s\n", name, strings.Join(names, ", "), strings.TrimSpace(description))
	for i, p := range params.Definitions {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "- `%s`", p.Name)
		if p.DefaultMarshalled != "" {
			fmt.Fprintf(&b, ", default `%s`", p.DefaultMarshalled)
		}
		fmt.Fprintf(&b, ": %s\n", strings.TrimSpace(p.Description))
	}
	for _, example := range examples {
		if example.Summary != "" {
			fmt.Fprintf(&b, "\n%s\n", example.Summary)
		}
		fmt.Fprintf(&b, "\n```bloblang\n%s\n", example.Mapping)
		for _, result := range example.Results {
			fmt.Fprintf(&b, "\n# In:  %s\n# Out: %s\n", result[0], result[1])
		}
		b.WriteString("```\n")
	}
	return b.String()
}
