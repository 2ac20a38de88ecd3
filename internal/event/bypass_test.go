package event_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
)

func verdict(t require.TestingT, limits event.Limits, raw string) string {
	var ix event.Index
	err := event.NewScanner(newTestDictionary(t), limits).Scan([]byte(raw), &ix)
	if err == nil {
		requireAgreement(t, &ix)
		return "ok"
	}
	fault, ok := event.AsFault(err)
	require.True(t, ok)
	return fault.Code
}

// Each row is an input that widely used parsers are known to read in different ways, on raw bytes.
func TestInputsOnWhichParsersDisagree(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"duplicate name":                 {`{"properties":{"email":"A","email":"B"}}`, event.CodeDuplicateName},
		"duplicate through an escape":    {`{"properties":{"email":"A","\u0065mail":"B"}}`, event.CodeDuplicateName},
		"duplicate, escaped one first":   {`{"properties":{"\u0065mail":"A","email":"B"}}`, event.CodeDuplicateName},
		"duplicate, both escaped":        {`{"properties":{"\u0065mail":"A","e\u006Dail":"B"}}`, event.CodeDuplicateName},
		"duplicate undeclared":           {`{"properties":{"x":{"note":1,"y":2,"note":3}}}`, event.CodeDuplicateName},
		"duplicate undeclared, escaped":  {`{"x":[{"note":1,"\u006eote":3}]}`, event.CodeDuplicateName},
		"duplicate container":            {`{"properties":{"a":1},"properties":{"b":2}}`, event.CodeDuplicateName},
		"duplicate scalar and container": {`{"x":{"a":1,"a":{"b":2}}}`, event.CodeDuplicateName},
		"duplicate empty name":           {`{"":1,"":2}`, event.CodeDuplicateName},
		"other case":                     {`{"properties":{"EMAIL":"A"}}`, event.CodeNearName},
		"other case beside the name":     {`{"properties":{"email":"A","Email":"B"}}`, event.CodeNearName},
		"Kelvin sign":                    {"{\"properties\":{\"\u212aey\":\"A\"}}", event.CodeNearName},
		"Kelvin sign, escaped":           {`{"properties":{"\u212Aey":"A"}}`, event.CodeNearName},
		"invalid UTF-8 in a name":        {"{\"properties\":{\"em\xffail\":\"A\"}}", event.CodeUTF8},
		"invalid UTF-8 in a value":       {"{\"properties\":{\"email\":\"A\xc3\"}}", event.CodeUTF8},
		"lone high surrogate":            {`{"properties":{"email":"\ud800"}}`, event.CodeSurrogate},
		"lone low surrogate":             {`{"properties":{"email":"\udc00"}}`, event.CodeSurrogate},
		"lone surrogate in a name":       {`{"properties":{"em\ud800ail":1}}`, event.CodeSurrogate},
		"second document":                {`{"properties":{}}{"properties":{}}`, event.CodeTrailingData},
		"second document on a new line":  {"{}\n{}", event.CodeTrailingData},
		"text behind the document":       {`{} x`, event.CodeTrailingData},
		"byte order mark":                {"\xef\xbb\xbf{}", event.CodeBOM},
		"UTF-16":                         {"\xff\xfe{\x00}\x00", event.CodeBOM},
		"20,000 nested arrays":           {`{"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, event.CodeTooDeep},
		"20,000 open arrays":             {`{"x":` + strings.Repeat("[", 20000), event.CodeTooDeep},
		"NUL in a name":                  {`{"properties":{"email\u0000":"A"}}`, event.CodeControlChar},
		"zero-width space in a name":     {`{"properties":{"ema\u200bil":"A"}}`, event.CodeNearName},
		"list notation":                  {`{"properties":{"email[]":"A"}}`, event.CodeNearName},
		"index notation":                 {`{"properties":{"email[0]":"A"}}`, event.CodeNearName},
		"dotted name at the root":        {`{"properties.email":"A"}`, event.CodeNearName},
		"dotted name through a list":     {`{"properties":{"items[].sku":"A"}}`, event.CodeNearName},
		"trailing space":                 {`{"properties":{"email ":"A"}}`, event.CodeNearName},
	} {
		require.Equal(t, c.want, verdict(t, event.Limits{}, c.raw), name)
	}
}

func TestNumbersAreBounded(t *testing.T) {
	for number, want := range map[string]string{
		`0`: "ok", `-0`: "ok", `-0.0`: "ok", `1E+2`: "ok", `0e0`: "ok", `1.5e-7`: "ok",
		`9007199254740993`:              "ok", // 2^53+1: kept as text
		`18446744073709551616`:          "ok", // 2^64
		`1e308`:                         "ok",
		`1e-999`:                        "ok", // every reader makes it zero
		strings.Repeat("9", 64):         "ok",
		`1e999`:                         event.CodeNumber,
		`-1e999`:                        event.CodeNumber,
		`1e309`:                         event.CodeNumber,
		`1e99999999999999999999`:        event.CodeNumber,
		strings.Repeat("9", 65):         event.CodeNumber,
		`1` + strings.Repeat("0", 400):  event.CodeNumber, // 10^400
		`0.` + strings.Repeat("0", 400): event.CodeNumber,
		`01`:                            event.CodeNumber,
		`-01`:                           event.CodeNumber,
		`1.`:                            event.CodeNumber,
		`1.e5`:                          event.CodeNumber,
		`1e`:                            event.CodeNumber,
		`1e+`:                           event.CodeNumber,
		`-`:                             event.CodeNumber,
		`--1`:                           event.CodeNumber,
		`+1`:                            event.CodeSyntax,
		`.5`:                            event.CodeSyntax,
		`0x10`:                          event.CodeSyntax,
		`1_000`:                         event.CodeSyntax,
		`NaN`:                           event.CodeSyntax,
		`Infinity`:                      event.CodeSyntax,
		`-Infinity`:                     event.CodeNumber,
		`nul`:                           event.CodeSyntax,
		`True`:                          event.CodeSyntax,
	} {
		require.Equal(t, want, verdict(t, event.Limits{}, `{"properties":{"amount":`+number+`}}`), number)
		require.Equal(t, want, verdict(t, event.Limits{}, `{"a":[`+number+"\n]}"), number)
	}
}

func TestLongNumbersMustStillFitADouble(t *testing.T) {
	wide := event.Limits{MaxNumber: 1000}
	require.Equal(t, "ok", verdict(t, wide, `{"a":`+strings.Repeat("9", 308)+`}`))
	require.Equal(t, event.CodeNumber, verdict(t, wide, `{"a":`+strings.Repeat("9", 400)+`}`))
}

func nested(depth int, open, shut string) string {
	return `{"x":` + strings.Repeat(open, depth-1) + "1" + strings.Repeat(shut, depth-1) + `}`
}

func names(count int) string {
	var b strings.Builder
	for i := range count {
		b.WriteString(`,"n` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26) + `":0`)
	}
	return "{" + b.String()[1:] + "}"
}

func TestLimits(t *testing.T) {
	many := strings.Builder{}
	for i := range 10_000 {
		many.WriteString(`,"p` + strings.Repeat("0", i%3) + string(rune('a'+i%26)) + event.DeriveID("p", string(rune('0'+i)))[:12] + `":1`)
	}
	for name, c := range map[string]struct{ raw, want string }{
		"a property of 1 MB":           {`{"properties":{"email":"` + strings.Repeat("x", 1<<20-64) + `"}}`, event.CodeStringTooLong},
		"an event above 1 MiB":         {`{"properties":{"email":"` + strings.Repeat("x", 1<<20) + `"}}`, event.CodeTooLarge},
		"10,000 properties":            {`{"properties":{` + many.String()[1:] + `}}`, event.CodeTooManyKeys},
		"string at the limit":          {`{"a":"` + strings.Repeat("x", 64<<10) + `"}`, "ok"},
		"string above the limit":       {`{"a":"` + strings.Repeat("x", 64<<10+1) + `"}`, event.CodeStringTooLong},
		"escaped text at the limit":    {`{"a":"` + strings.Repeat(`\u0041`, 64<<10) + `"}`, "ok"},
		"escaped text above the limit": {`{"a":"` + strings.Repeat(`\u0041`, 64<<10+1) + `"}`, event.CodeStringTooLong},
		"name at the limit":            {`{"` + strings.Repeat("k", 128) + `":1,"b":2}`, "ok"},
		"name above the limit":         {`{"` + strings.Repeat("k", 129) + `":1,"b":2}`, event.CodeKeyTooLong},
		"escaped name at the limit":    {`{"` + strings.Repeat(`\u006b`, 128) + `":1}`, "ok"},
		"escaped name above the limit": {`{"` + strings.Repeat(`\u006b`, 129) + `":1}`, event.CodeKeyTooLong},
		"objects 32 deep":              {nested(32, `{"x":`, `}`), "ok"},
		"objects 33 deep":              {nested(33, `{"x":`, `}`), event.CodeTooDeep},
		"arrays 32 deep":               {nested(32, `[`, `]`), "ok"},
		"arrays 33 deep":               {nested(33, `[`, `]`), event.CodeTooDeep},
		"512 names":                    {names(512), "ok"},
		"513 names":                    {names(513), event.CodeTooManyKeys},
		"empty":                        {``, event.CodeEmpty},
		"white space":                  {" \r\n\t", event.CodeEmpty},
	} {
		require.Equal(t, c.want, verdict(t, event.Limits{}, c.raw), name)
	}
}

func TestSmallerLimitsHold(t *testing.T) {
	limits := event.Limits{MaxBytes: 40, MaxDepth: 2, MaxKeys: 2, MaxKey: 3, MaxString: 4, MaxNumber: 5}
	for raw, want := range map[string]string{
		`{"abc":"wxyz","b":[12345]}`:                           "ok",
		`{"abc":"wxyz","b":[12345]}` + strings.Repeat(" ", 20): event.CodeTooLarge,
		`{"a":{"b":{}}}`:                                       event.CodeTooDeep,
		`{"a":1,"b":2,"c":3}`:                                  event.CodeTooManyKeys,
		`{"abcd":1}`:                                           event.CodeKeyTooLong,
		`{"properties":{}}`:                                    event.CodeKeyTooLong,
		`{"a":"vwxyz"}`:                                        event.CodeStringTooLong,
		`{"a":"éé"}`:                                           "ok",
		`{"a":"ééx"}`:                                          event.CodeStringTooLong,
		`{"a":123456}`:                                         event.CodeNumber,
	} {
		require.Equal(t, want, verdict(t, limits, raw), raw)
	}
}

// A second name is found wherever the first stands: in the short list, in the table, at the step from one to the other.
func TestDuplicatesAmongManyNames(t *testing.T) {
	for _, count := range []int{1, 2, 15, 16, 17, 18, 40, 511} {
		document := names(count)
		list := strings.Split(strings.Trim(document, "{}"), ",")
		for _, at := range []int{0, count / 2, count - 1} {
			again := strings.TrimSuffix(document, "}") + "," + list[at] + "}"
			require.Equal(t, event.CodeDuplicateName, verdict(t, event.Limits{}, again), "%d names, %d again", count, at)
			escaped := `"\u006e` + strings.TrimPrefix(list[at], `"n`)
			again = strings.TrimSuffix(document, "}") + "," + escaped + "}"
			require.Equal(t, event.CodeDuplicateName, verdict(t, event.Limits{}, again), "%d names, %d escaped", count, at)
			again = `{"e":` + document + `,` + escaped + `,"o":[` + document + `,` + document + `],` + list[at] + `}`
			require.Equal(t, event.CodeDuplicateName, verdict(t, event.Limits{}, again), "across nested objects")
		}
		twice := `{"a":` + document + `,"b":[` + document + `,{"c":` + document + `}],"d":` + document + `}`
		require.Equal(t, "ok", verdict(t, event.Limits{}, twice), "the same names in different objects")
	}
}

func TestFaultsSayWhereWithoutUndeclaredNames(t *testing.T) {
	for raw, want := range map[string]string{
		`{"properties":{"secret":1,"secret":2}}`:           "event.duplicate_name at properties.? (byte 27): send every name once",
		`{"properties":{"email":1,"email":2}}`:             "event.duplicate_name at properties.email (byte 26): send every name once",
		`{"properties":{"items":[{"sku":"a"},{"SKU":1}]}}`: "event.near_name at properties.items[].sku (byte 38): spell the governed name exactly as the contract does",
		`{"secret":{"a":[[01]]}}`:                          "event.number at ?.?[][] (byte 17): send a JSON number that fits a double, or a string",
		`{"properties":{"email":{"x":"` + "\x01" + `"}}}`:  "event.control_char at properties.email.? (byte 29): escape control characters, and keep NUL out of names",
		`{"properties":{"email":tru}}`:                     "event.syntax at properties.email (byte 23): send one JSON object that follows RFC 8259",
		`{"properties":{"email":"x"`:                       "event.syntax at properties.email (byte 26): send one JSON object that follows RFC 8259",
		`{"properties":{"email":"x",`:                      "event.syntax at properties.? (byte 27): send one JSON object that follows RFC 8259",
		`[1]`:                                              "event.not_object: send one JSON object",
	} {
		var ix event.Index
		err := event.NewScanner(newTestDictionary(t), event.Limits{}).Scan([]byte(raw), &ix)
		require.EqualError(t, err, want)
	}
}
