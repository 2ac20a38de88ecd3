package segment

import "github.com/ebbgate/ebbgate/internal/event"

const maxSubjectID = 512 // bytes as they are written, as event.CheckEnvelope has it

// readSubject finds who the call is about. Whole numbers are taken as text, because server SDKs send them.
func (r *Reader) readSubject(c *call) *event.Fault {
	for _, id := range [...]struct {
		from  slot
		into  *[]byte
		fault *event.Fault
	}{
		{sUserID, &c.subject.UserID, faultUserIDType},
		{sAnonymousID, &c.subject.AnonymousID, faultAnonymousIDType},
		{sGroupID, &c.subject.AccountID, faultGroupIDType},
		{sPreviousID, &c.previous, faultPreviousIDType},
	} {
		text, ok := r.id(id.from)
		switch {
		case !ok:
			return id.fault
		case r.isTooLong(text):
			return faultIDTooLong
		}
		*id.into = text
	}
	switch {
	case c.typ == Group && len(c.subject.AccountID) == 0:
		return faultNoGroup
	case c.typ == Alias && (len(c.previous) == 0 || len(c.subject.UserID) == 0):
		return faultNoPrevious
	case len(c.subject.UserID) == 0 && len(c.subject.AnonymousID) == 0:
		return faultNoID
	}
	if c.typ != Alias {
		c.previous = nil
	}
	if len(c.subject.AccountID) == 0 {
		if text, ok := r.id(sContextGroupID); ok && !r.isTooLong(text) {
			c.subject.AccountID = text
		}
	}
	return nil
}

// isTooLong measures the text as it will be written, which is at most six times as long as it is.
func (r *Reader) isTooLong(text []byte) bool {
	if len(text) <= maxSubjectID/6 {
		return false
	}
	r.encoded = event.AppendString(r.encoded[:0], text)
	return len(r.encoded)-len(`""`) > maxSubjectID
}

// id is an identifier's text, empty where it is absent; false where it is neither text nor a whole number.
func (r *Reader) id(from slot) ([]byte, bool) {
	at := r.at[from]
	if at == 0 {
		return nil, true
	}
	v := r.ix.At(int(at))
	return v.Text(nil), v.Kind() == event.String || v.IsInteger()
}

// eventID keeps the sender's id where it can serve as one, and else makes one that a retry gets again.
func (r *Reader) eventID(c *call) ([]byte, *event.Fault) {
	text, ok := r.id(sMessageID)
	switch {
	case event.ValidID(text):
		return text, nil
	case len(text) > 0:
		text = []byte(event.DeriveID(c.source.Name, string(text)))
	default:
		text = []byte(event.DeriveIDFromBody(c.source.Name+"/"+c.typ.String(), &r.ix, r.m.resent...))
	}
	if !ok {
		return text, faultMessageIDType
	}
	return text, nil
}

// fingerprint digests the event without what its sender changes when it sends it again.
func (r *Reader) fingerprint(o *Outcome) {
	r.digest.Reset()
	nodes := r.ix.Nodes
	for i := uint32(1); i < nodes[0].Next; i = nodes[i].Next {
		if !r.isResent(nodes[i].Field) {
			r.digest.Write(r.ix.Buf[nodes[i].KeyStart-1 : nodes[i].End])
		}
	}
	copy(o.Digest[:], r.digest.Sum(r.sum[:0]))
}

func (r *Reader) isResent(f event.Field) bool {
	for _, one := range r.m.resent {
		if f == one {
			return true
		}
	}
	return false
}
