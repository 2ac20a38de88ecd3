package stage

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
)

// SetStorable says that the message's content, which is body, may be stored: consent to that was looked up in this
// process. What was found out about the event rides along as by Carry.
func (r *Reader) SetStorable(msg *service.Message, body []byte, ix *event.Index, subject *Subject) {
	carry(msg, &carried{index: ix, subject: subject, storable: body, rules: r.rules})
}

// Storable reports whether that was said of exactly this content. Nothing a message brings along can claim it, and a
// message that was rewritten since has to be judged again.
func Storable(msg *service.Message, body []byte) bool {
	storable := carriedBy(msg).storable
	return len(storable) > 0 && Same(storable, body)
}
