package workspace_test

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/workspace"
)

// watched is a folder in force, and who looks at it.
type watched struct {
	files   fstest.MapFS
	current *workspace.Workspace
	watch   *workspace.Watch
}

func watch(t *testing.T, change ...func(fstest.MapFS)) *watched {
	t.Helper()
	files := overlay(t, base, base)
	for _, c := range change {
		c(files)
	}
	current, err := workspace.LoadFS(files)
	require.NoError(t, err)
	return &watched{files, current, &workspace.Watch{FS: files}}
}

func (w *watched) write(name, text string) { w.files[name] = &fstest.MapFile{Data: []byte(text)} }

func (w *watched) text(name string) string { return string(w.files[name].Data) }

// twice looks until it has seen the same files two times.
func (w *watched) twice(t *testing.T) (*workspace.Workspace, error) {
	t.Helper()
	_, err := w.watch.Look(w.current)
	require.ErrorIs(t, err, workspace.ErrUnsettled)
	return w.watch.Look(w.current)
}

// raised is the text of the policy under another version.
func (w *watched) raised() string {
	return strings.Replace(w.text("policy.yaml"), w.current.Policy.Version, "next", 1)
}

func TestNewFilesAreTakenWhenTheyAreSeenTwice(t *testing.T) {
	w := watch(t)
	next, err := w.watch.Look(w.current)
	require.NoError(t, err)
	require.Nil(t, next, "nothing has changed")

	w.write("policy.yaml", w.raised()+"# one\n")
	_, err = w.watch.Look(w.current)
	require.ErrorIs(t, err, workspace.ErrUnsettled)
	w.write("policy.yaml", w.raised()+"# two\n")
	next, err = w.twice(t)
	require.NoError(t, err)
	require.Equal(t, "next", next.Policy.Version)
	require.Contains(t, next.Publish().Policy, "# two")
	require.NotEqual(t, w.current.Hash(), next.Hash())
	require.NotSame(t, w.current.Dict, next.Dict)
}

// What is refused is refused at every look, until the files are mended or are those in force again.
func TestWhatIsRefusedKeepsWhatIsInForce(t *testing.T) {
	const contract = "contracts/signed_up.yaml"
	cases := map[string]struct {
		change func(*watched)
		says   string
	}{
		"the same version":                   {func(w *watched) { w.write("policy.yaml", w.text("policy.yaml")+"# remark\n") }, "policy.yaml:1: version: "},
		"the same version, another contract": {func(w *watched) { w.write(contract, w.text(contract)+"# remark\n") }, "give it a new version"},
		"no YAML":                            {func(w *watched) { w.write("policy.yaml", w.raised()+"\t- [") }, "policy.yaml:"},
		"half a file":                        {func(w *watched) { w.write("policy.yaml", w.raised()[:len(w.raised())/2]) }, "policy.yaml"},
		"empty":                              {func(w *watched) { w.write("policy.yaml", "") }, "policy.yaml"},
		"gone":                               {func(w *watched) { delete(w.files, "policy.yaml") }, "policy.yaml: file cannot be read"},
		"a destination that no topic is for": {func(w *watched) {
			w.write("policy.yaml", w.raised()+"\n  partner:\n    purpose: analytics\n    fields: { event_id: keep }\n")
		}, "destinations.partner: has no topic"},
		"a field that no contract has": {func(w *watched) {
			w.write("policy.yaml", strings.Replace(w.raised(), "fields:\n", "fields:\n      properties.nobody: keep\n", 1))
		}, "properties.nobody"},
		"no contracts": {func(w *watched) {
			for name := range w.files {
				if strings.HasPrefix(name, "contracts") {
					delete(w.files, name)
				}
			}
		}, "contracts: folder cannot be read"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := watch(t)
			before := map[string]string{}
			for file := range w.files {
				before[file] = w.text(file)
			}
			tc.change(w)
			_, err := w.twice(t)
			require.ErrorContains(t, err, tc.says)
			_, again := w.watch.Look(w.current)
			require.EqualError(t, again, err.Error())
			for file, text := range before {
				w.write(file, text)
			}
			next, err := w.watch.Look(w.current)
			require.NoError(t, err)
			require.Nil(t, next)
		})
	}
}

// Topics are those the streams were built with. Where a policy needs others, it says so.
func TestTopicsAreReadAtTheStartOnly(t *testing.T) {
	w := watch(t)
	w.write("topics.yaml", strings.Replace(w.text("topics.yaml"), "retention: 7d", "retention: 1d", 1))
	next, err := w.watch.Look(w.current)
	require.NoError(t, err)
	require.Nil(t, next)
	w.write("policy.yaml", w.raised())
	next, err = w.twice(t)
	require.NoError(t, err)
	require.Equal(t, w.current.Topics.All(), next.Topics.All())

	w.write("policy.yaml", w.raised()+"\n  partner:\n    purpose: analytics\n    fields: { event_id: keep }\n")
	_, err = w.twice(t)
	require.ErrorContains(t, err, "topics.yaml: changed too, and is read at the start only: restart")
}

// Cut off at any line, a file that carries the mark for its end never comes into force.
func TestAMarkedFileIsNeverTakenByHalf(t *testing.T) {
	for _, name := range []string{"policy.yaml", "contracts/signed_up.yaml"} {
		w := watch(t, func(files fstest.MapFS) {
			files[name].Data = append(bytes.TrimRight(files[name].Data, "\n"), "\n...\n"...)
		})
		w.write("policy.yaml", w.raised())
		lines := strings.SplitAfter(w.text(name), "\n")
		whole := w.text(name)
		for n := range len(lines) - 2 {
			w.write(name, strings.Join(lines[:n], ""))
			_, err := w.twice(t)
			require.ErrorContains(t, err, "has lost the line ... at its end", "%s, %d lines", name, n)
		}
		w.write(name, whole)
		next, err := w.twice(t)
		require.NoError(t, err)
		require.Equal(t, "next", next.Policy.Version)
	}
}

func TestFilesThatNeverRestAreTold(t *testing.T) {
	w := watch(t)
	for range 20 {
		w.write("policy.yaml", w.text("policy.yaml")+"#\n")
		_, err := w.watch.Look(w.current)
		require.ErrorIs(t, err, workspace.ErrUnsettled)
	}
	w.write("policy.yaml", w.text("policy.yaml")+"#\n")
	_, err := w.watch.Look(w.current)
	require.ErrorContains(t, err, "find out what keeps writing them")
}

// replacing is a folder that is replaced after its first file was read.
type replacing struct {
	fstest.MapFS
	by   fstest.MapFS
	read int
}

func (r *replacing) ReadFile(name string) ([]byte, error) {
	r.read++
	if r.read > 1 {
		return r.by.ReadFile(name)
	}
	return r.MapFS.ReadFile(name)
}

func (r *replacing) ReadDir(name string) ([]fs.DirEntry, error) { return r.by.ReadDir(name) }

// Whatever is made of a folder is made of one reading of it, so what is published is what judges.
func TestAFolderThatChangesWhileItIsReadIsOneThingAllTheSame(t *testing.T) {
	old, by := overlay(t, base, base), overlay(t, base, base)
	by["policy.yaml"].Data = append(by["policy.yaml"].Data, "# later\n"...)
	by["contracts/signed_up.yaml"].Data = append(by["contracts/signed_up.yaml"].Data, "# later\n"...)
	w, err := workspace.LoadFS(&replacing{MapFS: old, by: by})
	require.NoError(t, err)
	record := w.Publish()
	require.NotContains(t, record.Policy, "# later")
	require.Contains(t, record.Files["contracts/signed_up.yaml"], "# later")
	again, err := record.Rules()
	require.NoError(t, err)
	require.Equal(t, w.Hash(), again.Hash())
}
