package generate

import (
	"strconv"
	"strings"
)

const (
	webApp  = "web_app"
	backend = "backend"
)

// form is how one kind of event is written: its source, its contract's version, the purpose that must hold to store
// it, and the properties that flaws bite. Those name a property only where the contract makes the flaw a fault.
type form struct {
	source   string
	version  string
	storage  string
	required string
	listed   string
	bounded  string
	closed   bool // an undeclared property is a fault
	write    func(d *draft, b []byte) []byte
}

func versionOf(event string) string { return forms[event].version }
func sourceOf(event string) string  { return forms[event].source }

// twistable tells whether an event of this name has a property for the twist.
func twistable(event string, t twist) bool {
	f := forms[event]
	switch t {
	case leftOut:
		return f.required != ""
	case unlisted:
		return f.listed != ""
	case tooLong:
		return f.bounded != ""
	case undeclared:
		return f.closed
	}
	return true
}

func (d *draft) properties(b []byte) []byte {
	return forms[d.name].write(d, b)
}

// bites tells whether the draft's twist falls on this property, and marks it as done.
func (d *draft) bites(name string) bool {
	if d.twist == untwisted || d.twisted {
		return false
	}
	f := forms[d.name]
	hit := d.twist == wrongType || d.twist == leftOut && name == f.required ||
		d.twist == unlisted && name == f.listed || d.twist == tooLong && name == f.bounded
	d.twisted = hit
	return hit
}

// bitten writes the property with the draft's flaw in it.
func (d *draft) bitten(b []byte, name, wrong string) []byte {
	switch d.twist {
	case leftOut:
		return b
	case unlisted:
		return member(b, name, "not-in-the-list")
	case tooLong:
		return member(b, name, strings.Repeat("long ", 3000))
	}
	return rawMember(b, name, wrong)
}

func rawMember(b []byte, name, value string) []byte {
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `":`...)
	b = append(b, value...)
	return append(b, ',')
}

func (d *draft) text(b []byte, name, value string) []byte {
	if d.bites(name) {
		return d.bitten(b, name, "4711")
	}
	return member(b, name, value)
}

func (d *draft) number(b []byte, name string, value int) []byte {
	if d.bites(name) {
		return d.bitten(b, name, `"many"`)
	}
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `":`...)
	b = strconv.AppendInt(b, int64(value), 10)
	return append(b, ',')
}

func (d *draft) flag(b []byte, name string, value bool) []byte {
	if d.bites(name) {
		return d.bitten(b, name, `"yes"`)
	}
	return rawMember(b, name, strconv.FormatBool(value))
}

// money writes an amount of minor units as a decimal number.
func (d *draft) money(b []byte, name string, cents int) []byte {
	if d.bites(name) {
		return d.bitten(b, name, `"dear"`)
	}
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `":`...)
	b = strconv.AppendInt(b, int64(cents/100), 10)
	b = append(b, '.', byte('0'+cents/10%10), byte('0'+cents%10))
	return append(b, ',')
}
