package segment

import (
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
)

// readTime finds when the user acted. Sender's clocks are wrong, but their differences are right: what the sender says has
// passed between the act and the sending is taken off the arrival, which our clock tells. A sentAt that cannot be read
// corrects nothing.
func (r *Reader) readTime(c *call) *event.Fault {
	received := c.request.ReceivedAt
	from := r.at[sOriginalTimestamp]
	if from == 0 {
		from = r.at[sTimestamp]
	}
	c.when = received
	if from != 0 {
		said, ok := instant(&r.ix, from)
		if !ok {
			return faultTimestamp
		}
		c.when = said
		if sent, ok := r.sentAt(); ok {
			c.when = received.Add(said.Sub(sent))
		}
	}
	switch {
	case c.when.After(received.Add(r.m.limits.Times.Future)):
		return faultFuture
	case c.when.Before(received.Add(-r.m.limits.Times.Past)):
		return faultAncient
	}
	return nil
}

// sentAt is when the event was sent, or its batch, by the sender's clock.
func (r *Reader) sentAt() (time.Time, bool) {
	if r.at[sSentAt] != 0 {
		return instant(&r.ix, r.at[sSentAt])
	}
	if r.batch[sSentAt] != 0 {
		return instant(&r.around, r.batch[sSentAt])
	}
	return time.Time{}, false
}

func instant(ix *event.Index, at uint32) (time.Time, bool) {
	if ix.Nodes[at].Kind != event.String {
		return time.Time{}, false
	}
	var scratch [64]byte
	return event.ParseTime(ix.At(int(at)).Text(scratch[:0]))
}
