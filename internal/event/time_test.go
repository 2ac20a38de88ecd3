package event_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/event"
)

// strictTime is the form ParseTime promises to read when the date and clock are real.
var strictTime = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

var times = []struct {
	text string
	ok   bool
}{
	{"2026-04-13T09:59:58.120Z", true},
	{"2026-04-13T09:59:58Z", true},
	{"2026-04-13T09:59:58+05:30", true},
	{"2026-04-13T09:59:58.123456789-11:00", true},
	{"2024-02-29T00:00:00Z", true},
	{"2000-02-29T00:00:00Z", true},
	{"0000-01-01T00:00:00Z", true},
	{"9999-12-31T23:59:59.999999999Z", true},
	{"2026-04-13T00:00:00-00:00", true},
	{"2026-04-13T00:00:00+23:59", true},
	{"2023-02-29T00:00:00Z", false},
	{"1900-02-29T00:00:00Z", false},
	{"2026-04-31T00:00:00Z", false},
	{"2026-00-13T00:00:00Z", false},
	{"2026-13-13T00:00:00Z", false},
	{"2026-04-00T00:00:00Z", false},
	{"2026-04-13T24:00:00Z", false},
	{"2026-04-13T23:60:00Z", false},
	{"2026-04-13T23:59:60Z", false},
	{"2026-04-13T09:59:58", false},
	{"2026-04-13 09:59:58Z", false},
	{"2026-04-13t09:59:58Z", false},
	{"2026-04-13T09:59:58z", false},
	{"2026-04-13T09:59:58,120Z", false},
	{"2026-04-13T09:59:58.Z", false},
	{"2026-04-13T09:59:58.1234567890Z", false},
	{"2026-04-13T09:59:58.120", false},
	{"2026-04-13T09:59:58+0530", false},
	{"2026-04-13T09:59:58+05", false},
	{"2026-04-13T09:59:58+24:00", false},
	{"2026-04-13T09:59:58+05:60", false},
	{"2026-04-13T09:59:58ZZ", false},
	{"2026-04-13T09:59:58Z ", false},
	{" 2026-04-13T09:59:58Z", false},
	{"26-04-13T09:59:58Z", false},
	{"2026-4-13T09:59:58Z", false},
	{"2026-04-13T9:59:58Z", false},
	{"+026-04-13T09:59:58Z", false},
	{"2026-04-13T09:59:5éZ", false},
	{"1776074398", false},
	{"", false},
}

func TestParseTime(t *testing.T) {
	for _, c := range times {
		at, ok := event.ParseTime([]byte(c.text))
		require.Equal(t, c.ok, ok, c.text)
		if ok {
			expected, err := time.Parse(time.RFC3339Nano, c.text)
			require.NoError(t, err)
			require.True(t, expected.Equal(at), "%s gave %v", c.text, at)
		}
	}
}

func TestParseTimeReadsEveryDay(t *testing.T) {
	for day := time.Date(0, 1, 1, 12, 0, 0, 0, time.UTC); day.Year() < 10000; day = day.AddDate(0, 0, 1) {
		at, ok := event.ParseTime(day.AppendFormat(nil, time.RFC3339))
		if !ok || !at.Equal(day) {
			t.Fatalf("%v gave %v", day, at)
		}
	}
}

func TestParseTimeReadsWhatFormatWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.IntRange(-23*60-59, 23*60+59).Draw(t, "zone")
		at := time.Unix(rapid.Int64Range(-62135596800+86400, 253402300799-86400).Draw(t, "seconds"),
			rapid.Int64Range(0, 999999999).Draw(t, "nanos")).In(time.FixedZone("", minutes*60))
		parsed, ok := event.ParseTime([]byte(at.Format(time.RFC3339Nano)))
		require.True(t, ok, at)
		require.True(t, parsed.Equal(at))
	})
}
