package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/jsonschema"
	"github.com/ebbgate/ebbgate/plugins/all"
)

// pipelineSchema is what the engine reads; the other schemas are of files that are ours alone.
const pipelineSchema = "pipeline"

func schemaNames() []string {
	names := append(jsonschema.Names(), pipelineSchema)
	slices.Sort(names)
	return names
}

func schemaCommand() *cli.Command {
	return &cli.Command{
		Name:      "schema",
		Usage:     "Print the JSON Schema of a kind of file, for editors and other programs",
		ArgsUsage: strings.Join(schemaNames(), "|"),
		Description: `Prints a JSON Schema (draft 2020-12):

  policy     pipelines/policy.yaml
  contract   pipelines/contracts/*.yaml, classes.yaml among them
  topics     pipelines/topics.yaml
  pipeline   pipelines/streams/*.yaml with their tests, and service.yaml: only components that a pipeline may have

A schema knows words and types. What shows only when files are held against each other is for "ebbgate lint". "ebbgate init"
writes all of them into .schemas/, and settings for editors.

Examples:
  ebbgate schema policy > .schemas/policy.json
  ebbgate schema pipeline | jq '."$defs".output.properties | keys'`,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return cli.Exit("name one schema: "+strings.Join(schemaNames(), ", "), 1)
			}
			text, err := schemaText(c.Args().First())
			if err != nil {
				return cli.Exit(err, 1)
			}
			_, err = c.App.Writer.Write(text)
			return err
		},
	}
}

func schemaText(name string) ([]byte, error) {
	switch {
	case name == pipelineSchema:
		return pipelineSchemaText()
	case !slices.Contains(schemaNames(), name):
		return nil, fmt.Errorf("no schema is called %q: use one of %s", name, strings.Join(schemaNames(), ", "))
	}
	return jsonschema.Of(name)
}

// pipelineSchemaText leaves out what is refused: its name must not be completed.
func pipelineSchemaText() ([]byte, error) {
	env, err := all.Allowed()
	if err != nil {
		return nil, err
	}
	config := schema(env)
	exported, err := config.MarshalJSONSchema()
	if err != nil {
		return nil, fmt.Errorf("asking the engine for its schema: %w", err)
	}
	docs, err := config.MarshalJSONV0()
	if err != nil {
		return nil, fmt.Errorf("asking the engine for its documentation: %w", err)
	}
	return jsonschema.Pipeline(exported, docs)
}
