package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// execute runs one of our commands as the binary does, without ending the process.
func execute(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	app := &cli.App{Name: "ebbgate", Writer: &out, ErrWriter: &out, ExitErrHandler: func(*cli.Context, error) {}}
	for _, command := range commands() {
		app.Commands = append(app.Commands, strict(command))
	}
	err := app.RunContext(t.Context(), append([]string{"ebbgate"}, args...))
	return out.String(), err
}

func TestWrongCommandLinesAreRefusedBeforeAnythingRuns(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"demo stpo", `unknown command "stpo"`},
		{"sandbox wrong", `unknown command "wrong"`},
		{"policy chek", `unknown command "chek"`},
		{"sandbox status wrong", `unexpected argument "wrong"`},
		{"policy check wrong", `unexpected argument "wrong"`},
		{"policy check --output xml", `--output is "xml": use table or json`},
		{"sandbox status --output xml", `--output is "xml": use text or json`},
		{"demo --events 0", "--events is 0"},
		{"consent set analytics=false --user-id=u_1", "--user-id stands behind a purpose"},
		{"suppression add --user-id u_1", "\"reason\" not set"},
	} {
		_, err := execute(t, strings.Fields(tt.line)...)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ebbgate %s: %v, want %q", tt.line, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "u_1") {
			t.Errorf("ebbgate %s quotes an id: %v", tt.line, err)
		}
	}
}

func TestAGroupOfCommandsAloneShowsItsHelp(t *testing.T) {
	out, err := execute(t, "keys")
	if err != nil || !strings.Contains(out, "rotate") {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestAFlagHoldsWhereverItStands(t *testing.T) {
	for _, args := range [][]string{{"--dir", "x", "stop"}, {"stop", "--dir", "x"}, {"--dir", "y", "stop", "--dir", "x"}} {
		got := ""
		dir := &cli.StringFlag{Name: "dir", Value: "default"}
		app := &cli.App{Flags: []cli.Flag{dir}, Commands: []*cli.Command{{Name: "stop", Flags: []cli.Flag{dir}, Action: func(c *cli.Context) error {
			got = sandboxDir(c)
			return nil
		}}}}
		if err := app.RunContext(t.Context(), append([]string{"ebbgate"}, args...)); err != nil || got != "x" {
			t.Errorf("%v: dir is %q, %v", args, got, err)
		}
	}
}

func TestABrokerThatDoesNotAnswerIsNamed(t *testing.T) {
	err := answers(t.Context(), "127.0.0.1:1")
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || !strings.Contains(err.Error(), "EBBGATE_BROKERS") {
		t.Errorf("got %v", err)
	}
}
