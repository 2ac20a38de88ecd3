package explain

import (
	"regexp"
	"strconv"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
)

func where(file string, line int) string { return file + ":" + strconv.Itoa(line) }

// collector joins decisions about values into fields, in order of first appearance: the elements of an array are one.
type collector struct {
	ix     *event.Index
	leaves map[event.Field]bool // governed as one value, whatever they hold
	fields []Field
	known  map[Field]int
}

func (e *Explainer) collect(ix *event.Index) *collector {
	return &collector{ix: ix, leaves: e.leaves, known: map[Field]int{}}
}

func (c *collector) add(f Field) {
	at, ok := c.known[f]
	if !ok {
		at = len(c.fields)
		c.known[f] = at
		c.fields = append(c.fields, f)
	}
	c.fields[at].Values++
}

var causes = map[policy.Cause]string{
	policy.CauseRule: Drop, policy.CauseUnlisted: NotListed, policy.CauseRequires: NotRequired, policy.CauseKind: WrongType,
	policy.CauseTransform: Unreadable,
}

func (c *collector) decision(d *policy.FieldDecision) {
	f := Field{Path: d.Path, Rule: d.Rule, Text: d.Text, Reason: d.Reason}
	switch d.Verdict {
	case "kept":
		f.Decision = Keep
	case "transformed":
		f.Decision = Transform
	default:
		f.Decision = causes[d.Cause]
	}
	if d.At == 0 {
		c.add(f)
		return
	}
	c.each(d.At, func(path string) {
		f.Path = path
		c.add(f)
	})
}

// each names every single value at and below a tape position. What contracts declare as one field is one value.
func (c *collector) each(at uint32, name func(path string)) {
	n := &c.ix.Nodes[at]
	if n.Kind < event.Object || n.Next == at+1 || c.leaves[n.Field] {
		name(c.path(at))
		return
	}
	for i := at + 1; i < n.Next; i = c.ix.Nodes[i].Next {
		c.each(i, name)
	}
}

// plainName is a name that can be shown although no contract declares it: one that a programmer chose. Others may be data,
// such as an address used as a key, and read `?`.
var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z_]{0,39}$`)

// path is the dotted path of a value. Governed places are called as contract and policy call them.
func (c *collector) path(at uint32) string {
	n := &c.ix.Nodes[at]
	if path := c.ix.Dict().Path(n.Field); path != "" || at == 0 {
		return path
	}
	parent := c.parent(at)
	above := c.path(parent)
	if c.ix.Nodes[parent].Kind == event.Array {
		return above + "[]"
	}
	name := string(c.ix.At(int(at)).Key(nil))
	if !plainName.MatchString(name) {
		name = "?"
	}
	if above == "" {
		return name
	}
	return above + "." + name
}

func (c *collector) parent(at uint32) (parent uint32) {
	for i := at; i > 0; {
		i--
		if c.ix.Nodes[i].Next > at {
			return i
		}
	}
	return 0
}
