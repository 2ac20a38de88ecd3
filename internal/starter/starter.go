// Package starter writes a new team's workspace. It writes into a folder that is new or empty and never over a file, and what it
// began and could not finish it takes back.
package starter

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/keys"
)

// ErrOccupied says that something is where the workspace should go.
var ErrOccupied = errors.New("init writes into a new or empty folder only, so that nothing of yours is lost: name another folder")

// own are the files that only a new workspace has, by where they go.
var own = map[string]string{
	".gitignore":              "files/gitignore",
	"README.md":               "files/README.md",
	"publish.yaml":            "files/publish.yaml",
	".vscode/settings.json":   "files/settings.json",
	".vscode/extensions.json": "files/extensions.json",
}

//go:embed files
var files embed.FS

// kept may be in the folder before: a repository without files, and keys.
var kept = []string{".git", filepath.Dir(filepath.Dir(keys.DefaultPath))}

// Result is what was written.
type Result struct {
	Files    int
	Keys     string
	KeptKeys bool // they were there
}

// Write makes a workspace of the shipped one, schemas by name, and new keys. The error is ErrOccupied where dir is a file or
// holds one.
func Write(dir string, shipped fs.FS, schemas map[string][]byte) (*Result, error) {
	if err := vacant(dir); err != nil {
		return nil, err
	}
	contents, err := gather(shipped, schemas)
	if err != nil {
		return nil, err
	}
	w := &writer{root: dir}
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		if err := w.write(name, contents[name]); err != nil {
			w.takeBack()
			return nil, err
		}
	}
	result := &Result{Files: len(contents), Keys: filepath.Join(dir, keys.DefaultPath)}
	err = keys.Init(result.Keys)
	if errors.Is(err, fs.ErrExist) {
		result.KeptKeys, err = true, nil
	}
	if err != nil {
		w.takeBack()
		return nil, err
	}
	return result, nil
}

// vacant refuses a folder that holds anything a workspace could be mixed up with.
func vacant(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at %s: %w: name a folder you may write to", dir, err)
	case !info.IsDir():
		return fmt.Errorf("%s is a file: %w", dir, ErrOccupied)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking into %s: %w: name a folder you may write to", dir, err)
	}
	var names []string
	for _, entry := range entries {
		if !slices.Contains(kept, entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	if len(names) == 0 {
		return nil
	}
	more := ""
	if len(names) > 3 {
		names, more = names[:3], fmt.Sprintf(" and %d more", len(names)-3)
	}
	return fmt.Errorf("%s holds %s%s: %w", dir, strings.Join(names, ", "), more, ErrOccupied)
}

// gather reads everything before anything is written.
func gather(shipped fs.FS, schemas map[string][]byte) (map[string][]byte, error) {
	contents := map[string][]byte{}
	err := fs.WalkDir(shipped, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		contents[name], err = fs.ReadFile(shipped, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the shipped workspace: %w", err)
	}
	for name, file := range own {
		if contents[name], err = files.ReadFile(file); err != nil {
			return nil, fmt.Errorf("reading the shipped workspace: %w", err)
		}
	}
	for name, schema := range schemas {
		contents[".schemas/"+name+".json"] = schema
	}
	return contents, nil
}

// writer remembers what it made, so that it can take it back.
type writer struct {
	root string
	made []string // in order
}

func (w *writer) write(name string, content []byte) error {
	file := filepath.Join(w.root, filepath.FromSlash(name))
	if err := w.folder(filepath.Dir(file)); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return w.failed(file, err)
	}
	w.made = append(w.made, file)
	_, err = f.Write(content)
	if err = cmp.Or(err, f.Close()); err != nil {
		return w.failed(file, err)
	}
	return nil
}

// folder makes a folder and those above it.
func (w *writer) folder(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := w.folder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return w.failed(dir, err)
	}
	w.made = append(w.made, dir)
	return nil
}

func (w *writer) failed(place string, err error) error {
	var reason *fs.PathError
	if errors.As(err, &reason) {
		err = reason.Err
	}
	return fmt.Errorf("writing %s: %w: name a folder you may write to, on a disk with space", place, err)
}

// takeBack removes what was made. A folder that somebody put something into meanwhile stays.
func (w *writer) takeBack() {
	for _, place := range slices.Backward(w.made) {
		_ = os.Remove(place)
	}
}
