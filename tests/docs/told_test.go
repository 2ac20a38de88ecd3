package docs

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/npm"
	"github.com/ebbgate/ebbgate/internal/plugtest"
)

// told are the pages that are run from the first block to the last; their blocks mean what newcomer.do says.
var told = []string{"docs/first-hour.md", "docs/webhooks.md", "docs/sdks.md", "docs/guides/stitch.md"}

// newcomer has a binary and an empty folder, and does what the page says, in one shell that remembers folder and variables.
type newcomer struct {
	t       *testing.T
	shell   string // the folder with what the shell remembers
	said    string // by the last commands
	again   string // commands that are repeated until they say what follows
	written []string
}

func TestPagesAreAsTheyAreTold(t *testing.T) {
	plugtest.ClickHouse(t) // skips where there is no engine
	program := build(t)
	for _, page := range told {
		t.Run(page, func(t *testing.T) { follow(t, program, page) })
	}
}

// follow does what a page says, in a folder of its own.
func follow(t *testing.T, program, page string) {
	t.Setenv("PATH", filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("EBBGATE_HTTP_ADDRESS", "127.0.0.1:0")
	t.Setenv("EBBGATE_WEBHOOK_ADDRESS", freeAddress(t))
	t.Setenv("EBBGATE_COLLECTOR_ADDRESS", freeAddress(t))
	sdks := t.TempDir()
	require.NoError(t, npm.Install(t.Context(), sdks, npm.SegmentNode)) // what the page has npm install
	t.Setenv("NODE_PATH", filepath.Join(sdks, "node_modules"))
	t.Setenv("NODE_OPTIONS", "--preserve-symlinks")
	for _, name := range []string{"EBBGATE_BROKERS", "EBBGATE_CLICKHOUSE_DSN", "EBBGATE_KEYS_FILE", "EBBGATE_SECRETS", "EBBGATE_STAGING_DSN", "EBBGATE_STAGING_ADMIN_DSN"} {
		t.Setenv(name, "")
		require.NoError(t, os.Unsetenv(name))
	}
	n := &newcomer{t: t, shell: t.TempDir()}
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(n.shell, "remembered"), []byte("cd '"+home+"'\n"), 0o600))
	t.Cleanup(func() {
		stop := exec.Command(program, "sandbox", "stop") // fails where the page has stopped it
		stop.Dir = filepath.Join(home, "shop")
		_ = stop.Run()
	})
	for _, b := range blocks(t, page) {
		n.do(b)
	}
	require.Empty(t, n.again, "the page waits for nothing")
}

// freeAddress is one nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

func (n *newcomer) do(b block) {
	n.t.Helper()
	require.True(n.t, n.again == "" || b.lang == "text", "%s: what is waited for does not follow", b.at())
	switch {
	case b.lang == "sh" && b.is("background"):
		n.background(b)
	case b.lang == "sh" && b.is("wait"):
		n.again = b.text
	case b.lang == "sh":
		code, _ := strconv.Atoi(b.attrs["exit"])
		n.run(b.text, code)
	case b.lang == "text":
		n.compare(b)
	case b.attrs["in"] != "":
		n.policy(b)
	case b.attrs["file"] != "":
		n.write(b.attrs["file"], timestamp.ReplaceAllString(b.text, `"timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"`))
	default:
		n.t.Errorf("%s: a newcomer does not know what to do with it", b.at())
	}
}

// script gives commands the folder and the variables that those before them left.
func (n *newcomer) script(commands string) *exec.Cmd {
	remembered := filepath.Join(n.shell, "remembered")
	return exec.CommandContext(n.t.Context(), "bash", "-c", "set -eo pipefail; . '"+remembered+
		"'; trap '{ export -p; echo \"cd $PWD\"; } >"+remembered+"' EXIT\n"+commands)
}

func (n *newcomer) run(commands string, want int) {
	n.t.Helper()
	cmd := n.script(commands)
	out, err := cmd.CombinedOutput()
	n.said = string(out)
	require.Equal(n.t, want, cmd.ProcessState.ExitCode(), "%s%s: %v", commands, out, err)
}

// background is a second shell, in which the commands run until the page is done. It is given what is remembered now: the file
// is written anew by what the first shell runs meanwhile.
func (n *newcomer) background(b block) {
	n.t.Helper()
	log, err := os.Create(filepath.Join(n.shell, "background.log"))
	require.NoError(n.t, err)
	remembered, err := os.ReadFile(filepath.Join(n.shell, "remembered"))
	require.NoError(n.t, err)
	cmd := exec.Command("bash", "-c", string(remembered)+"\nexec "+strings.TrimSpace(b.text))
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(n.t, cmd.Start())
	n.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = log.Close()
		if n.t.Failed() {
			text, _ := os.ReadFile(log.Name())
			n.t.Logf("%s said:\n%s", b.text, text[max(0, len(text)-4000):])
		}
	})
}

// compare holds each line of the page to what was said: its words must come in this order, in one line. Where the page waits, it
// is asked again until they do.
func (n *newcomer) compare(b block) {
	n.t.Helper()
	commands := n.again
	n.again = ""
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	missing := "all of it"
	for end := time.Now().Add(patience); missing != ""; <-ticker.C {
		if commands != "" {
			out, _ := n.script(commands).CombinedOutput() // may fail for as long as there is nothing
			n.said = string(out)
		}
		if missing = n.missing(b); commands == "" || time.Now().After(end) {
			break
		}
	}
	require.Empty(n.t, missing, "%s: not said in\n%s", b.at(), n.said)
}

// missing is the first line of a block that was not said.
func (n *newcomer) missing(b block) string {
	said := frame.ReplaceAllString(different.ReplaceAllString(n.said, "..."), " ")
	for line := range strings.Lines(joined(b.text)) {
		words := strings.Fields(different.ReplaceAllString(line, "..."))
		for i := range words {
			words[i] = regexp.QuoteMeta(words[i])
		}
		if len(words) > 0 && !regexp.MustCompile(`(?m)(?:^|[ ])`+strings.Join(words, `[^\n]*?[ ]`)).MatchString(said) {
			return line
		}
	}
	return ""
}

// different is what differs from one reader to the next: numbers of lines and tokens.
var different = regexp.MustCompile(`\.yaml:\d+|t1\.\w+\.\w+`)

// joined undoes the page's line breaks before a bracket, of which a program prints none.
func joined(text string) string { return strings.ReplaceAll(text, "\n(", " (") }

func (n *newcomer) folder() string {
	n.t.Helper()
	out, err := n.script("pwd").Output()
	require.NoError(n.t, err)
	return strings.TrimSpace(string(out))
}

func (n *newcomer) write(name, text string) {
	n.t.Helper()
	require.NoError(n.t, os.WriteFile(filepath.Join(n.folder(), name), []byte(text), 0o600))
}

// policy puts lines after the fields of a destination, in place of those that the page had there before.
func (n *newcomer) policy(b block) {
	n.t.Helper()
	const name = "pipelines/policy.yaml"
	src, err := os.ReadFile(filepath.Join(n.folder(), name))
	require.NoError(n.t, err)
	text := string(src)
	for _, before := range n.written {
		text = strings.Replace(text, before, "", 1)
	}
	if version := b.attrs["version"]; version != "" {
		text = regexp.MustCompile(`(?m)^version: .*$`).ReplaceAllString(text, `version: "`+version+`"`)
	}
	n.written = []string{b.text}
	n.write(name, addFields(n.t, text, b.attrs["in"], b.text))
}
