package keys

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Init writes a new master file with one master and mode 0600, and makes its folder (mode 0700) if need be. It refuses
// to touch a file that exists. The file and its name are on disk when Init returns.
func Init(path string) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("making the folder of the master key file: %w: move away the file in its place, or make the folder", err)
	}
	err := writeNew(path, newLine())
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("writing the master key file: %s exists and is kept: what was sealed and encrypted needs it; use `ebbgate keys rotate --path %s` for a new current key: %w", path, path, os.ErrExist)
	}
	if err != nil {
		return err
	}
	return syncFolder(folder)
}

// Rotate puts a new current master on top of the file and returns its key id. Earlier masters stay, so what they sealed
// and encrypted is still accepted. The change is atomic: a reader, or a crash, sees the old file or the new one. Running
// processes go on with the masters they loaded: restart those that verify before those that seal.
func Rotate(path string) (keyID string, err error) {
	target, err := filepath.EvalSymlinks(path) // renaming over a link would leave its target behind
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("rotating keys: %w: %s does not exist; run `ebbgate keys init --path %s`", ErrAbsent, path, path)
	}
	if err != nil {
		return "", fmt.Errorf("rotating keys: finding the master key file: %w", err)
	}
	// The temporary name is fixed and made exclusively, so that it also keeps a second rotation out.
	temp := target + ".rotating"
	line := newLine()
	if err := writeNew(temp, line); err != nil {
		if errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("rotating keys: another rotation is under way; if none is, remove %s and try again: %w", temp, os.ErrExist)
		}
		return "", fmt.Errorf("rotating keys: %w", err)
	}
	if err := prepend(target, temp, line); err != nil {
		_ = os.Remove(temp)
		return "", fmt.Errorf("rotating keys: %w", err)
	}
	m, _ := parseLine(string(line[:len(line)-1]))
	return m.id, syncFolder(filepath.Dir(target))
}

// prepend completes temp, which holds the new line, with the lines of target and takes target's place.
func prepend(target, temp string, line []byte) error {
	old, err := read(target)
	if err != nil {
		return err
	}
	defer clear(old)
	if _, err := parse(old); err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	whole := append(line, old...)
	if _, err := parse(whole); err != nil {
		return fmt.Errorf("adding a line to %s: %w", target, err)
	}
	if err := writeThrough(temp, os.O_WRONLY|os.O_TRUNC, whole); err != nil {
		return err
	}
	if err := os.Rename(temp, target); err != nil {
		return fmt.Errorf("replacing the master key file: %w", err)
	}
	return nil
}

// newLine draws a master: 256 bits of secret and a 40-bit id, which need only differ within one file.
func newLine() []byte {
	var id [5]byte
	var secret [Size]byte
	_, _ = rand.Read(id[:]) // crypto/rand never fails: it stops the process instead
	_, _ = rand.Read(secret[:])
	line := append([]byte(linePrefix), ':')
	line = lowerBase32.AppendEncode(line, id[:])
	line = append(line, ':')
	line = base64.StdEncoding.AppendEncode(line, secret[:])
	return append(line, '\n')
}

// writeNew makes a file that must not exist; a file that could not be completed is removed again.
func writeNew(path string, data []byte) error {
	err := writeThrough(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, data)
	if err != nil && !errors.Is(err, os.ErrExist) {
		_ = os.Remove(path)
	}
	return err
}

func writeThrough(path string, flags int, data []byte) (err error) {
	file, err := os.OpenFile(path, flags, fileMode)
	if err != nil {
		return fmt.Errorf("opening %s for writing: %w", path, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(data); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", path, err)
	}
	return nil
}

// syncFolder makes a new name in the folder survive a power cut.
func syncFolder(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("opening %s: %w", folder, err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", folder, err)
	}
	return nil
}
