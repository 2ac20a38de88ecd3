package writekey

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// extension ends the names of files that hold a hash.
const extension = ".sha256"

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Create makes a key and writes its hash into a file of the folder, named after its source. A file that exists stays: its key
// may be in use.
func Create(dir, name string) (key, file string, err error) {
	if !nameForm.MatchString(name) {
		return "", "", errors.New("name: give the source's name, of letters, digits and ._-")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("making the folder of secrets: %w", err)
	}
	key, file = New(), filepath.Join(dir, name+extension)
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return "", "", fmt.Errorf("%s exists: its key may be in use: give the new key a name of its own, such as %s-2, and list both until the old one is gone", file, name)
	}
	if err != nil {
		return "", "", fmt.Errorf("writing the key's hash: %w", err)
	}
	_, err = fmt.Fprintln(f, HashOf(key))
	return key, file, errors.Join(err, f.Close())
}
