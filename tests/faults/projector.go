package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// projector makes the document that one destination should have of one event.
type projector struct {
	*reference
	to       *destination
	declared map[string]bool
	held     func(purpose string) bool
}

func (p projector) value(path string, v any) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			below := name
			if path != "" {
				below = path + "." + name
			}
			if shown, ok := p.value(below, member); ok {
				out[name] = shown
			}
		}
		return out, len(out) > 0
	case []any:
		var out []any
		for _, item := range v {
			if shown, ok := p.value(path+"[]", item); ok {
				out = append(out, shown)
			}
		}
		return out, len(out) > 0
	}
	return p.leaf(path, v)
}

func (p projector) leaf(path string, v any) (any, bool) {
	if strings.HasPrefix(path, "properties.") && !p.declared[path] {
		return nil, false
	}
	rule := p.to.Fields[path]
	if word, ok := rule.(string); ok {
		rule = map[string]any{word: true}
	}
	spec, _ := rule.(map[string]any)
	if needs, ok := spec["requires"].(string); ok && !p.held(needs) {
		return nil, false
	}
	text := fmt.Sprint(v)
	for operation, argument := range spec {
		switch operation {
		case "keep":
			return v, true
		case "tokenize":
			return p.token(path, text), true
		case "scrub":
			return scrubbed(text), true
		case "bucket":
			return bucketed(v.(json.Number), argument.([]any)), true
		case "truncate_ip":
			return shortened(text, argument.(map[string]any)), true
		case "truncate_time":
			at, err := time.Parse(time.RFC3339, text)
			return at.UTC().Truncate(24 * time.Hour).Format(time.RFC3339), err == nil && argument == "day"
		case "mask":
			return masked(text), argument == "phone"
		}
	}
	return nil, false
}

// token is the first half of an HMAC in base 32, with lower-case letters.
func (p projector) token(path, text string) string {
	key, id := p.ring.Token(p.to.Name, path)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return "t1." + id + "." + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:16]))
}

// What free text of the generator may hold.
var (
	mails  = regexp.MustCompile(`[^\s@]+@example\.com`)
	hosts  = regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`)
	phones = regexp.MustCompile(`\+?\d{7,}`)
)

func scrubbed(text string) string {
	text = mails.ReplaceAllString(text, "[email]")
	text = hosts.ReplaceAllString(text, "[ip]")
	return phones.ReplaceAllString(text, "[phone]")
}

func bucketed(v json.Number, bounds []any) string {
	n, _ := v.Float64()
	below := ""
	for _, bound := range bounds {
		at := fmt.Sprint(bound)
		if n < float64(bound.(int)) {
			if below == "" {
				return "<" + at
			}
			return below + "-" + at
		}
		below = at
	}
	return ">=" + below
}

func shortened(text string, bits map[string]any) string {
	address := netip.MustParseAddr(text)
	keep := bits["v6"].(int)
	if address.Is4() {
		keep = bits["v4"].(int)
	}
	network, _ := address.Prefix(keep)
	return network.Addr().String()
}

// masked keeps the country code and the last two digits. The generator's numbers are of the zones 1 and 999.
func masked(phone string) string {
	code := "+1"
	if strings.HasPrefix(phone, "+999") {
		code = "+999"
	}
	return code + "***" + phone[len(phone)-2:]
}
