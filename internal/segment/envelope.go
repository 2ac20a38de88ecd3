package segment

import (
	"net/netip"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent/dialect"
	"github.com/ebbgate/ebbgate/internal/event"
)

// timeForm is how times are written: to the millisecond, as SDKs count.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

// appendEnvelope writes the call as an envelope.
func (r *Reader) appendEnvelope(dst []byte, c *call, o *Outcome) []byte {
	dst = event.AppendString(append(dst, `{"event_name":`...), r.name)
	dst = append(append(append(dst, `,"event_id":"`...), o.EventID...), '"')
	dst = c.when.UTC().AppendFormat(append(dst, `,"timestamp":"`...), timeForm)
	dst = append(append(dst, `","received_at":"`...), r.received...)
	dst = append(dst, `","subject":{`...)
	dst = appendText(dst, `"user_id":`, c.subject.UserID)
	dst = appendText(dst, `"anonymous_id":`, c.subject.AnonymousID)
	dst = appendText(dst, `"account_id":`, c.subject.AccountID)
	dst = append(dst, '}')
	dst = r.appendConsent(dst, c, o)
	dst = event.AppendString(append(dst, `,"context":{"source":`...), r.source)
	dst = appendText(dst, `"schema_version":`, r.text(&r.ix, r.at[sSchemaVersion]))
	dst = appendText(dst, `"correlation_id":`, r.correlationID(o))
	dst = r.appendIP(dst, c)
	dst = appendText(dst, `"user_agent":`, r.either(sUserAgent, r.userAgent))
	dst = append(dst, `},"properties":{`...)
	dst = r.appendProperties(dst, c, o)
	return append(dst, "}}"...)
}

// appendText appends a member, where there is a text, with a comma before it unless it is the first.
func appendText(dst []byte, name string, text []byte) []byte {
	if len(text) == 0 {
		return dst
	}
	return event.AppendString(append(comma(dst), name...), text)
}

func comma(dst []byte) []byte {
	if dst[len(dst)-1] == '{' {
		return dst
	}
	return append(dst, ',')
}

// appendConsent writes the consent object, and notes a choice that the event is about.
func (r *Reader) appendConsent(dst []byte, c *call, o *Outcome) []byte {
	contexts := r.both[:0]
	if at := r.at[sContext]; at != 0 {
		contexts = append(contexts, r.ix.At(int(at)))
	}
	if c.changed {
		chosen := r.consent.Read(contexts, false)
		o.Consent = r.m.consent.Record(chosen, earlier(c.when, c.request.ReceivedAt), string(o.EventID))
	}
	if at := r.batch[sContext]; at != 0 {
		contexts = append(contexts, r.around.At(int(at)))
	}
	said := r.consent.Read(contexts, c.source.Browser && c.request.GPC)
	if said == (dialect.Statement{}) {
		return dst
	}
	return r.m.consent.Append(append(dst, `,"consent":`...), said, r.received)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (r *Reader) correlationID(o *Outcome) []byte {
	if event.ValidID(r.correlation) {
		return r.correlation
	}
	return o.EventID
}

// appendIP writes the address as far as the source's policy lets it. What is no address is left out.
func (r *Reader) appendIP(dst []byte, c *call) []byte {
	text := r.either(sIP, r.address)
	if c.source.IP == DropIP || len(text) == 0 {
		return dst
	}
	mark := len(dst)
	dst = append(dst, `,"ip":"`...)
	before := len(dst)
	if c.source.IP == KeepIP {
		if address, err := netip.ParseAddr(string(text)); err == nil {
			dst = address.Unmap().WithZone("").AppendTo(dst)
		}
	} else if masked, err := r.m.truncate.Append(dst, text); err == nil {
		dst = masked
	}
	if len(dst) == before {
		return dst[:mark]
	}
	return append(dst, '"')
}

// either is a text of the event's context, else of the batch's, else the fallback.
func (r *Reader) either(at slot, fallback []byte) []byte {
	if text := r.text(&r.ix, r.at[at]); len(text) > 0 {
		return text
	}
	if text := r.text(&r.around, r.batch[at]); len(text) > 0 {
		return text
	}
	return fallback
}
