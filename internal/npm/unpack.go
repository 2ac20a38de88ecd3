package npm

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	integrityPrefix = "sha512-"
	// maxUnpacked bounds what one tarball may grow to on disk.
	maxUnpacked = 4 << 30
)

// parseIntegrity reads npm's "sha512-<base64>" into the digest.
func parseIntegrity(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, integrityPrefix)
	if !ok {
		return nil, errors.New("the integrity is not of the form sha512-<base64>")
	}
	sum, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(sum) != sha512.Size {
		return nil, errors.New("the integrity does not hold a sha512 digest in base64")
	}
	return sum, nil
}

// verify compares the tarball's digest with the pinned one.
func (f Fetcher) verify(tarball, integrity string) error {
	want, err := parseIntegrity(integrity)
	if err != nil {
		return err
	}
	file, err := os.Open(tarball)
	if err != nil {
		return fmt.Errorf("opening the tarball: %w", err)
	}
	defer file.Close()
	digest := sha512.New()
	if _, err := io.Copy(digest, f.counted("verify", file)); err != nil {
		return fmt.Errorf("reading the tarball: %w", err)
	}
	if subtle.ConstantTimeCompare(want, digest.Sum(nil)) != 1 {
		return ErrIntegrity
	}
	return nil
}

// unpack writes the regular files of the tarball below dir, without the leading folder. Links, devices and paths
// that would leave dir are errors.
func (f Fetcher) unpack(ctx context.Context, tarball, dir string) error {
	file, err := os.Open(tarball)
	if err != nil {
		return fmt.Errorf("opening the tarball: %w", err)
	}
	defer file.Close()
	packed, err := gzip.NewReader(f.counted("unpack", file))
	if err != nil {
		return fmt.Errorf("reading gzip: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	defer root.Close()
	return unpackAll(ctx, tar.NewReader(packed), root)
}

func unpackAll(ctx context.Context, archive *tar.Reader, root *os.Root) error {
	left := int64(maxUnpacked)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading tar: %w", err)
		}
		if left -= head.Size; left < 0 {
			return fmt.Errorf("the package unpacks to more than %d bytes", int64(maxUnpacked))
		}
		if err := unpackOne(archive, head, root); err != nil {
			return err
		}
	}
}

// unpackOne writes one entry. npm's tarballs hold everything in one leading folder, mostly "package".
func unpackOne(archive *tar.Reader, head *tar.Header, root *os.Root) error {
	_, name, inside := strings.Cut(filepath.ToSlash(head.Name), "/")
	if head.Typeflag == tar.TypeDir || head.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	if head.Typeflag != tar.TypeReg || !inside || !fs.ValidPath(name) || name == markFile {
		return fmt.Errorf("entry %q is not a plain file inside the package", head.Name)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644|head.FileInfo().Mode().Perm()&0o111)
	if err != nil {
		return fmt.Errorf("making a file: %w", err)
	}
	if _, err := io.Copy(out, archive); err != nil {
		out.Close()
		return fmt.Errorf("writing a file: %w", err)
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("closing a file: %w", err)
	}
	return nil
}

// counted reports the bytes read from a tarball under a stage's name.
func (f Fetcher) counted(stage string, file *os.File) io.Reader {
	total := int64(0)
	if info, err := file.Stat(); err == nil {
		total = info.Size()
	}
	return &counter{from: file, tell: func(done int64) { f.report(stage, done, total) }}
}

type counter struct {
	from io.Reader
	done int64
	tell func(int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.done += int64(n)
	c.tell(c.done)
	return n, err
}
