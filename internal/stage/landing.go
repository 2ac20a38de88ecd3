package stage

import (
	"sync/atomic"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// metaLanding is the entry under which an input asks where a message's record became durable.
const metaLanding = "ebbgate_landing"

// Landing is the answer to that. An input makes one for a message and reads it once its batch is acknowledged; the output
// fills it in. The zero value is ready.
type Landing struct {
	at    atomic.Pointer[quarantine.Ref]
	times atomic.Int64
}

// Copy shows Bloblang nothing.
func (*Landing) Copy() any { return "" }

// AskLanding has the output that writes the message say where.
func AskLanding(msg *service.Message, l *Landing) { msg.MetaSetImmut(metaLanding, l) }

// Land answers who asked, if anybody did.
func Land(msg *service.Message, at quarantine.Ref) {
	if v, ok := msg.MetaGetImmut(metaLanding); ok {
		if l, ok := v.(*Landing); ok {
			l.at.Store(&at)
			l.times.Add(1)
		}
	}
}

// Times counts the records that were written, where messages share a Landing.
func (l *Landing) Times() int { return int(l.times.Load()) }

// At is where the record is. ok is false as long as no output has written it.
func (l *Landing) At() (ref quarantine.Ref, ok bool) {
	if at := l.at.Load(); at != nil {
		return *at, true
	}
	return ref, false
}
