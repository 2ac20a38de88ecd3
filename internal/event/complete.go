package event

import "time"

// receivedForm is how arrival times are written: to the millisecond, as brokers count.
const receivedForm = "2006-01-02T15:04:05.000Z07:00"

// AppendComplete appends the event, re-encoded, with the event_id and received_at it lacks; what it has stays. The event
// must have kept CheckEnvelope.
func AppendComplete(dst []byte, ix *Index, id string, received time.Time) []byte {
	dst = append(dst, '{')
	if _, has := ix.Get(EventID); !has {
		dst = append(append(append(dst, `"event_id":"`...), id...), `",`...)
	}
	if _, has := ix.Get(ReceivedAt); !has {
		dst = append(received.UTC().AppendFormat(append(dst, `"received_at":"`...), receivedForm), `",`...)
	}
	// The envelope check has seen at least a name and a timestamp, so members follow the bracket.
	start := len(dst)
	dst = AppendValue(dst, ix.Root())
	return append(dst[:start], dst[start+1:]...)
}
