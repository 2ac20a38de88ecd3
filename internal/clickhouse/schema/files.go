package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Migration is one file of DDL that runs once.
type Migration struct {
	Name       string // file name without .sql
	SQL        string // the file
	Statements []string
}

// View is a definition that is applied again whenever it changes.
type View struct {
	Name    string
	Owner   string // the one role that may read it; empty: every role that owns no view
	Comment string
	Columns []ViewColumn // empty: those of the SELECT, without comments
	Refresh string       // of a rollup: when it is computed and how it is stored; empty for an ordinary view
	Select  string
}

// ViewColumn is a column of a view with what analysts should know about it.
type ViewColumn struct{ Name, Type, Comment string }

var (
	migrationName = regexp.MustCompile(`^\d{3}_[a-z0-9_]+\.sql$`)
	objectName    = regexp.MustCompile(`^[a-z][a-z0-9_]*\.sql$`)
)

// LoadFiles reads the NNN_*.sql migrations of a folder, and the views and rollups of its folders of that name, each after
// those it reads. views/ROLE/ holds views for one role alone. Names that do not fit are errors: a file that is silently left out is a table that is missing.
func LoadFiles(fsys fs.FS) ([]Migration, []View, error) {
	migrations, err := loadMigrations(fsys)
	if err != nil {
		return nil, nil, err
	}
	views, err := loadViews(fsys)
	if err != nil {
		return nil, nil, err
	}
	err = eachNamed(fsys, "rollups", func(name, comment, text string) error {
		v, err := rollup(name, comment, text)
		views = append(views, v)
		return err
	})
	return migrations, inOrder(views), err
}

// loadViews reads views/, and views/ROLE/ for those that ROLE alone may read.
func loadViews(fsys fs.FS) ([]View, error) {
	folders, err := fs.Glob(fsys, "views/*")
	if err != nil {
		return nil, err
	}
	var views []View
	for _, folder := range append([]string{"views"}, folders...) {
		owner := strings.TrimPrefix(strings.TrimPrefix(folder, "views"), "/")
		err := eachNamed(fsys, folder, func(name, comment, text string) error {
			views = append(views, View{Name: name, Owner: owner, Comment: comment, Select: text})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return views, nil
}

// LoadRoles reads the folder's roles.
func LoadRoles(fsys fs.FS) ([]Role, error) {
	var roles []Role
	err := eachNamed(fsys, "roles", func(name, _, text string) error {
		roles = append(roles, Role{Name: name, Statements: split(text)})
		return nil
	})
	return roles, err
}

func loadMigrations(fsys fs.FS) ([]Migration, error) {
	var migrations []Migration
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := readNamed(fsys, name, migrationName, "NNN_name.sql")
		if err != nil {
			return nil, err
		}
		migrations = append(migrations, Migration{Name: strings.TrimSuffix(name, ".sql"), SQL: text, Statements: split(text)})
	}
	return migrations, unique(migrations)
}

// eachNamed gives the files of a folder by name, each without its leading comment, its last semicolon and blanks.
func eachNamed(fsys fs.FS, folder string, take func(name, comment, text string) error) error {
	names, err := fs.Glob(fsys, folder+"/*.sql")
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := readNamed(fsys, name, objectName, folder+"/name.sql")
		if err != nil {
			return err
		}
		comment, text := cutComment(text)
		if err := take(strings.TrimSuffix(path.Base(name), ".sql"), comment, text); err != nil {
			return err
		}
	}
	return nil
}

func readNamed(fsys fs.FS, name string, want *regexp.Regexp, form string) (string, error) {
	if !want.MatchString(path.Base(name)) {
		return "", fmt.Errorf("reading the ClickHouse schema: %s: the file name must read %s (lower case, digits, _)", name, form)
	}
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return "", fmt.Errorf("reading the ClickHouse schema: %w", err)
	}
	return string(text), nil
}

func unique(migrations []Migration) error {
	var errs []error
	for i, m := range migrations[:max(0, len(migrations)-1)] {
		if next := migrations[i+1]; m.Name[:3] == next.Name[:3] {
			errs = append(errs, fmt.Errorf("reading the ClickHouse schema: %s.sql and %s.sql share a number: renumber the one that has not run", m.Name, next.Name))
		}
	}
	return errors.Join(errs...)
}

// cutComment takes the leading comment lines off.
func cutComment(text string) (comment, rest string) {
	var lines []string
	for strings.HasPrefix(text, "--") {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		lines = append(lines, strings.TrimSpace(strings.TrimPrefix(line, "--")))
	}
	return strings.Join(lines, " "), strings.TrimRight(strings.TrimSpace(text), ";")
}

// split cuts a file into statements at semicolons that stand outside quotes and comments.
func split(text string) []string {
	var out []string
	start, quote := 0, byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '`' || c == '"':
			quote = c
		case c == '-' && strings.HasPrefix(text[i:], "--"):
			i += lineLength(text[i:]) - 1
		case c == ';':
			out = append(out, text[start:i])
			start = i + 1
		}
	}
	out = append(out, text[start:])
	return slices.DeleteFunc(out, blank)
}

func lineLength(text string) int {
	if n := strings.IndexByte(text, '\n'); n >= 0 {
		return n + 1
	}
	return len(text)
}

// blank is whether nothing but comments is left.
func blank(statement string) bool {
	for _, line := range strings.Split(statement, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			return false
		}
	}
	return true
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}
