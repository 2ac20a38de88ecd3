package segment

import (
	"time"

	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
)

// call is the event at hand, as far as it is understood.
type call struct {
	source     *Source
	request    *Request
	typ        Type
	subject    Subject
	previous   []byte
	properties uint32 // position of the object that becomes the properties, zero for none
	when       time.Time
	plan       *plan
	changed    bool // the user has just chosen
}

// roomPerEvent is what an envelope has that its event had not.
const roomPerEvent = 256

// Map appends an Outcome for each event of the opened body.
func (r *Reader) Map(source *Source, request *Request, outcomes []Outcome) []Outcome {
	r.said(source, request)
	arena := make([]byte, 0, len(r.body)+roomPerEvent*len(r.events))
	for _, at := range r.events {
		o := Outcome{Raw: r.body[at.start:at.end:at.end]}
		arena = r.one(source, request, arena, &o)
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// said takes what is the same for all events of the body.
func (r *Reader) said(source *Source, request *Request) {
	r.source = append(r.source[:0], source.Name...)
	r.received = request.ReceivedAt.UTC().AppendFormat(r.received[:0], timeForm)
	r.correlation = append(r.correlation[:0], request.CorrelationID...)
	r.userAgent, r.address = r.userAgent[:0], r.address[:0]
	if !source.Browser {
		return
	}
	r.userAgent = append(r.userAgent, request.UserAgent...)
	if request.IP.IsValid() {
		r.address = request.IP.Unmap().WithZone("").AppendTo(r.address)
	}
}

// one maps the event in o.Raw and appends its envelope to the arena.
func (r *Reader) one(source *Source, request *Request, arena []byte, o *Outcome) []byte {
	if !r.read {
		r.wrong = r.scan(o.Raw)
	}
	if r.wrong != nil {
		found, _ := event.AsFault(r.wrong)
		o.Fault = &found
		o.EventID = []byte(event.DeriveID(source.Name, string(o.Raw)))
		return arena
	}
	r.fingerprint(o)
	c := &r.call
	*c = call{source: source, request: request, typ: r.typ()}
	if o.EventID, o.Fault = r.eventID(c); o.Fault == nil {
		o.Fault = r.understand(c)
	}
	if o.Fault != nil {
		return arena
	}
	o.Subject = c.subject
	r.link(c, o)
	start := len(arena)
	arena = r.appendEnvelope(arena, c, o)
	o.Envelope = arena[start:len(arena):len(arena)]
	return arena
}

func (r *Reader) typ() Type {
	if r.route.Kind != Batch {
		return r.route.Type
	}
	return typeOf(r.text(&r.ix, r.at[sType]))
}

// understand checks the call and fills c and the event's name.
func (r *Reader) understand(c *call) *event.Fault {
	for _, step := range [...]func(*Reader, *call) *event.Fault{
		(*Reader).readName, (*Reader).readSubject, (*Reader).readBody, (*Reader).readTime, (*Reader).readContract,
	} {
		if fault := step(r, c); fault != nil {
			return fault
		}
	}
	return nil
}

// readContract finds what the event's contract says of the door. An event without one is for the validate stage to judge.
func (r *Reader) readContract(c *call) *event.Fault {
	found, fault := r.m.contracts.SelectBytes(r.name, r.text(&r.ix, r.at[sSchemaVersion]))
	if fault != nil {
		return nil
	}
	c.plan = r.m.plans[found]
	return serverOnly(found, c.source)
}

func serverOnly(found *contract.Contract, source *Source) *event.Fault {
	if source.Browser && found.From == "server" {
		return faultServerOnly
	}
	return nil
}

// link notes the identifiers that a call ties together.
func (r *Reader) link(c *call, o *Outcome) {
	ids := 0
	for _, id := range [...][]byte{c.subject.UserID, c.subject.AnonymousID, c.subject.AccountID, c.previous} {
		if len(id) > 0 {
			ids++
		}
	}
	if ids > 1 && (c.typ == Identify || c.typ == Group || c.typ == Alias) {
		o.Link = &Link{Subject: c.subject, PreviousID: c.previous}
	}
}
