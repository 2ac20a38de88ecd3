package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// block is one fenced block of a page.
type block struct {
	page  string // relative to the root of the repository
	line  int    // of its first line of text
	lang  string
	kinds []string
	attrs map[string]string
	text  string
}

func (b block) at() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

func (b block) is(kind string) bool {
	for _, k := range b.kinds {
		if k == kind {
			return true
		}
	}
	return false
}

// pages lists README.md, if there is one, and the pages of docs that people wrote.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"README.md", "CONTRIBUTING.md", "docs/*.md", "docs/guides/*.md", "docs/adr/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, file := range files {
			page, err := filepath.Rel(root, file)
			require.NoError(t, err)
			found = append(found, page)
		}
	}
	require.Contains(t, found, "docs/guide.md")
	return found
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	require.NoError(t, err)
	return string(text)
}

// blocks takes a page's fenced blocks, in order. Blocks in lists are indented; the indent of the fence is taken off.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	var found []block
	var open *block
	indent := ""
	for i, line := range strings.Split(read(t, page), "\n") {
		trimmed := strings.TrimLeft(line, " ")
		switch {
		case open == nil && strings.HasPrefix(trimmed, "```"):
			indent = line[:len(line)-len(trimmed)]
			open = newBlock(page, i+2, strings.TrimPrefix(trimmed, "```"))
		case open != nil && trimmed == "```":
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	require.Nil(t, open, "%s has a block without an end", page)
	return found
}

func newBlock(page string, line int, info string) *block {
	b := &block{page: page, line: line, attrs: map[string]string{}}
	for i, word := range strings.Fields(info) {
		name, value, isAttr := strings.Cut(word, "=")
		switch {
		case i == 0:
			b.lang = word
		case isAttr:
			b.attrs[name] = value
		default:
			b.kinds = append(b.kinds, word)
		}
	}
	return b
}

func TestEveryBlockHolds(t *testing.T) {
	program := build(t)
	for _, page := range pages(t) {
		if slices.Contains(told, page) {
			continue // has a test of its own, which does what it says
		}
		t.Run(page, func(t *testing.T) {
			w := newPageWorkspace(t, program)
			for _, b := range blocks(t, page) {
				check(t, w, program, b)
			}
			require.Empty(t, w.said, "%s: a refused block is not followed by the error it gives", page)
		})
	}
}

// check holds one block to what it says it is. SQL has a test of its own.
func check(t *testing.T, w *pageWorkspace, program string, b block) {
	t.Helper()
	switch b.lang {
	case "yaml":
		w.yaml(t, b)
	case "text", "":
		w.text(t, b)
	case "sh", "console":
		checkShell(t, program, b)
	case "bloblang":
		checkBloblang(t, b)
	case "json":
		checkJSON(t, b)
	case "sql", "mermaid":
	default:
		t.Errorf("%s: nobody knows what to do with a block of kind %q", b.at(), b.lang)
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		for _, target := range links(read(t, page)) {
			file, _, _ := strings.Cut(target, "#")
			if file == "" || strings.Contains(file, "://") || strings.HasPrefix(file, "mailto:") {
				continue
			}
			_, err := os.Stat(filepath.Join(root, filepath.Dir(page), file))
			require.NoError(t, err, "%s links to %s", page, target)
		}
	}
}

func links(text string) []string {
	var found []string
	for _, part := range strings.Split(text, "](")[1:] {
		if target, _, ok := strings.Cut(part, ")"); ok && !strings.ContainsAny(target, " \n`") {
			found = append(found, target)
		}
	}
	return found
}
