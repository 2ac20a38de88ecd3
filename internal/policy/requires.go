package policy

import (
	"errors"
	"slices"
	"strings"
)

// maxHeaders bounds the memory of a worker; a policy with more combinations than that builds some of them anew.
const maxHeaders = 1024

// requires is the header ebbgate_requires of the projection at hand: the destination's purpose, then for each further purpose that
// was relied on the fields that went only because of it.
func (w *Worker) requires() string {
	if w.relied == [4]uint64{} {
		return w.t.Purpose
	}
	w.text = append(w.text[:0], w.t.Purpose...)
	last := ""
	for k := range w.t.requirements {
		if w.relied[k>>6]&(1<<(k&63)) == 0 {
			continue
		}
		if r := &w.t.requirements[k]; r.purpose != last {
			w.text = append(append(append(w.text, ';'), r.purpose...), '=')
			last = r.purpose
		} else {
			w.text = append(w.text, ',')
		}
		w.text = append(w.text, w.t.requirements[k].path...)
	}
	if header, built := w.headers[string(w.text)]; built {
		return header
	}
	header := string(w.text)
	if w.headers == nil {
		w.headers = map[string]string{}
	}
	if len(w.headers) < maxHeaders {
		w.headers[header] = header
	}
	return header
}

// Requires is the parsed header ebbgate_requires of a record.
type Requires struct {
	Purpose string // the whole record was allowed by it
	Fields  []FieldRequires
}

// FieldRequires names fields of a record that were allowed only by a further purpose.
type FieldRequires struct {
	Purpose string
	Paths   []string
}

// ParseRequires reads a header that Project made. A sink that finds it unreadable must refuse the record.
func ParseRequires(header string) (Requires, error) {
	parts := strings.Split(header, ";")
	r := Requires{Purpose: parts[0]}
	if r.Purpose == "" {
		return Requires{}, errors.New("reading header ebbgate_requires: it names no purpose")
	}
	for _, part := range parts[1:] {
		purpose, list, ok := strings.Cut(part, "=")
		paths := strings.Split(list, ",")
		if !ok || purpose == "" || slices.Contains(paths, "") {
			return Requires{}, errors.New("reading header ebbgate_requires: a part is not purpose=path,path")
		}
		r.Fields = append(r.Fields, FieldRequires{purpose, paths})
	}
	return r, nil
}
