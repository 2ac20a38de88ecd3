package event

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Dictionary numbers the governed paths of a workspace. It is immutable, and any number of scanners may share it.
type Dictionary struct {
	places []place // by Field; place zero is the event itself
	paths  []string
	byPath map[string]Field
}

// place is one governed path: its own name and what is governed below it.
type place struct {
	field   Field
	opaque  bool     // nothing below is governed
	name    string   // exactly as declared
	spelled spelling // how the name stands in an event
	fold    string   // in normal form, what near-names are compared with
	slots   []slot   // the names below, open addressing, the length is a power of two
	elem    *place   // of the elements, when the value is an array
}

type slot struct {
	hash  uint32
	place *place
}

// nowhere stands for every place that is not governed: nothing is found below it.
var nowhere = &place{opaque: true, slots: make([]slot, 1)}

func init() { nowhere.elem = nowhere }

// NewDictionary numbers the envelope's paths, then the given ones, in order. Dots separate names and a name that ends in
// `[]` is an array, whose elements' path it is: properties.items[].sku. Every ancestor of a path gets a Field of its own.
// It refuses paths it cannot read, names with a bracket, quote, backslash or control character, and names at one place that
// differ only in ways near-names do.
func NewDictionary(paths ...string) (*Dictionary, error) {
	b := &dictionaryBuilder{
		places: []*place{{}},
		paths:  []string{""},
		byPath: map[string]Field{},
		below:  []map[string]Field{{}},
	}
	for _, path := range envelopePaths[1:] {
		if err := b.add(path); err != nil {
			return nil, err
		}
	}
	for _, path := range paths {
		if err := b.add(path); err != nil {
			return nil, err
		}
	}
	return b.freeze(), nil
}

// Field is the number of a path, NoField when the path is not in the dictionary.
func (d *Dictionary) Field(path string) Field { return d.byPath[path] }

// Path is the path a field stands for, empty for NoField and for numbers of other dictionaries.
func (d *Dictionary) Path(f Field) string {
	if int(f) >= len(d.paths) {
		return ""
	}
	return d.paths[f]
}

// Len is one above the highest Field, so a slice of this length is indexed by Field.
func (d *Dictionary) Len() int { return len(d.paths) }

type dictionaryBuilder struct {
	places []*place
	paths  []string
	byPath map[string]Field
	below  []map[string]Field // by Field: normal form of each name below
	normal normalizer
}

func (b *dictionaryBuilder) add(path string) error {
	if path == "" {
		return fmt.Errorf("reading path %q: it is empty", path)
	}
	at, prefix := Field(0), ""
	for name := range strings.SplitSeq(path, ".") {
		name, lists := cutLists(name)
		next, err := b.child(at, prefix, name)
		if err != nil {
			return fmt.Errorf("reading path %q: %w", path, err)
		}
		for range lists {
			if next, err = b.element(next); err != nil {
				return err
			}
		}
		at, prefix = next, b.paths[next]+"."
	}
	return nil
}

func cutLists(name string) (string, int) {
	lists := 0
	for strings.HasSuffix(name, "[]") {
		name, lists = name[:len(name)-2], lists+1
	}
	return name, lists
}

func (b *dictionaryBuilder) child(at Field, prefix, name string) (Field, error) {
	if err := checkName(name); err != nil {
		return NoField, err
	}
	if f, known := b.byPath[prefix+name]; known {
		return f, nil
	}
	fold := string(b.normal.name([]byte(name)))
	if fold == "" {
		return NoField, fmt.Errorf("the name %q has no visible characters", name)
	}
	if other, clash := b.below[at][fold]; clash {
		return NoField, fmt.Errorf("the name %q cannot be told from %q, rename one", name, b.paths[other])
	}
	f, err := b.number(prefix+name, &place{name: name, fold: fold})
	if err == nil {
		b.below[at][fold] = f
	}
	return f, err
}

func (b *dictionaryBuilder) element(array Field) (Field, error) {
	if elem := b.places[array].elem; elem != nil {
		return elem.field, nil
	}
	elem := &place{}
	f, err := b.number(b.paths[array]+"[]", elem)
	b.places[array].elem = elem
	return f, err
}

func (b *dictionaryBuilder) number(path string, p *place) (Field, error) {
	if len(b.places) > math.MaxUint16 {
		return NoField, fmt.Errorf("numbering path %q: a dictionary holds at most %d paths", path, math.MaxUint16)
	}
	p.field = Field(len(b.places))
	b.places = append(b.places, p)
	b.paths = append(b.paths, path)
	b.byPath[path] = p.field
	b.below = append(b.below, map[string]Field{})
	return p.field, nil
}

func (b *dictionaryBuilder) freeze() *Dictionary {
	d := &Dictionary{places: make([]place, len(b.places)), paths: b.paths, byPath: b.byPath}
	for i, p := range b.places {
		frozen := &d.places[i]
		*frozen = *p
		frozen.spelled = spell(p.name)
		frozen.elem = nowhere
		if p.elem != nil {
			frozen.elem = &d.places[p.elem.field]
		}
		frozen.slots = make([]slot, 1)
		for len(frozen.slots) < 3*len(b.below[i]) {
			frozen.slots = append(frozen.slots, frozen.slots...)
		}
		for fold, f := range b.below[i] {
			hash, _ := hashName([]byte(fold))
			frozen.insert(slot{hash, &d.places[f]})
		}
		frozen.opaque = len(b.below[i]) == 0
	}
	return d
}

func (p *place) insert(s slot) {
	mask := uint32(len(p.slots) - 1)
	at := s.hash & mask
	for p.slots[at].place != nil {
		at = (at + 1) & mask
	}
	p.slots[at] = s
}

// byFold finds the place below p whose name has this normal form.
func (p *place) byFold(fold []byte) *place {
	hash, _ := hashName(fold)
	mask := uint32(len(p.slots) - 1)
	for at := hash & mask; p.slots[at].place != nil; at = (at + 1) & mask {
		if p.slots[at].hash == hash && p.slots[at].place.fold == string(fold) {
			return p.slots[at].place
		}
	}
	return nil
}

const maxNameLength = 128 // bytes

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a name is empty")
	case len(name) > maxNameLength:
		return fmt.Errorf("the name %q is longer than %d bytes", name, maxNameLength)
	case !utf8.ValidString(name):
		return fmt.Errorf("the name %q is not UTF-8", name)
	case strings.ContainsAny(name, `"\`):
		return fmt.Errorf("the name %q holds a quote or a backslash", name)
	case strings.ContainsAny(name, ".[]"):
		return fmt.Errorf("the name %q holds a bracket; lists are written name[]", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the name %q holds a control character", name)
	}
	return nil
}
