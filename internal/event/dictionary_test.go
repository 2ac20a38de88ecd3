package event_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
)

func TestEnvelopeFieldsAreTheSameInEveryDictionary(t *testing.T) {
	for _, paths := range [][]string{nil, {"a.b.c"}, {"properties.x", "event_id", "context.ip"}} {
		dict, err := event.NewDictionary(paths...)
		require.NoError(t, err)
		for f, path := range map[event.Field]string{
			event.EventName: "event_name", event.EventID: "event_id", event.Timestamp: "timestamp", event.ReceivedAt: "received_at",
			event.Subject: "subject", event.UserID: "subject.user_id", event.AccountID: "subject.account_id",
			event.AnonymousID: "subject.anonymous_id", event.Consent: "consent", event.ConsentSource: "consent.source",
			event.ConsentCheckedAt: "consent.checked_at", event.ConsentVersion: "consent.version", event.Context: "context",
			event.ContextSource: "context.source", event.SchemaVersion: "context.schema_version",
			event.CorrelationID: "context.correlation_id", event.ContextIP: "context.ip",
			event.ContextUserAgent: "context.user_agent", event.Properties: "properties",
		} {
			require.Equal(t, f, dict.Field(path))
			require.Equal(t, path, dict.Path(f))
		}
	}
}

func TestEveryAncestorOfAPathHasAField(t *testing.T) {
	dict, err := event.NewDictionary("properties.items[].sku", "properties.grid[][].cell")
	require.NoError(t, err)
	for _, path := range []string{
		"properties.items", "properties.items[]", "properties.items[].sku", "properties.grid",
		"properties.grid[]", "properties.grid[][]", "properties.grid[][].cell",
	} {
		f := dict.Field(path)
		require.NotEqual(t, event.NoField, f, path)
		require.Equal(t, path, dict.Path(f))
	}
	require.Equal(t, int(event.NumEnvelopeFields)+7, dict.Len())
	require.Equal(t, event.NoField, dict.Field("properties.other"))
	require.Empty(t, dict.Path(event.Field(dict.Len())))
}

func TestDictionaryRefusesPathsItCannotTell(t *testing.T) {
	for _, paths := range [][]string{
		{""},
		{"."},
		{"a."},
		{".a"},
		{"a..b"},
		{"[]"},
		{"a[].[]"},
		{"a[0]"},
		{"a]"},
		{`a"b`},
		{`a\b`},
		{"a[b]"},
		{"a\x00"},
		{"a\n"},
		{"\u200b"},
		{"a\xff"},
		{"properties.email", "properties.Email"},
		{"properties.key", "properties.\u212aey"},
		{"a.b", "a.b\u200b"},
		{"Properties.x"},
		{strings.Repeat("n", 129)},
	} {
		_, err := event.NewDictionary(paths...)
		require.Error(t, err, "%q", paths)
	}
	paths := make([]string, 1<<16)
	for i := range paths {
		paths[i] = fmt.Sprintf("properties.p%d", i)
	}
	_, err := event.NewDictionary(paths...)
	require.ErrorContains(t, err, "at most 65535")
}

// Every name of a large dictionary is found, and none of them in another case.
func TestLargeDictionary(t *testing.T) {
	var paths []string
	for i := range 20_000 {
		paths = append(paths, fmt.Sprintf("properties.group_%d.name_%d", i%97, i))
	}
	dict, err := event.NewDictionary(paths...)
	require.NoError(t, err)
	scanner := event.NewScanner(dict, event.Limits{})
	for i, path := range paths {
		group, name, _ := strings.Cut(strings.TrimPrefix(path, "properties."), ".")
		var ix event.Index
		require.NoError(t, scanner.Scan(fmt.Appendf(nil, `{"properties":{%q:{%q:1}}}`, group, name), &ix))
		require.Equal(t, dict.Field(path), ix.Nodes[3].Field)
		if i%100 == 0 {
			require.Error(t, scanner.Scan(fmt.Appendf(nil, `{"properties":{%q:{%q:1}}}`, group, strings.ToUpper(name)), &ix))
		}
	}
}

// Names of every length are hashed alike by the dictionary and the scanner, wherever in the event they stand.
func TestNamesOfEveryLengthAreFound(t *testing.T) {
	for length := 1; length <= 128; length++ {
		name := strings.Repeat("Ab_9", 32)[:length]
		dict, err := event.NewDictionary("properties." + name)
		require.NoError(t, err)
		scanner := event.NewScanner(dict, event.Limits{})
		for _, tail := range []string{"", ",\"something\":\"that keeps the end of the event away\""} {
			for _, spelled := range []string{name, fmt.Sprintf(`\u%04x`, name[0]) + name[1:]} {
				var ix event.Index
				require.NoError(t, scanner.Scan([]byte(`{"properties":{"`+spelled+`":1}`+tail+`}`), &ix))
				require.Equal(t, dict.Field("properties."+name), ix.Nodes[2].Field, name)
			}
			var ix event.Index
			err = scanner.Scan([]byte(`{"properties":{"`+strings.ToLower(name)+`":1}`+tail+`}`), &ix)
			require.ErrorContains(t, err, event.CodeNearName)
		}
	}
}
