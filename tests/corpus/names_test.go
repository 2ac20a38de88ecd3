package corpus

import (
	"fmt"
	"strings"
	"unicode"
)

// home is a governed name and the event it stands in.
type home struct{ path, name, before, after string }

var homes = []home{
	{"event_name", "event_name", `{`, `}`},
	{"subject.user_id", "user_id", `{"subject":{`, `}}`},
	{"consent.marketing", "marketing", `{"consent":{`, `}}`},
	{"context.ip", "ip", `{"context":{`, `}}`},
	{"properties", "properties", `{"x":1,`, `}`},
	{"properties.email", "email", `{"properties":{`, `}}`},
	{"properties.key", "key", `{"properties":{"plan":"pro",`, `}}`},
	{"properties.card_number", "card_number", `{"properties":{`, `,"other":true}}`},
	{"properties.user.phone", "phone", `{"properties":{"user":{`, `}}}`},
	{"properties.items[].sku", "sku", `{"properties":{"items":[{"sku":"a"},{`, `}]}}`},
}

// spelling writes a name in a way that is not the name but that somebody downstream may take for it. What it gives is
// put between quotes as it stands, so it may hold escapes. An empty result means the spelling does not apply.
type spelling struct {
	name  string
	write func(name string) string
}

func inside(text string) func(string) string {
	return func(name string) string { return name[:1] + text + name[1:] }
}

func around(before, after string) func(string) string {
	return func(name string) string { return before + name + after }
}

func runes(change func(rune) rune) func(string) string {
	return func(name string) string {
		if changed := strings.Map(change, name); changed != name {
			return changed
		}
		return ""
	}
}

func shifted(from rune) func(string) string {
	return runes(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return from + r - 'a'
		}
		return r
	})
}

func letters(pairs ...string) func(string) string {
	replacer := strings.NewReplacer(pairs...)
	return func(name string) string {
		if changed := replacer.Replace(name); changed != name {
			return changed
		}
		return ""
	}
}

var nearSpellings = []spelling{
	{"upper case", strings.ToUpper},
	{"capital", func(name string) string { return strings.ToUpper(name[:1]) + name[1:] }},
	{"last letter capital", func(name string) string { return name[:len(name)-1] + strings.ToUpper(name[len(name)-1:]) }},
	{"escaped capital", func(name string) string { return fmt.Sprintf(`\u%04x`, unicode.ToUpper(rune(name[0]))) + name[1:] }},
	{"zero-width space", inside("\u200b")},
	{"zero-width space, escaped", inside(`\u200B`)},
	{"zero-width joiner", inside("\u200d")},
	{"zero-width non-joiner", inside("\u200c")},
	{"word joiner", inside("\u2060")},
	{"soft hyphen", inside("\u00ad")},
	{"byte order mark inside", inside("\ufeff")},
	{"byte order mark first", around("\ufeff", "")},
	{"right-to-left override", around("\u202e", "")},
	{"isolate", around("\u2066", "\u2069")},
	{"variation selector", inside("\ufe0f")},
	{"supplementary variation selector", inside(`\udb40\udd00`)},
	{"tag character", inside(`\udb40\udc61`)},
	{"combining grapheme joiner", inside("\u034f")},
	{"Hangul filler", around("", "\u3164")},
	{"combining acute", inside("\u0301")},
	{"enclosing circle", inside("\u20dd")},
	{"fullwidth", shifted('ａ')},
	{"fullwidth capitals", shifted('Ａ')},
	{"circled", shifted('ⓐ')},
	{"mathematical bold", shifted('𝐚')},
	{"mathematical monospace", shifted('𝚊')},
	{"Kelvin sign", letters("k", "\u212a")},
	{"long s", letters("s", "\u017f")},
	{"dotless i", letters("i", "\u0131")},
	{"accented", letters("e", "é", "u", "ü", "i", "ì")},
	{"Cyrillic", letters("e", "е", "a", "а", "o", "о", "p", "р", "s", "ѕ", "y", "у", "i", "і")},
	{"small capitals", letters("e", "ᴇ", "a", "ᴀ", "o", "ᴏ", "i", "ɪ", "k", "ᴋ", "s", "ꜱ", "p", "ᴘ")},
	{"superscript", letters("e", "ᵉ", "a", "ᵃ", "o", "ᵒ", "i", "ⁱ", "k", "ᵏ", "s", "ˢ", "p", "ᵖ")},
	{"Greek", letters("e", "ε", "a", "α", "o", "ο", "p", "ρ", "k", "κ", "u", "υ", "i", "ι")},
	{"trailing space", around("", " ")},
	{"leading space", around(" ", "")},
	{"trailing tab, escaped", around("", `\t`)},
	{"leading newline, escaped", around(`\n`, "")},
	{"no-break space", around("", "\u00a0")},
	{"ideographic space", around("\u3000", "")},
	{"control character, escaped", inside(`\u0001`)},
	{"delete character", around("", "\x7f")},
	{"C1 control character", inside("\u0085")},
	{"list notation", around("", "[]")},
	{"index notation", around("", "[0]")},
	{"bracket notation", around("['", "']")},
	{"bracket notation, quoted", around(`[\"`, `\"]`)},
	{"path from the root", around("$.", "")},
	{"pointer", around("/", "")},
	{"escaped pointer", around(`\/`, "")},
	{"trailing dot", around("", ".")},
	{"leading dot", around(".", "")},
	{"deeper path", around("", ".value")},
	{"deeper path, escaped dot", around("", `\u002evalue`)},
	{"deeper pointer", around("/", "/value")},
	{"fullwidth dot", around("", "\uff0evalue")},
	{"one dot leader", around("", "\u2024value")},
	{"path after an index", around("[0].", "")},
	{"backslash", around(`\\`, "")},
	{"capital and path", func(name string) string { return strings.ToUpper(name) + "[1]" }},
	{"invisible and path", func(name string) string { return name[:1] + "\u200b" + name[1:] + ".value" }},
	{"quoted", around(`\"`, `\"`)},
}

// exactEscapes write the very name, in another way.
var exactEscapes = []spelling{
	{"plain", func(name string) string { return name }},
	{"first letter escaped", func(name string) string { return fmt.Sprintf(`\u%04x`, name[0]) + name[1:] }},
	{"last letter escaped", func(name string) string {
		return name[:len(name)-1] + fmt.Sprintf(`\u%04X`, name[len(name)-1])
	}},
	{"all escaped", func(name string) string {
		var b strings.Builder
		for _, r := range name {
			fmt.Fprintf(&b, `\u%04X`, r)
		}
		return b.String()
	}},
}

// farNames look suspicious but are names of their own: refusing them would only cost honest events.
var farNames = []string{
	"mail", "emails", "e_mail", "e-mail", "email2", "useremail", "email_address", "xemail", "emai", "name", "Name", "NAME", "préfix",
	"имя", "名前", "a.b", "a[0]", "/a/b", "$set", "@type", "#", "*", "$", "[0]", "0", " ", "", "x email", "email me", "mail.email", "🙂",
	"Résumé", "\u0915\u093f", "\u200b", "plan_", "_plan", "-plan", "plan-b", "email:", "phone", "sku", "marketing", "user_id",
}
