package corpus

import (
	"fmt"
	"strings"

	"github.com/ebbgate/ebbgate/internal/event"
)

// build makes the whole corpus from the tables. The verdicts follow from the groups, never from the scanner.
func build() []Case {
	var c cases
	c.near()
	c.duplicates()
	c.encodings()
	c.grammar()
	c.limits()
	c.accepted()
	return c
}

type cases []Case

func (c *cases) add(want, name, raw string) {
	*c = append(*c, Case{Name: name, Raw: []byte(raw), Want: want})
}

func (c *cases) near() {
	for _, h := range homes {
		for _, s := range nearSpellings {
			key := s.write(h.name)
			if key == "" {
				continue
			}
			c.add(event.CodeNearName, "near/"+h.path+"/"+s.name, h.before+`"`+key+`":"v"`+h.after)
		}
		c.add(event.CodeControlChar, "near/"+h.path+"/NUL behind", h.before+`"`+h.name+`\u0000":"v"`+h.after)
		c.add(event.CodeControlChar, "near/"+h.path+"/NUL inside", h.before+`"`+inside(`\u0000`)(h.name)+`":"v"`+h.after)
		c.add(event.CodeControlChar, "near/"+h.path+"/raw NUL", h.before+`"`+h.name+"\x00"+`":"v"`+h.after)
	}
	for _, key := range []string{
		"properties.email", "properties[email]", "properties['email']", "properties/email", "/properties/email",
		"$.properties.email", "properties.user.phone", "properties.items[0].sku", "properties.items[].sku", "properties.unknown",
		"Properties.Email", "consent.marketing", "context.ip", "subject.user_id", "properties.\u200bemail", "event_name.x",
	} {
		c.add(event.CodeNearName, "near/path at the root/"+key, `{"`+key+`":"v"}`)
	}
	for _, key := range []string{"user.phone", "user[phone]", "user/phone", "items[0].sku", "items.0.sku", "tags[0]", "tags.0", "USER.PHONE"} {
		c.add(event.CodeNearName, "near/path in properties/"+key, `{"properties":{"`+key+`":"v"}}`)
	}
}

func (c *cases) duplicates() {
	undeclared := []home{
		{"undeclared", "note", `{"properties":{"other":{`, `}}}`},
		{"in a list", "note", `{"x":[[{`, `}]]}`},
		{"below a leaf", "note", `{"properties":{"email":{`, `}}}`},
		{"beyond ASCII", "größe", `{"x":{`, `}}`},
		{"with punctuation", "a b.c", `{"x":{`, `}}`},
	}
	for _, h := range append(undeclared, homes...) {
		for _, first := range exactEscapes {
			for _, second := range exactEscapes {
				raw := h.before + `"` + first.write(h.name) + `":"A","zz":{"y":[]},"` + second.write(h.name) + `":"B"` + h.after
				c.add(event.CodeDuplicateName, "duplicate/"+h.path+"/"+first.name+", "+second.name, raw)
			}
		}
		c.add(event.CodeDuplicateName, "duplicate/"+h.path+"/another type", h.before+`"`+h.name+`":1,"`+h.name+`":{"b":2}`+h.after)
	}
	var many strings.Builder
	for i := range 300 {
		fmt.Fprintf(&many, `"n%d":%d,`, i, i)
	}
	for _, again := range []string{"n0", "n7", "n15", "n16", "n17", "n299", `\u006e42`} {
		c.add(event.CodeDuplicateName, "duplicate/among 300/"+again, `{"x":{`+many.String()+`"`+again+`":0}}`)
	}
}

func (c *cases) encodings() {
	for name, bytes := range map[string]string{
		"lone continuation": "\x80", "lone lead": "\xc3", "lead and ASCII": "\xc3(", "overlong slash": "\xc0\xaf",
		"overlong, three bytes": "\xe0\x80\xaf", "overlong, four bytes": "\xf0\x80\x80\xaf", "overlong e": "\xc1\xa5",
		"encoded surrogate": "\xed\xa0\x80", "encoded surrogate pair": "\xed\xa0\xbd\xed\xb8\x80", "above U+10FFFF": "\xf4\x90\x80\x80",
		"five bytes": "\xf8\x88\x80\x80\x80", "0xff": "\xff", "truncated, three bytes": "\xe4\xb8", "truncated, four bytes": "\xf0\x9f\x98",
		"Latin-1 e acute": "caf\xe9", "invalid after valid": "é中\xbf",
	} {
		c.add(event.CodeUTF8, "utf8/"+name+" in a value", `{"properties":{"email":"a`+bytes+`"}}`)
		c.add(event.CodeUTF8, "utf8/"+name+" in an undeclared value", `{"x":["`+bytes+`, a longer text"]}`)
		c.add(event.CodeUTF8, "utf8/"+name+" in a name", `{"properties":{"em`+bytes+`ail":1}}`)
	}
	for name, escape := range map[string]string{
		"lone high": `\ud800`, "lone low": `\udfff`, "reversed": `\udc00\ud800`, "two high": `\ud800\ud800`, "high and letter": `\ud83dx`,
		"high and escape": `\ud83d\n`, "high and plain escape": `\ud83d\u0041`, "low after a pair": `\ud83d\ude00\ude00`, "high at the end": `x\uDBFF`,
		"pair cut short": `\ud83d\u`, "pair not hexadecimal": `\ud83d\uzzzz`,
	} {
		c.add(event.CodeSurrogate, "surrogate/"+name+" in a value", `{"properties":{"email":"`+escape+`"}}`)
		c.add(event.CodeSurrogate, "surrogate/"+name+" in a name", `{"properties":{"email`+escape+`":1}}`)
	}
	for b := range 0x20 {
		c.add(event.CodeControlChar, fmt.Sprintf("control/0x%02x in a value", b), `{"x":"some text`+string(rune(b))+`"}`)
	}
	c.add(event.CodeBOM, "mark/UTF-8", "\xef\xbb\xbf{}")
	c.add(event.CodeBOM, "mark/UTF-16 little endian", "\xff\xfe{\x00}\x00")
	c.add(event.CodeBOM, "mark/UTF-16 big endian", "\xfe\xff\x00{\x00}")
	c.add(event.CodeSyntax, "mark/UTF-16 without a mark", "{\x00}\x00")
	c.add(event.CodeTrailingData, "mark/behind the event", "{}\xef\xbb\xbf")
}

func (c *cases) limits() {
	repeat := strings.Repeat
	c.add(event.CodeTooDeep, "limit/objects 33 deep", repeat(`{"a":`, 33)+"1"+repeat("}", 33))
	c.add("ok", "limit/objects 32 deep", repeat(`{"a":`, 32)+"1"+repeat("}", 32))
	c.add(event.CodeTooDeep, "limit/20,000 open arrays", `{"a":`+repeat("[", 20_000))
	c.add(event.CodeKeyTooLong, "limit/name of 129 bytes", `{"`+repeat("n", 129)+`":1}`)
	c.add("ok", "limit/name of 128 bytes", `{"`+repeat("n", 128)+`":1}`)
	c.add(event.CodeStringTooLong, "limit/string of 64 KiB and one", `{"a":"`+repeat("n", 64<<10+1)+`"}`)
	var many strings.Builder
	for i := range 513 {
		fmt.Fprintf(&many, `,"n%d":%d`, i, i)
	}
	c.add(event.CodeTooManyKeys, "limit/513 names", "{"+many.String()[1:]+"}")
	for number, want := range map[string]string{
		"-0": "ok", "1e308": "ok", "1e-999": "ok", "9007199254740993": "ok", "18446744073709551616": "ok",
		"1e999": event.CodeNumber, "-1e999": event.CodeNumber, "1e309": event.CodeNumber, "1" + repeat("0", 400): event.CodeNumber,
		repeat("9", 65): event.CodeNumber, repeat("9", 64): "ok",
	} {
		c.add(want, "limit/number "+number[:min(len(number), 20)]+fmt.Sprintf(", %d characters", len(number)), `{"properties":{"plan":`+number+`}}`)
	}
}

func (c *cases) accepted() {
	for _, name := range farNames {
		if name == "phone" || name == "sku" || name == "marketing" || name == "user_id" {
			c.add("ok", "far/at another place/"+name, `{"properties":{"`+strings.ToUpper(name)+`":1}}`)
			continue
		}
		c.add("ok", "far/"+name, `{"properties":{"`+name+`":1}}`)
	}
	for _, h := range homes {
		c.add("ok", "exact/"+h.path, h.before+`"`+h.name+`":"v"`+h.after)
		for _, s := range exactEscapes[1:] {
			c.add("ok", "exact/"+h.path+"/"+s.name, h.before+`"`+s.write(h.name)+`":"v"`+h.after)
		}
	}
	for _, raw := range []string{
		`{"x":{"email":1,"Email":2,"EMAIL":3}}`, `{"properties":{"email":{"Email":1,"email[0]":2}}}`, `{"properties":{"tags":[{"EMAIL":1}]}}`,
		`{"properties":[{"Email":"v"}]}`, `{"a":"\u0000"}`, `{"a":"\ud83d\ude00","😀":1}`, `{"a":"\u2028 \ufeff"}`, `{"a":"` + "\x7f" + `"}`,
	} {
		c.add("ok", "accepted/"+raw, raw)
	}
}
