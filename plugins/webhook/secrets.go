package webhook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ebbgate/ebbgate/internal/signature"
)

// MakeSecrets writes a new secret into each of the endpoint's files that is not there, and returns which those were. They sign
// and verify, so that a door can be tried before a provider delivers.
func (d *Described) MakeSecrets() (made []string, err error) {
	for _, file := range d.SecretFiles {
		secret, err := signature.NewSecret(d.Provider)
		if err != nil {
			return made, err
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return made, fmt.Errorf("making a secret: %w", err)
		}
		switch err := writeNew(file, secret); {
		case errors.Is(err, fs.ErrExist):
		case err != nil:
			return made, fmt.Errorf("making a secret: %w", err)
		default:
			made = append(made, file)
		}
	}
	return made, nil
}

func writeNew(file, secret string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(secret + "\n")
	return errors.Join(err, f.Close())
}
