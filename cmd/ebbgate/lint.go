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
		Description: `With a workspace (a folder with a policy.yaml, or one with such a folder "pipelines" in it; the current one unless named)
everything in it is checked together: contracts, policy, topics, streams, tables and service.yaml, and the streams as the engine
would at start, with the mappings they import. Nothing is contacted. Each finding is a line "file:line: severity: field: what:
remedy [rule]".

Exit codes: 0 no errors; 1 errors, or with --strict warnings; 2 nothing was checked, for there is no workspace.

With files the engine's own lint runs, with its flags (--deprecated, --labels, --skip-env-var-check, --verbose, -r, -t, -e).

Examples:
  ebbgate lint                                  check ./pipelines, or this folder from within a workspace
  ebbgate lint shop                             check shop/pipelines
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

// folderName is what the folder of a workspace is called where nobody names it.
var folderName = filepath.Base(defaultWorkspace)

// exitNoWorkspace is the exit code of a lint that found nothing to check.
const exitNoWorkspace = 2

// lintsWorkspace tells whether a command line is for our lint: it names a folder, or nothing but flags. The folder is put last,
// where people may leave it out, because what follows it is not read as flags.
func lintsWorkspace(args []string) ([]string, bool) {
	if subcommand(args) != "lint" {
		return args, false
	}
	first := slices.Index(args, "lint") + 1
	rest := slices.Clone(args[first:])
	if i := slices.IndexFunc(rest, isOurs); i >= 0 {
		dir := rest[i]
		return slices.Concat(args[:first], slices.Delete(rest, i, i+1), []string{dir}), true
	}
	named := slices.ContainsFunc(rest, func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	return args, !named
}

// isOurs is true of folders. The engine's mark for everything below one asks for its own lint, save at a workspace.
func isOurs(arg string) bool {
	dir, marked := strings.CutSuffix(arg, "/...")
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && (!marked || isWorkspace(dir) || isWorkspace(filepath.Join(dir, folderName)))
}

func isWorkspace(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, workspace.PolicyFile))
	return err == nil
}

func lintWorkspace(c *cli.Context, env *service.Environment) error {
	dir, err := lintTarget(c)
	if err != nil {
		return cli.Exit(err, exitNoWorkspace)
	}
	env = importingBeside(env, dir)
	findings := workspace.Lint(os.DirFS(dir))
	more, err := lintEngineFiles(os.DirFS(dir), schema(env).NewStreamConfigLinter().SetSkipEnvVarCheck(c.Bool("skip-env-var-check")))
	if err != nil {
		return cli.Exit(err, exitNoWorkspace)
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

// lintTarget finds the workspace that is meant: the folder that is named, or the one called pipelines in it.
func lintTarget(c *cli.Context) (string, error) {
	named := cmp.Or(strings.TrimSuffix(c.Args().First(), "/..."), ".")
	inside := filepath.Join(named, folderName)
	switch {
	case c.Args().Len() > 1:
		return "", fmt.Errorf("linting %s: a workspace is checked as a whole, name nothing beside it", named)
	case isWorkspace(inside):
		return inside, nil
	case isWorkspace(named):
		return filepath.Clean(named), nil
	case isWorkspace(filepath.Join(named, "..")):
		return "", fmt.Errorf("linting %s: it is a part of a workspace: name the whole, %s, or files, %s",
			named, filepath.Join(named, ".."), filepath.Join(named, "*.yaml"))
	}
	return "", fmt.Errorf("linting %s: it is no workspace, it has no %s: name the folder of one, or files, or make one with `ebbgate init`",
		named, workspace.PolicyFile)
}

// besideWorkspace is the file system as pipelines find it: relative paths begin in the folder that holds the workspace.
type besideWorkspace struct {
	*service.FS
	root string
}

func (b besideWorkspace) OpenFile(name string, flag int, perm fs.FileMode) (fs.File, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(b.root, name)
	}
	return b.FS.OpenFile(name, flag, perm)
}

// importingBeside lets mappings import, from wherever lint runs, what they will where pipelines run.
func importingBeside(env *service.Environment, dir string) *service.Environment {
	env = env.Clone()
	env.UseFS(service.NewFS(besideWorkspace{service.NewFS(os.DirFS(dir)), filepath.Join(dir, "..")}))
	return env
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
