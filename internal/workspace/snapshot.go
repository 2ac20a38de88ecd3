package workspace

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"maps"
	"path"
	"slices"
	"testing/fstest" // a file system in memory; it brings nothing of package testing along

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

// snapshot reads the files of a workspace into memory: policy, contracts and topics. All that is found out about a
// workspace is then found out about the same bytes, whatever happens to the folder meanwhile. Files that are missing are
// missing in it too.
func snapshot(fsys fs.FS) (fstest.MapFS, error) {
	files := fstest.MapFS{}
	for _, name := range []string{PolicyFile, TopicsFile} {
		if src, err := fs.ReadFile(fsys, name); err == nil {
			files[name] = &fstest.MapFile{Data: src}
		}
	}
	entries, err := fs.ReadDir(fsys, ContractsFolder)
	if err != nil {
		return files, nil // a missing folder is for its reader to report
	}
	files[ContractsFolder] = &fstest.MapFile{Mode: fs.ModeDir}
	for _, entry := range entries {
		name := path.Join(ContractsFolder, entry.Name())
		files[name] = &fstest.MapFile{Mode: entry.Type() & fs.ModeDir}
		if entry.IsDir() || !decides(name) {
			continue
		}
		if files[name].Data, err = fs.ReadFile(fsys, name); err != nil {
			return nil, &strict.Problem{File: name, What: "file cannot be read", Remedy: "make it readable, or remove it"}
		}
	}
	return files, nil
}

// decides tells the files that decide about events: the policy and the contracts.
func decides(name string) bool {
	return name == PolicyFile || path.Dir(name) == ContractsFolder && path.Ext(name) == ".yaml"
}

// hash covers names and contents of what decides, so that moving a rule between files shows.
func hash(files fstest.MapFS) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !decides(name) || files[name].Mode.IsDir() {
			continue
		}
		src := files[name].Data
		var lengths []byte
		lengths = binary.BigEndian.AppendUint64(lengths, uint64(len(name)))
		lengths = binary.BigEndian.AppendUint64(lengths, uint64(len(src)))
		sum.Write(lengths)
		sum.Write([]byte(name))
		sum.Write(src)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
