package demo

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheTailOfALogIsOfThisRunAndOfWhatWentWrong(t *testing.T) {
	earlier := "level=error msg=\"an earlier run\"\n"
	log := filepath.Join(t.TempDir(), "pipelines.log")
	text := earlier + "time=\"t\" level=info msg=\"Input is now active\"\nebbgate: give policy.yaml a new version\n"
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &pipelines{log: log, begun: int64(len(earlier))}
	if got, want := p.tail(8), "ebbgate: give policy.yaml a new version"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatDoesNotMoveIsExplainedOnce(t *testing.T) {
	var out bytes.Buffer
	now := time.Now()
	n := notice{run: &run{Options: Options{Messages: &out}}, told: now.Add(-time.Hour)}
	stuck := []progress{{name: "ingest-events", topic: "inbound.events", left: 7}}
	n.look(stuck, now)
	n.look(stuck, now.Add(stuckFor+time.Second))
	n.look(stuck, now.Add(stuckFor+time.Minute))
	if lines := strings.Count(out.String(), "\n"); lines != 2 || strings.Count(out.String(), "nothing has moved") != 1 {
		t.Errorf("got %d lines:\n%s", lines, out.String())
	}
}

func TestTheQueryToTryNamesTheDatabase(t *testing.T) {
	for dsn, want := range map[string][2]string{
		"http://127.0.0.1:18123/ebbgate": {"http://127.0.0.1:18123", "ebbgate"},
		"https://u:p@example.com:8443":   {"https://example.com:8443", "default"},
	} {
		if base, database := httpBase(dsn); base != want[0] || database != want[1] {
			t.Errorf("%s: got %s and %s", dsn, base, database)
		}
	}
}
