package signature

import (
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"
)

var algorithms = map[string]func() hash.Hash{"": sha256.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

var clocks = map[string]clock{"": unix, "unix": unix, "unix_ms": unixMilli, "rfc3339": rfc3339}

// wire turns the description into what the providers of ours are made of.
func (g Generic) wire() (wire, error) {
	w := wire{content: g.Content, form: whole{prefix: g.Prefix}, tolerance: 5 * time.Minute}
	name, err := headerName(g.Header, "generic.header")
	if err != nil {
		return wire{}, err
	}
	w.signatures = []string{name}
	algorithm, err := choose(algorithms, g.Algorithm, "generic.algorithm")
	if err != nil {
		return wire{}, err
	}
	encoding, err := choose(encodings, g.Encoding, "generic.encoding")
	if err != nil {
		return wire{}, err
	}
	w.key = textKey(algorithm, encoding)
	if w.clock, err = choose(clocks, g.TimestampFormat, "generic.timestamp_format"); err != nil {
		return wire{}, err
	}
	if w.timeHeader, err = g.signed("{timestamp}", g.TimestampHeader, "generic.timestamp_header"); err != nil {
		return wire{}, err
	}
	if w.idHeader, err = g.signed("{id}", g.IDHeader, "generic.id_header"); err != nil {
		return wire{}, err
	}
	if w.idHeader != "" {
		w.id = inHeader(w.idHeader)
	}
	return w, nil
}

// signed is the header of a placeholder. A header that is not signed says nothing that could be believed, and a placeholder
// without a header has no value.
func (g Generic) signed(placeholder, header, field string) (string, error) {
	used := strings.Contains(g.Content, placeholder)
	switch {
	case !used && header == "":
		return "", nil
	case !used:
		return "", fmt.Errorf("%s: generic.content does not sign %s: add it there, or remove the header", field, placeholder)
	case header == "":
		return "", fmt.Errorf("%s: generic.content signs %s: name the header that holds it", field, placeholder)
	}
	return headerName(header, field)
}

func choose[T any](all map[string]T, name, field string) (T, error) {
	chosen, known := all[name]
	if !known {
		names := slices.Sorted(maps.Keys(all))
		return chosen, fmt.Errorf("%s: unknown: give one of %s", field, strings.Join(names[1:], ", "))
	}
	return chosen, nil
}

// content is a parsed template: what stands before the body, and what stands after it.
type content struct {
	head, tail []part
	signsTime  bool
	// idStops are the bytes an id must not have, because the text after it could then be read as part of it.
	idStops string
}

// part is a literal text, or the id, or the timestamp.
type part struct {
	literal  string
	id, time bool
}

var errContent = errors.New("generic.content: give text with {body} once, {timestamp} and {id} at most once, and no other braces")

func parseContent(template string) (content, error) {
	var c content
	seen := map[string]bool{}
	into := &c.head
	for rest := template; rest != ""; {
		literal, after, found := strings.Cut(rest, "{")
		if literal != "" {
			*into = append(*into, part{literal: literal})
		}
		if !found {
			break
		}
		name, next, closed := strings.Cut(after, "}")
		if !closed || seen[name] {
			return c, errContent
		}
		seen[name], rest = true, next
		switch name {
		case "body":
			into = &c.tail
		case "timestamp":
			*into = append(*into, part{time: true})
		case "id":
			*into = append(*into, part{id: true})
		default:
			return c, errContent
		}
	}
	if !seen["body"] || strings.Contains(strings.Join(literals(c), ""), "}") {
		return c, errContent
	}
	c.signsTime = seen["timestamp"]
	return c, c.separateID(template)
}

func literals(c content) []string {
	var out []string
	for _, p := range slices.Concat(c.head, c.tail) {
		out = append(out, p.literal)
	}
	return out
}

// separateID demands a text around {id}: of two fields that touch, a forger may move bytes from one to the other. A time
// may touch the body, since one digit more or less is another century.
func (c *content) separateID(template string) error {
	before, after, found := strings.Cut(template, "{id}")
	if !found {
		return nil
	}
	if strings.HasSuffix(before, "}") || strings.HasPrefix(after, "{") {
		return errors.New("generic.content: {id} touches another field, so that bytes of one could pass for the other: put a text such as . between them")
	}
	if before != "" {
		c.idStops += before[len(before)-1:]
	}
	if after != "" {
		c.idStops += after[:1]
	}
	return nil
}

// appendParts writes what the parts stand for.
func appendParts(dst []byte, parts []part, r *reading) []byte {
	for _, p := range parts {
		switch {
		case p.id:
			dst = append(dst, r.id...)
		case p.time:
			dst = append(dst, r.time...)
		default:
			dst = append(dst, p.literal...)
		}
	}
	return dst
}
