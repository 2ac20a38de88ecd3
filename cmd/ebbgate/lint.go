package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/workspace"
)

// lintCommand takes the place of the engine's command of this name where a workspace is linted: see lintsWorkspace.
func lintCommand(env *service.Environment) *cli.Command {
	return &cli.Command{
		Name:      "lint",
		Usage:     "Check a workspace, or files for the engine, and report every mistake",
		ArgsUsage: "[WORKSPACE]",
		Description: `With a workspace (a folder with a policy.yaml; ./pipelines unless named) everything in it is checked together: contracts,
policy, topics, streams, tables and service.yaml, and the streams as the engine would at start. Nothing is contacted. Each
finding is a line "file:line: severity: field: what: remedy [rule]". The exit code is 1 when there are errors, and with --strict
also when there are warnings.

With files the engine's own lint runs, with its flags (--deprecated, --labels, --skip-env-var-check, --verbose, -r, -t, -e).

Examples:
  ebbgate lint                                  check ./pipelines
  ebbgate lint ./pipelines --strict --output json
  ebbgate lint ./pipelines/streams/*.yaml       the engine's lint of files alone`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "strict", Usage: "fail for warnings too"},
			&cli.BoolFlag{Name: "skip-env-var-check", Usage: "say nothing of variables that are not set and have no default"},
			formatFlag("text", "json"),
		},
		Action: func(c *cli.Context) error { return lintWorkspace(c, env) },
	}
}

// lintsWorkspace tells whether a command line is for our lint: it names a folder with a policy, or nothing but flags. The folder is
// put last, where people may leave it out, because what follows it is not read as flags.
func lintsWorkspace(args []string) ([]string, bool) {
	if subcommand(args) != "lint" {
		return args, false
	}
	first := slices.Index(args, "lint") + 1
	rest := slices.Clone(args[first:])
	if i := slices.IndexFunc(rest, isWorkspace); i >= 0 {
		dir := rest[i]
		return slices.Concat(args[:first], slices.Delete(rest, i, i+1), []string{dir}), true
	}
	named := slices.ContainsFunc(rest, func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	return args, !named
}

// isWorkspace also knows the folder with the engine's mark for everything below it.
func isWorkspace(arg string) bool {
	_, err := os.Stat(filepath.Join(strings.TrimSuffix(arg, "/..."), workspace.PolicyFile))
	return err == nil
}

func lintWorkspace(c *cli.Context, env *service.Environment) error {
	dir, err := lintTarget(c)
	if err != nil {
		return cli.Exit(err, 1)
	}
	findings := workspace.Lint(os.DirFS(dir))
	more, err := lintEngineFiles(os.DirFS(dir), schema(env).NewStreamConfigLinter().SetSkipEnvVarCheck(c.Bool("skip-env-var-check")))
	if err != nil {
		return cli.Exit(err, 1)
	}
	findings = workspace.SortFindings(append(findings, more...))
	for i := range findings {
		findings[i].File = filepath.Join(dir, findings[i].File)
	}
	counts := map[workspace.Severity]int{}
	for _, f := range findings {
		counts[f.Severity]++
	}
	if err := showFindings(c.App.Writer, findings, counts, c.String("output")); err != nil {
		return err
	}
	if counts[workspace.Error] > 0 || (c.Bool("strict") && counts[workspace.Warning] > 0) {
		return cli.Exit("", 1)
	}
	return nil
}

func lintTarget(c *cli.Context) (string, error) {
	dir := strings.TrimSuffix(cmp.Or(c.Args().First(), defaultWorkspace), "/...")
	if c.Args().Len() > 1 {
		return "", fmt.Errorf("linting %s: a workspace is checked as a whole, name nothing beside it", dir)
	}
	if !isWorkspace(dir) {
		return "", fmt.Errorf("linting %s: it has no %s: name the folder of a workspace, or files", dir, workspace.PolicyFile)
	}
	return dir, nil
}

// lintEngineFiles is what the engine says of the workspace's files for it.
func lintEngineFiles(fsys fs.FS, linter *service.StreamConfigLinter) ([]workspace.Finding, error) {
	files, err := workspace.EngineFiles(fsys, true)
	if err != nil {
		return nil, err
	}
	var findings []workspace.Finding
	for _, file := range files {
		src, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		lints, err := linter.LintYAML(src)
		if err != nil {
			lints = append(lints, service.Lint{Type: service.LintFailedRead, What: err.Error()})
		}
		for _, l := range lints {
			findings = append(findings, engineFinding(file, l))
		}
	}
	return findings, nil
}

func engineFinding(file string, l service.Lint) workspace.Finding {
	what, remedy, _ := strings.Cut(l.What, "; instead: ")
	rule := "engine"
	if remedy != "" {
		rule = "component.refused"
	}
	return workspace.Finding{File: file, Line: l.Line, Severity: workspace.Error, Rule: rule, What: what, Remedy: remedy}
}

func showFindings(w io.Writer, findings []workspace.Finding, counts map[workspace.Severity]int, output string) error {
	if output == "json" {
		if findings == nil {
			findings = []workspace.Finding{}
		}
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(findings)
	}
	for _, f := range findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d errors, %d warnings\n", counts[workspace.Error], counts[workspace.Warning])
	return err
}
