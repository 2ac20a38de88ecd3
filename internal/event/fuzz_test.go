package event_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
)

// FuzzScan: no input makes the scanner panic, a fault has a known code and a position in the input, and a scanner that has
// failed reads the next event as a new one does.
func FuzzScan(f *testing.F) {
	for _, document := range agreeingDocuments {
		f.Add([]byte(document))
	}
	dict := newTestDictionary(f)
	scanner := event.NewScanner(dict, event.Limits{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var ix, fresh event.Index
		err := scanner.Scan(raw, &ix)
		require.Equal(t, err, event.NewScanner(dict, event.Limits{}).Scan(raw, &fresh))
		require.Equal(t, fresh.Nodes, ix.Nodes)
		if err == nil {
			requireWellFormed(t, &ix)
			return
		}
		fault, ok := event.AsFault(err)
		require.True(t, ok)
		require.Regexp(t, `^event\.[a-z_0-9]+$`, fault.Code)
		require.NotEmpty(t, fault.Remedy)
		require.GreaterOrEqual(t, fault.Offset, 0)
		require.LessOrEqual(t, fault.Offset, len(raw))
		require.Empty(t, ix.Nodes)
	})
}

// FuzzDifferential: whatever the scanner accepts, other readers understand the same way.
func FuzzDifferential(f *testing.F) {
	for _, document := range agreeingDocuments {
		f.Add([]byte(document))
	}
	scanner := event.NewScanner(newTestDictionary(f), event.Limits{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var ix event.Index
		if scanner.Scan(raw, &ix) == nil {
			requireAgreement(t, &ix)
		}
	})
}

// FuzzParseTime: the parser accepts a part of what time.Parse does, with the same result.
func FuzzParseTime(f *testing.F) {
	for _, c := range times {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := event.ParseTime([]byte(text))
		expected, err := time.Parse(time.RFC3339Nano, text)
		if ok {
			require.NoError(t, err)
			require.True(t, expected.Equal(at), "%s: %v, %v", text, at, expected)
			require.Equal(t, time.UTC, at.Location())
		} else if err == nil {
			require.False(t, strictTime.MatchString(text), text)
		}
	})
}

// FuzzEnvelope: the check never panics, and names the field it means.
func FuzzEnvelope(f *testing.F) {
	for _, document := range agreeingDocuments {
		f.Add([]byte(document))
	}
	dict := newTestDictionary(f)
	scanner := event.NewScanner(dict, event.Limits{})
	now := time.Date(2026, 4, 13, 10, 0, 1, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var ix event.Index
		if scanner.Scan(raw, &ix) != nil {
			return
		}
		fault := event.CheckEnvelope(&ix, now, event.TimeLimits{})
		if fault != nil {
			require.NotEqual(t, event.NoField, dict.Field(fault.Path))
			return
		}
		for _, required := range []event.Field{event.EventName, event.Timestamp, event.Subject, event.ContextSource} {
			v, ok := ix.Get(required)
			require.True(t, ok)
			require.NotEqual(t, event.Null, v.Kind())
		}
		require.Regexp(t, "^evt_[0-9a-v]{26}$", event.DeriveIDFromBody("web", &ix))
	})
}
