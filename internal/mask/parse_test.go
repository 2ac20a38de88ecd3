package mask

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func nan() float64 { return math.NaN() }

func inf() float64 { return math.Inf(1) }

func TestParse(t *testing.T) {
	cases := []struct{ name, arg, in, want string }{
		{"mask", "email", "alice@example.com", "a***@example.com"},
		{"mask", "phone", "+49 170 1234567", "+49***67"},
		{"mask", "last_four", "4111111111111234", "****1234"},
		{"truncate_ip", "{v4: 24, v6: 48}", "203.0.113.9", "203.0.113.0"},
		{"truncate_ip", "{v4: 16}", "203.0.113.9", "203.0.0.0"},
		{"truncate_ip", "{v6: 32}", "2001:db8:1::", "2001:db8::"},
		{"truncate_ip", "", "203.0.113.9", "203.0.113.0"},
		{"truncate_time", "day", "2026-04-13T09:59:58Z", "2026-04-13T00:00:00Z"},
		{"truncate", "2", "hello", "he"},
		{"truncate", "2.0", "hello", "he"},
		{"bucket", "[10, 50.5]", "50.5", ">=50.5"},
		{"scrub", "", "a@b.c", "[email]"},
	}
	for _, c := range cases {
		var arg any
		require.NoError(t, yaml.Unmarshal([]byte(c.arg), &arg))
		transform, err := Parse(c.name, arg)
		require.NoError(t, err, "%s: %s", c.name, c.arg)
		check(t, transform, []example{{c.in, c.want}})
		assert.Contains(t, transform.Name(), c.name)
	}
}

func TestParseRefusals(t *testing.T) {
	cases := []struct{ name, arg, says string }{
		{"", "", "use one of bucket, mask, scrub, tokenize, truncate, truncate_ip, truncate_time"},
		{"keep", "", "unknown transform"},
		{"Scrub", "", "unknown transform"},
		{"scrub", "true", "no argument"},
		{"tokenize", "email", "by name"},
		{"tokenize", "{as: phone}", "exact or email"},
		{"tokenize", "{as: [email]}", "exact or email"},
		{"tokenize", "{for: email}", `unknown argument "for"`},
		{"mask", "", "email, phone or last_four"},
		{"mask", "everything", "email, phone or last_four"},
		{"mask", "[email]", "email, phone or last_four"},
		{"mask", "{kind: email}", "email, phone or last_four"},
		{"truncate_ip", "24", "by name"},
		{"truncate_ip", "{v5: 24}", `unknown argument "v5"`},
		{"truncate_ip", "{v4: 32}", "0 to 24"},
		{"truncate_ip", "{v4: 8.5}", "whole number"},
		{"truncate_ip", "{v4: '24'}", "whole number"},
		{"truncate_ip", "{v4: 1e300}", "whole number"},
		{"truncate_time", "", "hour, day, month or year"},
		{"truncate_time", "week", "week"},
		{"truncate", "", "number of characters"},
		{"truncate", "0", "1 to 65536"},
		{"truncate", "2.5", "number of characters"},
		{"truncate", ".nan", "number of characters"},
		{"bucket", "", "list of bounds"},
		{"bucket", "10", "list of bounds"},
		{"bucket", "[]", "1 to 64"},
		{"bucket", "[10, ten]", "bound 2"},
		{"bucket", "[50, 10]", "ascending"},
		{"bucket", "[.inf]", "finite"},
	}
	for _, c := range cases {
		var arg any
		require.NoError(t, yaml.Unmarshal([]byte(c.arg), &arg))
		transform, err := Parse(c.name, arg)
		assert.Nil(t, transform, "%s: %s", c.name, c.arg)
		assert.ErrorContains(t, err, c.says, "%s: %s", c.name, c.arg)
	}
}

func TestParseTakesEveryGoNumber(t *testing.T) {
	for _, n := range []any{3, int64(3), uint64(3), 3.0} {
		transform, err := Parse("truncate", n)
		require.NoError(t, err, "%T", n)
		check(t, transform, []example{{"abcd", "abc"}})
	}
}
