package bloblang

import (
	"github.com/redpanda-data/benthos/v4/public/bloblang"

	"github.com/ebbgate/ebbgate/internal/mask"
)

func newSpec(description string) *bloblang.PluginSpec {
	return bloblang.NewPluginSpec().Category(category).Version("0.1.0").Static().Description(description)
}

// fixed is for transforms without arguments.
func fixed(transform mask.Transform) func(*bloblang.ParsedParams) (mask.Transform, error) {
	return func(*bloblang.ParsedParams) (mask.Transform, error) { return transform, nil }
}

func transforms() []method {
	return append(masks(), truncations()...)
}

func masks() []method {
	return []method{
		{
			"ebb_mask_email", newSpec("Keeps an e-mail address's domain, and the first character of a local part of four or more. What is not one e-mail address is an error.").
				Example("", `root.email = this.email.ebb_mask_email()`, [2]string{`{"email":"alice@Example.com"}`, `{"email":"a***@example.com"}`}).
				Example("A short local part is hidden as a whole.", `root.email = this.email.ebb_mask_email()`, [2]string{`{"email":"bob@example.com"}`, `{"email":"***@example.com"}`}),
			fixed(mask.MaskEmail()),
		},
		{
			"ebb_mask_phone", newSpec("Keeps a phone number's country code, if it is written with + or 00, and the last two digits.").
				Example("", `root.phone = this.phone.ebb_mask_phone()`, [2]string{`{"phone":"+49 (170) 123-4567"}`, `{"phone":"+49***67"}`}),
			fixed(mask.MaskPhone()),
		},
		{
			"ebb_last_four", newSpec("Keeps the last four digits of a card or account number of eight or more letters and digits.").
				Example("", `root.card = this.card.ebb_last_four()`, [2]string{`{"card":"4111 1111 1111 1234"}`, `{"card":"****1234"}`}),
			fixed(mask.LastFour()),
		},
		{
			"ebb_scrub", newSpec("Replaces e-mail addresses, phone and card numbers and IP addresses in free text. It takes too much rather than too little: every run of seven or more digits goes, except a date. It does not find names, or addresses in words.").
				Example("", `root.message = this.message.ebb_scrub()`, [2]string{
					`{"message":"Mail alice@example.com or call +49 170 1234567 from 10.0.0.1 before 2026-04-13"}`,
					`{"message":"Mail [email] or call [phone] from [ip] before 2026-04-13"}`,
				}),
			fixed(mask.Scrub()),
		},
	}
}

func truncations() []method {
	return []method{
		{
			"ebb_truncate_ip", newSpec("Keeps the network of an IP address and zeroes the rest. IPv4 addresses in IPv6 form count as IPv4.").
				Param(bloblang.NewInt64Param("v4").Default(int64(24)).Description("Bits of an IPv4 address to keep, 0 to 24.")).
				Param(bloblang.NewInt64Param("v6").Default(int64(48)).Description("Bits of an IPv6 address to keep, 0 to 64.")).
				Example("", `root.ip = this.ip.ebb_truncate_ip(24, 48)`,
					[2]string{`{"ip":"203.0.113.9"}`, `{"ip":"203.0.113.0"}`}, [2]string{`{"ip":"2001:db8:1:2::3"}`, `{"ip":"2001:db8:1::"}`},
					[2]string{`{"ip":"::ffff:203.0.113.9"}`, `{"ip":"203.0.113.0"}`}),
			buildTruncateIP,
		},
		{
			"ebb_truncate_time", newSpec("Keeps the hour, day, month or year, in UTC, of a time in RFC 3339 form or a timestamp.").
				Param(bloblang.NewStringParam("unit").Description("One of `hour`, `day`, `month` and `year`.")).
				Example("", `root.at = this.at.ebb_truncate_time("day")`, [2]string{`{"at":"2026-04-14T00:30:00+02:00"}`, `{"at":"2026-04-13T00:00:00Z"}`}),
			parsed("truncate_time", "unit"),
		},
		{
			"ebb_truncate", newSpec("Keeps the first characters of a text.").
				Param(bloblang.NewInt64Param("n").Description("How many characters to keep, 1 to 65536.")).
				Example("", `root.title = this.title.ebb_truncate(5)`, [2]string{`{"title":"Größenwahn"}`, `{"title":"Größe"}`}),
			parsed("truncate", "n"),
		},
		{
			"ebb_bucket", newSpec("Replaces a number by the range it is in.").
				Param(bloblang.NewAnyParam("bounds").Description("Numbers in ascending order; each begins a range.")).
				Example("", `root.seats = this.seats.ebb_bucket([10, 50])`,
					[2]string{`{"seats":9}`, `{"seats":"<10"}`}, [2]string{`{"seats":10.5}`, `{"seats":"10-50"}`}, [2]string{`{"seats":50}`, `{"seats":">=50"}`}),
			parsed("bucket", "bounds"),
		},
	}
}

func buildTruncateIP(args *bloblang.ParsedParams) (mask.Transform, error) {
	v4, err := args.GetInt64("v4")
	if err != nil {
		return nil, err
	}
	v6, err := args.GetInt64("v6")
	if err != nil {
		return nil, err
	}
	return mask.Parse("truncate_ip", map[string]any{"v4": v4, "v6": v6})
}

// parsed is for transforms with one argument, which they read as a policy's.
func parsed(transform, param string) func(*bloblang.ParsedParams) (mask.Transform, error) {
	return func(args *bloblang.ParsedParams) (mask.Transform, error) {
		value, err := args.Get(param)
		if err != nil {
			return nil, err
		}
		return mask.Parse(transform, value)
	}
}
