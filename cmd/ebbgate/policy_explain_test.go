package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
)

const shippedWorkspace = "../../pipelines"

// explainedWith is the exit code and the message of an explanation.
func explainedWith(t *testing.T, args ...string) (int, string) {
	t.Helper()
	_, err := execute(t, append([]string{"policy", "explain", "--workspace", shippedWorkspace}, args...)...)
	if err == nil {
		return 0, ""
	}
	coded, ok := err.(cli.ExitCoder)
	require.True(t, ok, "no exit code: %v", err)
	return coded.ExitCode(), err.Error()
}

// A program that calls explain can tell a question that makes no sense from rules that are broken and from an event that is.
func TestWhatStopsAnExplanationHasAnExitCodeOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	good := file("good.json", `{"event_name":"page_viewed","event_id":"evt_1","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`",`+
		`"subject":{"user_id":"u_1"},"consent":{"analytics":true},"context":{"source":"web_app","schema_version":"1.1.0"},"properties":{"path":"/"}}`)
	broken := file("broken.json", `{"secret":`)
	shipped, err := os.ReadFile(filepath.Join(shippedWorkspace, "policy.yaml"))
	require.NoError(t, err)
	wrong := file("wrong.yaml", strings.Replace(string(shipped), "subject.user_id: tokenize", "subject.user_id: tokenise", 1))

	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a good event":           {[]string{good}, 0, ""},
		"no event":               {nil, exitAsked, "name one file"},
		"a file that is gone":    {[]string{dir + "/gone.json"}, exitAsked, "no such file"},
		"a folder":               {[]string{dir}, exitAsked, "is a directory"},
		"no such destination":    {[]string{"--destination", "activatoin", good}, exitAsked, "the policy has analytics, warehouse, activation"},
		"no such purpose":        {[]string{"--consent", "sales=true", good}, exitAsked, "it knows [analytics marketing]"},
		"no consent":             {[]string{"--consent", "analytics", good}, exitAsked, "write PURPOSE=true"},
		"consent and none":       {[]string{"--consent", "analytics=true,analytics=false", good}, exitAsked, "states analytics twice"},
		"no such policy":         {[]string{"--policy", dir + "/gone.yaml", good}, exitAsked, "no such file"},
		"a broken event":         {[]string{broken}, exitQuarantined, "event.syntax"},
		"a broken policy":        {[]string{"--policy", wrong, good}, exitRules, "did you mean `tokenize`"},
		"a folder for policy":    {[]string{"--policy", dir, good}, exitRules, "is a directory"},
		"no such workspace":      {[]string{"--workspace", dir + "/gone", good}, exitRules, "create it"},
		"no id":                  {[]string{"--event-id", "u_1 said"}, exitAsked, "not one that an event can have"},
		"two questions":          {[]string{"--event-id", "evt_1", good}, exitAsked, "not both"},
		"a past that may differ": {[]string{"--event-id", "evt_1", "--consent", "analytics=true"}, exitAsked, "explains what was decided"},
		"a past without end":     {[]string{"--event-id", "evt_1", "--since", "yesterday"}, exitAsked, "or all"},
		"a broker that is not":   {[]string{"--event-id", "evt_1", "--brokers", "127.0.0.1:1"}, 1, "set --brokers"},
	} {
		t.Run(name, func(t *testing.T) {
			code, says := explainedWith(t, tt.args...)
			require.Equal(t, tt.code, code, says)
			require.Contains(t, says, tt.says)
			require.NotContains(t, says, "secret")
		})
	}
}
