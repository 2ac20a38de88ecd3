package generate

import (
	"strconv"
)

// Canary is a unique text planted at Field, a direct identifier. It must never be found at a destination whose policy
// does not keep that field as it is.
type Canary struct {
	Value string `json:"value"`
	Field string `json:"field"`
}

// Canaries lists what was planted so far, in the order of the events. Canaries of flawed events are among them: what
// is broken must not leak either.
func (g *Generator) Canaries() []Canary { return g.canaries }

// plant notes a canary and returns its text.
func (d *draft) plant(field, text string) string {
	d.canaries = append(d.canaries, Canary{text, field})
	return text
}

// mark is the part of a canary that makes it unique in the stream and among seeds.
func (d *draft) mark() string {
	return strconv.FormatUint(d.opts.Seed, 10) + "-" + strconv.Itoa(d.n)
}

// email is an address for the field: the person's, or a canary.
func (d *draft) email(field string) string {
	if d.canary {
		return d.plant(field, "canary-"+d.mark()+"@example.com")
	}
	return "person" + strconv.Itoa(d.who.index) + "@example.com"
}

// phone uses the unassigned country code 999 for canaries, and numbers set aside for fiction for the others.
func (d *draft) phone(field string) string {
	if d.canary {
		digits := strconv.FormatUint(1_000_000_000+spread(d.opts.Seed^uint64(d.n)<<20)%9_000_000_000, 10)
		return d.plant(field, "+999"+digits)
	}
	return "+120255501" + strconv.Itoa(10+d.who.index%90)
}

// fullName is a made-up name for the field, or a canary.
func (d *draft) fullName(field string) string {
	if d.canary {
		return d.plant(field, "Canary Name-"+d.mark()+"-n")
	}
	return d.pick("Ada Example", "Grace Sample", "Alan Specimen", "Edsger Demo", "Barbara Test", "Zo\u00eb Muster")
}

// query is what somebody searched for: their own address, as people do, or a canary address.
func (d *draft) query() string {
	if d.canary {
		return d.plant("properties.search_query", "canary-query-"+d.mark()+"@example.com")
	}
	return d.pick("invoice 2026", "export to csv", "person"+strconv.Itoa(d.who.index)+"@example.com", "+12025550123", "weekly report")
}

// iban is an account number of the country code XX, which no country has.
func (d *draft) iban(field string) string {
	digits := strconv.FormatUint(100_000_000_000_000+spread(d.opts.Seed^uint64(d.n)<<16)%900_000_000_000_000, 10)
	if d.canary {
		return d.plant(field, "XX98"+digits+"7")
	}
	return "XX00" + digits
}

// freeText is a message that people write into forms, with an address in it, or a canary.
func (d *draft) freeText(field string) string {
	if d.canary {
		return "Please write to " + d.plant(field, "canary-text-"+d.mark()+"@example.com") + ", thanks"
	}
	return d.pick(
		`How does billing work for several teams?`,
		`Please write to person`+strconv.Itoa(d.who.index)+`@example.com\nThanks!`,
		`We would like a demo for \"forty\" people next week, call +12025550123`,
		`Is there a data processing agreement? \u00dcber alles Weitere sprechen wir gern.`,
		`Our address is 192.0.2.44, the export does not arrive`,
	)
}

// ip is an address out of the documentation ranges. Canaries are whole IPv6 addresses: truncated, they are gone.
func (d *draft) ip() string {
	x := spread(d.opts.Seed<<24 ^ uint64(d.n))
	if d.canary {
		text := "2001:db8"
		for shift := range 4 {
			text += ":" + strconv.FormatUint(0x1000|x>>(16*shift)&0xefff, 16)
		}
		return d.plant("context.ip", text+":"+strconv.FormatUint(0x1000|uint64(d.n)>>15&0xefff, 16)+":"+strconv.FormatUint(0x8000|uint64(d.n)&0x7fff, 16))
	}
	who := spread(uint64(d.who.index))
	switch who % 4 {
	case 0:
		return "198.51.100." + strconv.FormatUint(1+who>>8%254, 10)
	case 1:
		return "2001:db8:" + strconv.FormatUint(who>>16&0xffff|1, 16) + "::" + strconv.FormatUint(who>>32&0xffff|1, 16)
	}
	return "192.0.2." + strconv.FormatUint(1+who>>8%254, 10)
}

var agents = [...]string{
	"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15",
}

func (d *draft) userAgent() string {
	if d.canary {
		return d.plant("context.user_agent", "Mozilla/5.0 (Canary agent-"+d.mark()+"-ua)")
	}
	return agents[d.who.index%len(agents)]
}
