package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// build makes the binary that commands are checked against.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "ebbgate")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, root+"/cmd/ebbgate").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

var (
	commandForm = regexp.MustCompile(`(?:^|[\s("'|;&])(?:\./)?(?:bin/)?ebbgate((?: +[^\s|;&<>()"']+|"[^"]*"|'[^']*')*)`)
	comment     = regexp.MustCompile(`(^|\s)#.*$`)
	target      = regexp.MustCompile(`\bmake ([a-z-]+)`)
)

// others are programs of the reader's that the pages may call.
var others = map[string]bool{
	"curl": true, "rpk": true, "docker": true, "export": true, "eval": true, "cp": true, "mv": true, "cat": true, "git": true, "cd": true,
	"chmod": true, "kill": true, "make": true, "printf": true, "go": true, "echo": true,
}

// checkShell holds commands of ours to the help the binary prints, and targets of make to the Makefile.
func checkShell(t *testing.T, program string, b block) {
	t.Helper()
	makefile := read(t, "Makefile")
	for _, line := range strings.Split(strings.ReplaceAll(b.text, "\\\n", " "), "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(comment.ReplaceAllString(line, ""), "$ "))
		if line == "" {
			continue
		}
		for _, name := range target.FindAllStringSubmatch(line, -1) {
			assert.Contains(t, makefile, "\n"+name[1]+":", "%s: make has no target %s", b.at(), name[1])
		}
		found := commandForm.FindAllStringSubmatch(line, -1)
		for _, match := range found {
			checkCommand(t, program, b, strings.Fields(match[1]))
		}
		first, _, _ := strings.Cut(line, " ")
		assert.True(t, len(found) > 0 || others[first] || strings.Contains(first, "="), "%s: nobody knows the command %q", b.at(), first)
	}
}

func checkCommand(t *testing.T, program string, b block, words []string) {
	t.Helper()
	var path, flags []string
	for _, word := range words {
		switch {
		case strings.HasPrefix(word, "-"):
			name, _, _ := strings.Cut(word, "=")
			flags = append(flags, name)
		case len(flags) == 0 && len(path) < 2:
			path = append(path, word)
		}
	}
	if len(path) == 0 {
		return
	}
	text, known := help(t, program, path)
	require.Positive(t, known, "%s: the binary has no command %v", b.at(), path)
	if known < len(path) && strings.Contains(text, "COMMANDS:") {
		t.Errorf("%s: %v has no command %s", b.at(), path[:known], path[known])
	}
	for _, flag := range flags {
		assert.Regexp(t, `(^|[\s,])`+regexp.QuoteMeta(flag)+`([\s,]|$)`, text, "%s: %v has no such flag", b.at(), path)
	}
}

var helps sync.Map

// help asks the binary for the longest command that the words name, and tells how many of them that are.
func help(t *testing.T, program string, path []string) (text string, known int) {
	t.Helper()
	for known = len(path); known > 0; known-- {
		name := strings.Join(path[:known], " ")
		if text, ok := helps.Load(name); ok {
			return text.(string), known
		}
		out, _ := exec.CommandContext(t.Context(), program, append(append([]string{}, path[:known]...), "--help")...).CombinedOutput()
		if strings.Contains(string(out), "ebbgate "+name+" -") {
			helps.Store(name, string(out))
			return string(out), known
		}
	}
	return "", 0
}

// checkBloblang parses a mapping and, where it shows inputs and outputs, runs it.
func checkBloblang(t *testing.T, b block) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	mapping, err := bloblang.GlobalEnvironment().Parse(b.text)
	require.NoError(t, err, b.at())
	in := ""
	for _, line := range strings.Split(b.text, "\n") {
		if text, ok := strings.CutPrefix(line, "# In:"); ok {
			in = text
		}
		text, ok := strings.CutPrefix(line, "# Out:")
		if !ok {
			continue
		}
		var value any
		require.NoError(t, json.Unmarshal([]byte(in), &value), b.at())
		out, err := mapping.Query(value)
		require.NoError(t, err, b.at())
		got, err := json.Marshal(out)
		require.NoError(t, err)
		assert.JSONEq(t, text, string(got), b.at())
	}
}

// checkJSON takes one document, or one a line.
func checkJSON(t *testing.T, b block) {
	t.Helper()
	if json.Valid([]byte(b.text)) {
		return
	}
	for _, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
		assert.True(t, json.Valid([]byte(line)), "%s is no JSON", b.at())
	}
}

// goFiles reads the source of the product, without tests.
func goFiles(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, folder := range []string{"internal", "plugins"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		require.NoError(t, err)
	}
	return all.String()
}
