package corpus

import "github.com/ebbgate/ebbgate/internal/event"

// Our own cases of the RFC 8259 grammar: what must be refused (n), what must be accepted (y), and what the RFC leaves to
// the parser (i), where the verdict is ours.

var notJSON = map[string]string{
	"no close": `{`, "no open": `}`, "wrong close": `{"a":1]`, "no value": `{"a":}`, "no colon": `{"a" 1}`, "no name": `{:1}`,
	"two colons": `{"a"::1}`, "trailing comma": `{"a":1,}`, "leading comma": `{,"a":1}`, "two commas": `{"a":1,,"b":2}`, "no comma": `{"a":1 "b":2}`,
	"semicolon": `{"a":1;"b":2}`, "bare name": `{a:1}`, "single quotes": `{'a':1}`, "number as name": `{1:1}`, "null as name": `{null:1}`,
	"array as name": `{["a"]:1}`, "name alone": `{"a"}`, "array open": `{"a":[1`, "array comma": `{"a":[1,]}`, "array two commas": `{"a":[1,,2]}`,
	"array leading comma": `{"a":[,1]}`, "array no comma": `{"a":[1 2]}`, "array wrong close": `{"a":[1}}`, "array colon": `{"a":["b":1]}`,
	"array only comma": `{"a":[,]}`, "string open": `{"a":"b}`, "string open in name": `{"a`, "string ends in backslash": `{"a":"\`,
	"unknown escape": `{"a":"\x41"}`, "escape a": `{"a":"\a"}`, "capital U": `{"a":"\U0041"}`, "escape zero": `{"a":"\0"}`, "escape quote": `{"a":"\'"}`,
	"short unicode": `{"a":"\u41"}`, "unicode not hex": `{"a":"\u00g1"}`, "unicode sign": `{"a":"\u+041"}`, "unicode cut": `{"a":"\u00`,
	"escape in name": `{"\x":1}`, "surrogate not hex": `{"a":"\u12\ud8"}`, "capital true": `{"a":TRUE}`, "short true": `{"a":tru}`,
	"long true": `{"a":truee}`, "short null": `{"a":nul`, "undefined": `{"a":undefined}`, "NaN": `{"a":NaN}`, "Infinity": `{"a":Infinity}`,
	"plus sign": `{"a":+1}`, "leading dot": `{"a":.5}`, "hexadecimal": `{"a":0x1F}`, "fullwidth digit": `{"a":１}`, "letter behind a number": `{"a":1a}`,
	"two dots": `{"a":1.2.3}`, "exponent twice": `{"a":1e2e3}`, "comment": `{"a":1/**/}`, "line comment": "{\"a\":1//x\n}", "hash comment": "{#\n}", "form feed": "{\f}",
	"vertical tab": "{\v\"a\":1}", "no-break space": "{\u00a0}", "zero-width space": "{\u200b}", "byte order mark inside": "{\ufeff\"a\":1}", "line separator": "{\u2028}",
	"NUL as space": "{\x00}", "NUL before": "\x00{}", "template": "{\"a\":`b`}", "function": `{"a":f()}`, "date": `{"a":new Date()}`, "spread": `{...a}`,
	"unquoted text": `{"a":text}`, "JSON inside parentheses": `({"a":1})`, "XML": `<a/>`, "YAML": "a: 1", "JSON prefix": ")]}',\n{}", "letter": `x`,
	"single minus in a list": `{"a":[1,minus]}`, "colon for comma": `{"a":1:"b":2}`, "escaped quote as close": `{"a":"b\"}`, "string behind string": `{"a":"b""c"}`,
	"newline in true": "{\"a\":tr\nue}", "star": `{"a":*}`, "quote only": `{"`, "closing parenthesis": `{"a":1)`,
}

var notObjects = []string{`[]`, `[{"a":1}]`, `"text"`, `1`, `-1`, `true`, `false`, `null`, ` [1]`, `"{}"`, `[`}

var brokenNumbers = []string{`01`, `-01`, `00`, `-`, `-x`, `1.`, `1.x`, `-.5`, `1e`, `1e+`, `1E-`, `1ex`, `0.`, `0e`, `-Infinity`, `-NaN`, `1.e1`, `2.e3`, `0.3e`, `0123.5`}

var isJSON = map[string]string{
	"empty object": `{}`, "space everywhere": " {\r\n\t\"a\" : [ ] , \"b\" : { } }\n", "empty name": `{"":0}`, "empty string": `{"a":""}`, "nested lists": `{"a":[[],[[]]]}`,
	"literals": `{"a":[true,false,null]}`, "numbers": `{"a":[0,-0,1,-1,0.1,-0.1,1e1,1E1,1e+1,1e-1,0e0,0.0e-0]}`, "all escapes": `{"a":"\"\\\/\b\f\n\r\t\u0041"}`,
	"pair": `{"a":"\ud834\udd1e"}`, "pair, capitals": `{"a":"\uD834\uDD1E"}`, "escaped noncharacter": `{"a":"\uffff\ufdd0"}`, "raw noncharacter": "{\"a\":\"\uffff\"}",
	"last code point": "{\"a\":\"\U0010ffff\"}", "delete": "{\"a\":\"\x7f\"}", "line separators": "{\"a\":\"\u2028\u2029\"}", "two bytes": "{\"a\":\"é\"}", "three bytes": "{\"a\":\"中\"}",
	"four bytes": "{\"a\":\"😀\"}", "escaped solidus": `{"a":"\/"}`, "backslash pairs": `{"a":"\\\\\\"}`, "escaped NUL in a value": `{"a":"\u0000"}`, "name like a number": `{"1":1}`,
	"long text": `{"a":"a text that is quite a bit longer than one word of eight bytes, with a \" in it"}`, "brackets in text": `{"a":"{[}]:,"}`,
}

func (c *cases) grammar() {
	for name, raw := range notJSON {
		c.add(event.CodeSyntax, "n/"+name, raw)
	}
	for _, raw := range notObjects {
		c.add(event.CodeNotObject, "n/not an object/"+raw, raw)
	}
	for _, number := range brokenNumbers {
		c.add(event.CodeNumber, "n/number/"+number, `{"a":`+number+`}`)
		c.add(event.CodeNumber, "n/number in a list/"+number, `{"properties":{"tags":[1,`+number+`]}}`)
	}
	for name, raw := range isJSON {
		c.add("ok", "y/"+name, raw)
	}
	for _, tail := range []string{"{}", "x", "]", "}", ",", "null", "\"", "\x00", "#", "/**/", "[]", "1"} {
		c.add(event.CodeTrailingData, "n/behind the event/"+tail, `{"a":1}`+tail)
		c.add(event.CodeTrailingData, "n/on the next line/"+tail, "{\"a\":1}\n"+tail)
	}
	c.add(event.CodeEmpty, "n/empty", "")
	c.add(event.CodeEmpty, "n/white space", " \n\t\r ")
}
