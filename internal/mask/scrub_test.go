package mask

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestScrub(t *testing.T) {
	check(t, Scrub(), []example{
		// What has to stay.
		{"", ""},
		{"Hello, world", "Hello, world"},
		{"Größe 日本語 😀", "Größe 日本語 😀"},
		{"a\x00b\tc\n", "a\x00b\tc\n"},
		{"Plan 3 of 12, 99.95 EUR, 12,345,678 rows", "Plan 3 of 12, 99.95 EUR, 12,345,678 rows"},
		{"Due 2026-04-13, again 2026-05-01 at 10:00:00", "Due 2026-04-13, again 2026-05-01 at 10:00:00"},
		{"Q2 2026-04-13", "Q2 2026-04-13"},
		{"at 10:20:30 use std::vector, v1.2.3", "at 10:20:30 use std::vector, v1.2.3"},
		{"@alice said 3 @ 5", "@alice said 3 @ 5"},
		{"a @ b", "a @ b"},
		{"50% off", "50% off"},
		{"::", "::"},
		{"[email] [phone]", "[email] [phone]"},
		{"de:ad:be:ef:00:01", "de:ad:be:ef:00:01"},
		{"123456", "123456"},
		{"1.2.3", "1.2.3"},
		{"1.2.3.256", "1.2.3.256"},
		// E-mail addresses.
		{"write to alice@example.com.", "write to [email]."},
		{"<alice@example.com>", "<[email]>"},
		{"mailto:alice@example.com?x", "mailto:[email]?x"},
		{"a@b", "[email]"},
		{"alice@localhost!", "[email]!"},
		{"first.last+tag@mail.example.co.uk,bob@example.com", "[email],[email]"},
		{"a@b@c@d", "[email]"},
		{"@foo@bar.com", "@[email]"},
		{"josé@exämple.com", "[email]"},
		{"jose\u0301@example.com", "[email]"},
		{"alice%40example.com", "[email]"},
		{"?email=alice%40example.com&x=1", "[email]&x=1"},
		{"alice＠example。com", "[email]"},
		{"alice﹫example.com", "[email]"},
		{"ali\u200bce@exam\u00adple.com", "[email]"},
		{"alice\u200b@\u200bexample.com!", "[email]!"},
		{"\"john doe\"@example.com", "[email]"},
		{"x\"@example.com", "x[email]"},
		{"user@[10.0.0.1] x", "[email] x"},
		{"𝐚𝐥𝐢𝐜𝐞@𝐞𝐱𝐚𝐦𝐩𝐥𝐞.𝐜𝐨𝐦", "[email]"},
		{"491701234567@c.us", "[email]"},
		{"ali\x00ce@example.com", "[email]"},
		{"alice@example.com\u200b", "[email]"},
		{"alice@example.㏂!", "[email]!"},
		// Phone numbers.
		{"call +49 170 1234567 now", "call [phone] now"},
		{"(415) 555-2671", "[phone]"},
		{"+1 (415) 555-2671.", "[phone]."},
		{"0170/1234567", "[phone]"},
		{"555-2671", "[phone]"},
		{"170.123.4567", "[phone]"},
		{"０１７０１２３４５６７", "[phone]"},
		{"٠١٧٠١٢٣٤٥٦٧", "[phone]"},
		{"170–123–4567", "[phone]"},
		{"170\u00a0123\u00a04567", "[phone]"},
		{"1\u200b7\u200b0\u200b1\u200b2\u200b3\u200b4", "[phone]"},
		{"1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣", "[phone]"},
		{"①②③④⑤⑥⑦", "[phone]"},
		{"𝟏𝟕𝟎𝟏𝟐𝟑𝟒", "[phone]"},
		{"1\x007\x000\x001\x002\x003\x004", "[phone]"},
		{"+2026-04-13", "[phone]"},
		{"2026-04-13 1701234567", "2026-04-13 [phone]"},
		{"2026-13-13", "[phone]"},
		{"2026-04-131", "[phone]"},
		{"abc1234567xyz", "abc[phone]xyz"},
		{"12 34 5 67", "[phone]"},
		{"1234    5678", "1234    5678"},
		// Cards.
		{"card 4111 1111 1111 1111 ok", "card [card] ok"},
		{"4111111111111111", "[card]"},
		{"4111-1111-1111-1111", "[card]"},
		{"378282246310005", "[card]"},
		{"3782 822463 10005", "[card]"},
		{"4111 1111 1111 1112", "[phone]"},
		{"no 12 4111 1111 1111 1111 07", "no [card]"},
		{"６０１１１１１１１１１１１１１７", "[card]"},
		{"0000 0000 0000 0000", "[phone]"},
		// IP addresses.
		{"from 10.0.0.1:443", "from [ip]:443"},
		{"203.0.113.9", "[ip]"},
		{"v1.2.3.4", "v[ip]"},
		{"010.000.000.001", "[ip]"},
		{"1.2.3.4.5", "[ip].5"},
		{"２０３.0.113.9", "[ip]"},
		{"from 2001:db8::1.", "from [ip]."},
		{"[2001:DB8:1:2:3:4:5:6]:443", "[[ip]]:443"},
		{"::1", "[ip]"},
		{"fe80::1%eth0", "[ip]%eth0"},
		{"::ffff:203.0.113.9", "[ip]"},
		{"ip:2001:db8::1", "ip:[ip]"},
		{"1:2:3:4:5:6:203.0.113.9", "[ip]"},
		{"地址fe80::1", "地址[ip]"},
		{"fe80::", "[ip]"},
		{"2001:db8:0:0:0:0:0:1:443", "[ip]:443"},
		{"203.0.113.9/24", "[ip]/24"},
		{"::1::2", "[ip][ip]"},
		// Refused.
		{"\xff", refused},
		{"alice@example.com \xc3", refused},
	})
}

// Lines are looked at one by one, so that a table of short numbers stays.
func TestScrubDoesNotJoinLines(t *testing.T) {
	check(t, Scrub(), []example{{"123\n456\n789", "123\n456\n789"}, {"1234567\n89", "[phone]\n89"}})
}

var (
	oracleEmail = regexp.MustCompile(`[\pL\pN.!#$%&'*+/=?^_{|}~-]+@[\pL\pN]`)
	oracleIPv4  = regexp.MustCompile(`(^|[^0-9])((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])([^0-9]|$)`)
	oracleLong  = regexp.MustCompile(`[0-9]([ \t._+()/-]{0,3}[0-9]){6,}`)
	oracleDate  = regexp.MustCompile(`(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}`)
)

// oracle finds with regular expressions, on normalised text, what Scrub may have left. It shares no code with Scrub.
func oracle(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) || unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' {
			return -1
		}
		return r
	}, norm.NFKD.String(text))
	if found := oracleEmail.FindString(text); found != "" {
		return "e-mail " + found
	}
	text = oracleDate.ReplaceAllString(text, "DATE")
	if found := oracleIPv4.FindString(text); found != "" {
		return "ip " + found
	}
	if found := oracleLong.FindString(text); found != "" {
		return "number " + found
	}
	return ""
}

func TestScrubLeavesNoPlantedSecret(t *testing.T) {
	scrub := Scrub()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.OneOf(
			rapid.StringMatching(`[a-z]{3,9}[.+]?[a-z0-9]{1,9}@[a-z]{2,9}\.(com|de|co\.uk)`),
			rapid.StringMatching(`\+[1-9][0-9]{1,2} ?\(?[0-9]{3}\)?[ -]?[0-9]{3}[ -]?[0-9]{4}`),
			rapid.StringMatching(`(1[0-9]{2}|2[0-4][0-9]|[1-9][0-9])(\.(1[0-9]{2}|[1-9]?[0-9])){3}`),
			rapid.StringMatching(`2001:db8(:[0-9a-f]{1,4}){6}`),
			rapid.StringMatching(`4[0-9]{3}([ -]?)[0-9]{4} ?[0-9]{4} ?[0-9]{4}`),
		).Draw(t, "secret")
		before := rapid.StringMatching(`([A-Za-zäöü日本 ,.;!?\n]{0,12} )?`).Draw(t, "before")
		after := rapid.StringMatching(`([ ,;!?\n][A-Za-zäöü日本 ,.;!?]{0,12})?`).Draw(t, "after")
		out, err := scrub.Append(nil, []byte(before+secret+after))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), secret) || !strings.Contains(string(out), "[") || oracle(string(out)) != "" {
			t.Fatalf("%q became %q", before+secret+after, out)
		}
		for _, part := range strings.FieldsFunc(secret, func(r rune) bool { return !unicode.IsDigit(r) && !unicode.IsLetter(r) }) {
			if len(part) >= 5 && strings.Contains(string(out), part) {
				t.Fatalf("%q kept %q", out, part)
			}
		}
	})
}

func TestScrubKeepsQuietTextAsItIs(t *testing.T) {
	scrub := Scrub()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[A-Za-zäöüß日本😀 ,.;!?\n"'()<>=&-]{0,200}`).Draw(t, "text")
		out, err := scrub.Append(nil, []byte(text))
		if err != nil || string(out) != text {
			t.Fatalf("%q became %q (%v)", text, out, err)
		}
	})
}

// TestScrubIsLinear: sixteen times the text may not take much more than sixteen times as long. The factor is generous,
// because a quadratic search would exceed it many times over.
func TestScrubIsLinear(t *testing.T) {
	patterns := []string{"@", "%40", "a@", "a%40", "1-", "1", "a:", "::", "1.2.", "aaaa:", "é@", "\"@", "a@[", "1234567\n", "2026-04-13 ", "\u200b", "12 ", "%4"}
	dst := make([]byte, 0, 1<<20)
	for _, pattern := range patterns {
		cost := func(size int) time.Duration {
			text := []byte(strings.Repeat(pattern, size/len(pattern)))
			best := time.Hour
			for range 5 {
				began := time.Now()
				_, err := Scrub().Append(dst, text)
				require.NoError(t, err)
				best = min(best, time.Since(began))
			}
			return best
		}
		small, large := cost(4<<10), cost(64<<10)
		assert.Less(t, large, 16*10*max(small, 10*time.Microsecond), "%q: %v then %v", pattern, small, large)
	}
}

func FuzzScrub(f *testing.F) {
	for _, seed := range []string{"call +49 170 1234567", "alice@example.com", "a%40b", "::ffff:1.2.3.4", "４１１１ 1111 1111 1111", "2026-04-13 1", "\"a b\"@c", "x@[1", "é\u0301@\u200bz"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		scrub := Scrub()
		out, err := scrub.Append([]byte("x"), in)
		if err != nil {
			if string(out) != "x" || utf8.Valid(in) {
				t.Fatalf("refused %q with %q", in, out)
			}
			return
		}
		if !utf8.Valid(out) {
			t.Fatalf("%q became %q", in, out)
		}
		if left := oracle(string(out[1:])); left != "" {
			t.Fatalf("%q became %q, which has %s", in, out[1:], left)
		}
		again, err := scrub.Append(nil, out[1:])
		if err != nil || finds(string(again)) != finds(string(out[1:])) {
			t.Fatalf("%q became %q, then %q", in, out[1:], again)
		}
	})
}

// finds counts what a second pass must not find anew. Addresses of IPv6 are left out: what stood around a number can look
// like one when the number is gone.
func finds(text string) int {
	return strings.Count(text, labelEmail) + strings.Count(text, labelPhone) + strings.Count(text, labelCard)
}

func BenchmarkScrub(b *testing.B) {
	for name, text := range map[string]string{
		"quiet":   strings.Repeat("A quiet sentence about nothing at all. ", 26),
		"secrets": strings.Repeat("Call +49 170 1234567 or write to a@b.com. ", 24),
		"unicode": strings.Repeat("Größe und Maß, 日本語, mail jösé@b.com ", 24),
	} {
		b.Run(fmt.Sprintf("%s/%d", name, len(text)), func(b *testing.B) {
			dst, in := make([]byte, 0, 4096), []byte(text)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = Scrub().Append(dst, in)
			}
		})
	}
}
