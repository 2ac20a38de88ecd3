package policy

import (
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
)

// storageNone is how a class says that storing it needs nobody's consent.
const storageNone = "none"

// StorageRule is the line of a class that says whether its events may be stored, as decisions cite it.
func StorageRule(class *contract.Class) string { return where(class.File, class.Line) }

// Storage says whether events of a class may be stored at all, before any destination is considered. Erased subjects are
// stored nowhere again. The rule is the class's line.
func (p *Policy) Storage(class *contract.Class, v *consent.Verdict) Gate {
	g := Gate{Rule: StorageRule(class)}
	need, known := p.purposes.Bit(class.Storage)
	switch {
	case v.Erased:
		g.Reason = consent.ReasonErased
	case v.Unresolved:
		g.Reason = consent.ReasonUnresolved
	case class.Storage == storageNone, known && v.Holds(need):
		g.Allowed = true
	default:
		g.Reason = v.Reason(need)
	}
	return g
}
