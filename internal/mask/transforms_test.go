package mask

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMaskEmail(t *testing.T) {
	check(t, MaskEmail(), []example{
		{"alice@example.com", "a***@example.com"},
		{"ALICE@Example.COM", "A***@example.com"},
		{"bob@example.com", "***@example.com"},
		{"a@b.co", "***@b.co"},
		{"first.last+tag@mail.example.co.uk", "f***@mail.example.co.uk"},
		{"josé@exämple.com", "j***@exämple.com"},
		{"žofie@example.com", "ž***@example.com"},
		{"o'brien@example.com", "o***@example.com"},
		{"", refused},
		{"alice", refused},
		{"@example.com", refused},
		{"alice@", refused},
		{"alice@localhost", refused},
		{"alice@@example.com", refused},
		{"a@b@example.com", refused},
		{"alice@example..com", refused},
		{"alice@.example.com", refused},
		{"alice@example.com.", refused},
		{"alice@-example.com", refused},
		{"alice@10.0.0.1", refused},
		{"alice@[10.0.0.1]", refused},
		{" alice@example.com", refused},
		{"alice@example.com ", refused},
		{"alice smith@example.com", refused},
		{"Alice <alice@example.com>", refused},
		{"\"alice\"@example.com", refused},
		{"alice@example.com,bob@example.com", refused},
		{"a***@example.com", refused},
		{"***@example.com", refused},
		{"alice@ex*mple.com", refused},
		{"alice\x00@example.com", refused},
		{"alice\u200b@example.com", refused},
		{"alice@example.com\u202e", refused},
		{"ali\xffce@example.com", refused},
		{"alice＠example.com", refused},
		{strings.Repeat("a", 65) + "@example.com", refused},
		{"alice@" + strings.Repeat("a", 64) + ".com", refused},
		{"alice@" + strings.Repeat("a.", 130) + "com", refused},
		{"42", refused},
		{"{\"a\":1}", refused},
	})
}

func TestMaskEmailHidesTheLocalPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		local := rapid.StringMatching(`[a-zA-Z0-9.+_é-]{1,30}`).Draw(t, "local")
		out, err := MaskEmail().Append(nil, []byte(local+"@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		shown, ok := strings.CutSuffix(string(out), "***@example.com")
		if !ok || utf8.RuneCountInString(shown) > 1 || shown != "" && utf8.RuneCountInString(local) < minShown || strings.Contains(string(out), local+"@") {
			t.Fatalf("%s became %s", local, out)
		}
	})
}

func FuzzMaskEmail(f *testing.F) {
	for _, seed := range []string{"alice@example.com", "josé@exämple.com", "a***@b.c", "a@b@c.d", "\xff@a.b", "1@1.1a", "a@a-.b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := MaskEmail().Append(nil, in)
		if err != nil {
			if len(out) != 0 {
				t.Fatalf("refused %q but appended %q", in, out)
			}
			return
		}
		local, _, _ := strings.Cut(string(in), "@")
		shown, _, ok := strings.Cut(string(out), "***@")
		if !ok || !utf8.Valid(out) || len(out) > len(in)+len(hidden) || utf8.RuneCountInString(shown) > 1 || shown == local {
			t.Fatalf("%q became %q", in, out)
		}
	})
}

func TestMaskPhone(t *testing.T) {
	check(t, MaskPhone(), []example{
		{"+49 170 1234567", "+49***67"},
		{"0049 170 1234567", "+49***67"},
		{"+49 (0)170/123-45-67", "+49***67"},
		{"+1 (415) 555-2671", "+1***71"},
		{"+7 495 123 45 67", "+7***67"},
		{"+380 44 123 4567", "+380***67"},
		{"+352 621 123 456", "+352***56"},
		{"0170 1234567", "***67"},
		{"555-2671", "***71"},
		{"491701234567", "***67"},
		{"+49\u00a0170\u00a01234567", "+49***67"},
		{"", refused},
		{"+", refused},
		{"123456", refused},
		{"1234567890123456", refused},
		{"+1 23456", refused},
		{"+0 1234567", refused},
		{"000 1234567", refused},
		{"+380 12345", refused},
		{"call 5552671", refused},
		{"555-2671 ext 4", refused},
		{"++49 170 1234567", refused},
		{"tel:+491701234567", refused},
		{"１２３４５６７", refused},
		{"555\u200b2671", refused},
		{"***2671", refused},
		{"+49***67", refused},
		{"5552671\n", refused},
		{"\xff5552671", refused},
		{strings.Repeat("1", 1<<16), refused},
		{"alice@example.com", refused},
		{"-------", refused},
	})
}

func TestMaskPhoneHidesTheSubscriber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[1-9][0-9]{8,14}`).Draw(t, "digits")
		prefix := rapid.SampledFrom([]string{"", "+", "00"}).Draw(t, "prefix")
		if prefix == "" && len(digits) > maxPhone {
			return
		}
		out, err := MaskPhone().Append(nil, []byte(prefix+digits))
		if err != nil {
			t.Fatal(err)
		}
		before, after, ok := strings.Cut(string(out), "***")
		if !ok || after != digits[len(digits)-2:] || len(before) > len("+999") || prefix == "" && before != "" {
			t.Fatalf("%s became %s", prefix+digits, out)
		}
	})
}

func TestLastFour(t *testing.T) {
	check(t, LastFour(), []example{
		{"4111 1111 1111 1234", "****1234"},
		{"4111-1111-1111-1234", "****1234"},
		{"4111111111111234", "****1234"},
		{"DE89 3704 0044 0532 0130 00", "****3000"},
		{"12345678", "****5678"},
		{"GB29NWBK60161331926819", "****6819"},
		{"", refused},
		{"1234", refused},
		{"1234567", refused},
		{strings.Repeat("1", 35), refused},
		{"Alice Johnson", refused},
		{"1234 5678 abcd", refused},
		{"****5678", refused},
		{"4111.1111.1111.1234", refused},
		{"４１１１１１１１１１１１１２３４", refused},
		{"1234567\x008", refused},
		{"-1234567", refused},
		{"1234567é8", refused},
		{"alice@example.com", refused},
		{strings.Repeat("9", 1<<16), refused},
	})
}

func TestTruncateIP(t *testing.T) {
	usual := must2(t)(TruncateIP(24, 48))
	check(t, usual, []example{
		{"203.0.113.9", "203.0.113.0"},
		{"255.255.255.255", "255.255.255.0"},
		{"0.0.0.0", "0.0.0.0"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
		{"2001:DB8:1::6", "2001:db8:1::"},
		{"::1", "::"},
		{"fe80::1", "fe80::"},
		{"::ffff:203.0.113.9", "203.0.113.0"},
		{"::ffff:cb00:7109", "203.0.113.0"},
		{"0:0:0:0:0:ffff:203.0.113.9", "203.0.113.0"},
		{"::203.0.113.9", "::"},
		{"64:ff9b::203.0.113.9", "64:ff9b::"},
		{"2002:cb00:7109:1::1", "2002:cb00:7100::"},
		{"", refused},
		{"203.0.113", refused},
		{"203.0.113.256", refused},
		{"203.0.113.9/24", refused},
		{"203.0.113.9:80", refused},
		{"[2001:db8::1]", refused},
		{"fe80::1%eth0", refused},
		{"203.000.113.009", refused},
		{"0xcb.0.113.9", refused},
		{"3405803785", refused},
		{" 203.0.113.9", refused},
		{"203.0.113.9\n", refused},
		{"２０３.0.113.9", refused},
		{"2001:db8:1:2:3:4:5:6:7", refused},
		{"1::2::3", refused},
		{"localhost", refused},
		{"203.0.113.9, 10.0.0.1", refused},
		{strings.Repeat("1", 1<<16), refused},
	})
	check(t, must2(t)(TruncateIP(0, 0)), []example{{"203.0.113.9", "0.0.0.0"}, {"2001:db8::1", "::"}, {"2002:cb00:7109::", "::"}})
	check(t, must2(t)(TruncateIP(16, 64)), []example{{"203.0.113.9", "203.0.0.0"}, {"2001:db8:1:2:3::", "2001:db8:1:2::"}, {"2002:cb00:7109:1::1", "2002:cb00::"}})
	for _, bits := range [][2]int{{-1, 48}, {25, 48}, {32, 48}, {24, -1}, {24, 65}, {24, 128}} {
		_, err := TruncateIP(bits[0], bits[1])
		assert.ErrorContains(t, err, "truncate_ip", "%v", bits)
	}
}

func must2(t *testing.T) func(Transform, error) Transform {
	return func(transform Transform, err error) Transform { return must(t, transform, err) }
}

func TestTruncateTime(t *testing.T) {
	units := map[string][]example{
		"hour":  {{"2026-04-13T09:59:58.120Z", "2026-04-13T09:00:00Z"}, {"2026-04-13T09:59:58+05:30", "2026-04-13T04:00:00Z"}},
		"day":   {{"2026-04-13T09:59:58.120Z", "2026-04-13T00:00:00Z"}, {"2026-04-13T23:30:00-02:00", "2026-04-14T00:00:00Z"}, {"2026-01-01T00:30:00+01:00", "2025-12-31T00:00:00Z"}, {"2024-02-29T12:00:00Z", "2024-02-29T00:00:00Z"}},
		"month": {{"2026-04-13T09:59:58Z", "2026-04-01T00:00:00Z"}, {"2026-04-30T23:30:00-02:00", "2026-05-01T00:00:00Z"}},
		"year":  {{"2026-04-13T09:59:58Z", "2026-01-01T00:00:00Z"}, {"2026-12-31T23:30:00-02:00", "2027-01-01T00:00:00Z"}, {"0000-06-01T00:00:00Z", "0000-01-01T00:00:00Z"}},
	}
	bad := []example{
		{"", refused},
		{"2026-04-13", refused},
		{"2026-04-13T09:59:58", refused},
		{"2026-04-13 09:59:58Z", refused},
		{"2026-4-13T09:59:58Z", refused},
		{"2026-04-13T9:59:58Z", refused},
		{"2026-02-30T00:00:00Z", refused},
		{"2026-13-01T00:00:00Z", refused},
		{"2026-04-13T24:00:00Z", refused},
		{"2026-04-13T23:59:60Z", refused},
		{"2026-04-13T09:59:58,5Z", refused},
		{"2026-04-13T09:59:58+24:00", refused},
		{"1776074398", refused},
		{"yesterday", refused},
		{"0000-01-01T00:00:00+01:00", refused},
		{"9999-12-31T23:59:59-01:00", refused},
		{"２026-04-13T09:59:58Z", refused},
		{"2026-04-13T09:59:58Z\n", refused},
		{"\xff", refused},
		{strings.Repeat("2", 1<<16), refused},
	}
	for unit, examples := range units {
		transform := must2(t)(TruncateTime(unit))
		check(t, transform, examples)
		check(t, transform, bad)
	}
	_, err := TruncateTime("minute")
	assert.ErrorContains(t, err, "hour, day, month, year")
}

// One moment gives one result, however its offset is written.
func TestTruncateTimeForgetsTheOffset(t *testing.T) {
	day := must2(t)(TruncateTime("day"))
	for _, same := range []string{"2026-04-13T22:30:00Z", "2026-04-14T00:30:00+02:00", "2026-04-13T15:30:00-07:00", "2026-04-14T04:00:00+05:30"} {
		out, err := day.Append(nil, []byte(same))
		require.NoError(t, err)
		assert.Equal(t, "2026-04-13T00:00:00Z", string(out), same)
	}
}

func TestTruncate(t *testing.T) {
	check(t, must2(t)(Truncate(3)), []example{
		{"", ""},
		{"ab", "ab"},
		{"abc", "abc"},
		{"abcd", "abc"},
		{"äöüß", "äöü"},
		{"日本語だ", "日本語"},
		{"😀😀😀😀", "😀😀😀"},
		{"\x00\x00\x00\x00", "\x00\x00\x00"},
		{"\xff", refused},
		{"abcdef\xff", refused},
		{"ab\xc3", refused},
		{strings.Repeat("x", 1<<20), "xxx"},
	})
	for _, n := range []int{0, -1, maxTruncate + 1} {
		_, err := Truncate(n)
		assert.Error(t, err, "%d", n)
	}
}

func TestBucket(t *testing.T) {
	check(t, must2(t)(Bucket([]float64{10, 50, 100})), []example{
		{"9", "<10"},
		{"9.999", "<10"},
		{"10", "10-50"},
		{"1e1", "10-50"},
		{"1E+1", "10-50"},
		{"49.5", "10-50"},
		{"50", "50-100"},
		{"100", ">=100"},
		{"1e300", ">=100"},
		{"-1", "<10"},
		{"0", "<10"},
		{"-0", "<10"},
		{"9007199254740993", ">=100"},
		{"", refused},
		{"-", refused},
		{"ten", refused},
		{"NaN", refused},
		{"Inf", refused},
		{"-Infinity", refused},
		{"0x10", refused},
		{"1_000", refused},
		{"+10", refused},
		{"010", refused},
		{"10.", refused},
		{".5", refused},
		{"1e", refused},
		{"1e+", refused},
		{"1e999", refused},
		{" 10", refused},
		{"10 ", refused},
		{"10,5", refused},
		{"１０", refused},
		{"true", refused},
		{"\"10\"", refused},
	})
	check(t, must2(t)(Bucket([]float64{-5, 0, 5, 1e6})), []example{{"-6", "<-5"}, {"-5", "-5 to 0"}, {"0", "0-5"}, {"7", "5-1000000"}, {"1000000", ">=1000000"}})
	check(t, must2(t)(Bucket([]float64{0.5})), []example{{"0.4", "<0.5"}, {"0.5", ">=0.5"}})
	for _, bounds := range [][]float64{nil, {}, {1, 1}, {2, 1}, {0, nan()}, {inf()}, make([]float64, 65)} {
		_, err := Bucket(bounds)
		assert.ErrorContains(t, err, "bucket", "%v", bounds)
	}
}
