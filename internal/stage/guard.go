package stage

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/quarantine"
)

// ErrWait marks a message that could not be judged because something it needs is unavailable. It stays flagged, every
// output of ours refuses it, and the input replays its chunk: not delivered, not denied, not quarantined.
var ErrWait = errors.New("waiting for state")

// ErrFlagged marks a message that a processor failed on and no stage of ours has seen since. Its text is ours: what the
// processor said may quote the event.
var ErrFlagged = errors.New("a processor failed on the message: mend it, then replay the event")

// Failure is why an output must not write a message: ErrWait, with ErrPack or alone, ErrFlagged, or nil. Records that a stage made, and
// placeholders, are good whatever happened to the message later: outputs do not look at its content.
func Failure(msg *service.Message) error {
	err := msg.GetError()
	switch {
	case err == nil || finished(msg):
		return nil
	case errors.Is(err, ErrPack):
		return errBrokenPack
	case errors.Is(err, ErrWait):
		return ErrWait
	}
	return ErrFlagged
}

// Codes the guard itself gives.
const (
	CodeUpstreamFailed = "upstream_failed" // a processor that is not ours failed on the message
	CodePanic          = "panic"           // one of ours did, which is a bug
	CodeUnreadable     = "unreadable"      // the engine could not give the message's bytes
	codeStageFailed    = "stage_failed"
)

// Stages, as quarantine and decision records name them.
const (
	StageIngest   = "ingest"
	StageValidate = "validate"
	StageGovern   = "govern"
)

// Guard runs a stage's work message by message and turns whatever goes wrong with one of them into a quarantine
// record, unflagged, so that its neighbours go on.
type Guard struct {
	stage  string
	topic  string
	cipher *quarantine.Cipher
	knows  func(eventName string) bool
	log    *service.Logger
	count  *service.MetricCounter
	now    func() time.Time
}

// NewGuard returns the guard of a stage: ingest, validate or govern.
func NewGuard(stage string, rt *Runtime) *Guard {
	return &Guard{
		stage:  stage,
		topic:  rt.QuarantineTopic,
		cipher: rt.Cipher,
		knows:  func(eventName string) bool { return rt.Rules().Contracts.Knows(eventName) },
		log:    rt.Log,
		count:  rt.Metrics.NewCounter("ebbgate_quarantined_total", "stage", "code"),
		now:    time.Now,
	}
}

// Work judges one message and appends what goes on in its place: the message itself, or copies of it. It must replace
// content only once nothing can fail any more; an error, or a panic, quarantines the message.
type Work func(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error)

// Batch runs the work over a batch, in order. Messages that are already quarantine or decision records pass, those
// that wait for state pass flagged, and those flagged by anything else become quarantine records.
func (g *Guard) Batch(batch service.MessageBatch, work Work) service.MessageBatch {
	out := make(service.MessageBatch, 0, len(batch))
	for _, msg := range batch {
		out = g.one(msg, out, work)
	}
	return out
}

func (g *Guard) one(msg *service.Message, out service.MessageBatch, work Work) service.MessageBatch {
	if finished(msg) {
		return append(out, msg)
	}
	if err := msg.GetError(); err != nil {
		if errors.Is(err, ErrWait) {
			return append(out, msg)
		}
		return append(out, g.Quarantine(msg, &event.Fault{Code: CodeUpstreamFailed, Remedy: "mend the processor before the " + g.stage + " stage that failed on this event, then replay it"}))
	}
	done := len(out)
	next, err := g.recovered(msg, out, work)
	if err == nil {
		return next
	}
	if errors.Is(err, ErrWait) {
		msg.SetError(err)
		return append(out[:done], msg)
	}
	return append(out[:done], g.Quarantine(msg, err))
}

func (g *Guard) recovered(msg *service.Message, out service.MessageBatch, work Work) (next service.MessageBatch, err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value may quote the event, so only its type is told.
			g.log.With("stage", g.stage).Errorf("recovered a panic of type %T: %s", p, debug.Stack())
			err = &event.Fault{Code: CodePanic, Remedy: "report the stack trace in the log, then replay the event"}
		}
	}()
	return work(msg, out)
}

// Settle does what cannot fail to a message, and quarantines it should it panic after all.
func (g *Guard) Settle(msg *service.Message, do func()) {
	_, err := g.recovered(msg, nil, func(_ *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
		do()
		return out, nil
	})
	if err != nil {
		g.Quarantine(msg, err)
	}
}

// Quarantine turns the message into an unflagged quarantine record for the reason given and returns it.
func (g *Guard) Quarantine(msg *service.Message, reason error) *service.Message {
	body, _ := msg.AsBytes()
	return g.QuarantineAs(msg, g.eventID(msg, body), reason)
}

// QuarantineAs is Quarantine for a message whose event is known by id, as a door knows it that has read what the stages cannot.
func (g *Guard) QuarantineAs(msg *service.Message, id string, reason error) *service.Message {
	code, path := faultOf(reason)
	body, err := msg.AsBytes()
	if err != nil {
		code = CodeUnreadable
	}
	ref, _ := Source(msg)
	if g.stage == StageIngest {
		// Nothing of ours has seen the record yet, so these can only be headers that a sender chose.
		msg.MetaDelete(MetaSubjectKey)
		msg.MetaDelete(MetaCorrelationID)
	}
	rec := quarantine.New(code, path, g.stage, ref, id, body, g.cipher, g.now())
	rec.EventName = g.eventName(msg, body)
	msg.SetError(nil)
	msg.MetaSet(MetaTopic, g.topic)
	msg.MetaSet(MetaKey, id)
	msg.MetaSet(MetaEventID, id)
	SetQuarantine(msg, rec)
	g.count.Incr(1, g.stage, code)
	return msg
}

// eventID is how the event is known: by its metadata, by what was scanned, or, where nobody could read it, by its bytes.
func (g *Guard) eventID(msg *service.Message, body []byte) string {
	if id, ok := msg.MetaGet(MetaEventID); ok && g.stage != StageIngest && event.ValidID([]byte(id)) {
		return id
	}
	if ix := carriedBy(msg).index; ix != nil && Same(ix.Buf, body) {
		if id, ok := ix.Get(event.EventID); ok && id.Kind() == event.String && event.ValidID(id.Raw()) {
			return id.String()
		}
	}
	return event.DeriveID("quarantine", string(body))
}

// eventName is the event's name where a contract has it, and empty otherwise: any other text may be data.
func (g *Guard) eventName(msg *service.Message, body []byte) string {
	ix := carriedBy(msg).index
	if ix == nil || !Same(ix.Buf, body) {
		return ""
	}
	if name, ok := ix.Get(event.EventName); ok && name.Kind() == event.String && g.knows(name.String()) {
		return name.String()
	}
	return ""
}

func faultOf(err error) (code, path string) {
	if fault, ok := event.AsFault(err); ok {
		return fault.Code, fault.Path
	}
	return codeStageFailed, ""
}

// Route sets the topic a message is for and the key its record will have.
func Route(msg *service.Message, topic, key string) {
	msg.MetaSet(MetaTopic, topic)
	msg.MetaSet(MetaKey, key)
}

// Misrouted is the fault of an event that arrives at a stage which another must come before.
func Misrouted(code, missing string) error {
	return &event.Fault{Code: code, Remedy: fmt.Sprintf("put the %s processor before this one, then replay the event", missing)}
}
