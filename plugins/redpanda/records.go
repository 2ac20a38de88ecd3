package redpanda

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

const (
	codeTopic        = "output.topic"
	codeUndeclared   = "output.undeclared_topic"
	codeWrongTopic   = "output.wrong_topic"
	codeUnjudged     = "output.unjudged"
	codeSealMissing  = "seal.missing"
	codeSealOther    = "seal.destination"
	codeBytesChanged = "seal.bytes_changed"
)

// records makes a record of every message, before any is written. The record of a settled message has no topic.
func (o *output) records(batch service.MessageBatch) ([]kgo.Record, error) {
	var refused map[string][]int
	refuse := func(code string, i int) {
		if refused == nil {
			refused = map[string][]int{}
		}
		refused[code] = append(refused[code], i)
	}
	for i, msg := range batch {
		switch err := stage.Failure(msg); {
		case errors.Is(err, stage.ErrWait):
			return nil, fmt.Errorf("message %d of %d: %w", i+1, len(batch), err)
		case err != nil:
			refuse(stage.CodeUpstreamFailed, i)
		}
	}
	if at := refused[stage.CodeUpstreamFailed]; len(at) > 0 {
		return nil, o.refuse(stage.CodeUpstreamFailed, stage.ErrFlagged, batch, at...)
	}
	w := &recordWriter{
		out: o, topic: o.topic.reader(batch), key: o.key.reader(batch),
		headers: make([]kgo.RecordHeader, 0, 8*len(batch)), text: make([]byte, 0, 192*len(batch)),
	}
	records := make([]kgo.Record, len(batch))
	for i, msg := range batch {
		if stage.Settled(msg) {
			continue
		}
		code, err := w.write(&records[i], i, msg)
		if err != nil {
			return nil, err
		}
		if code != "" {
			refuse(code, i)
		}
	}
	for _, code := range []string{codeTopic, codeUndeclared, codeWrongTopic, codeUnjudged, codeSealMissing, codeSealOther, codeBytesChanged, codeTooLarge} {
		if at := refused[code]; len(at) > 0 {
			return nil, o.refuse(code, reasons[code], batch, at...)
		}
	}
	return records, nil
}

var reasons = map[string]error{
	codeTopic:        errors.New("the message has no topic: the stage before must set it, or the output's topic field must name one"),
	codeUndeclared:   errors.New("topics.yaml does not declare the topic: declare it with its role, or send the message to one that is"),
	codeWrongTopic:   errors.New("the topic is not there for such messages: events as they are stay on topics with role inbound, raw or validated, records that a stage made go to theirs"),
	codeUnjudged:     errors.New("nobody decided that this event may be stored: put the consent processor with stage: validate last before the output, and whatever changes events before it"),
	codeSealMissing:  errors.New("the topic belongs to a destination and the message is not sealed for it: only redact may write there"),
	codeSealOther:    errors.New("the message is sealed for another destination, topic or key"),
	codeBytesChanged: errors.New("the message was changed after it was sealed: nothing may come between redact and the output"),
	codeTooLarge:     errors.New("the record is larger than the topic takes: raise max_message_bytes in topics.yaml or send less"),
}

// recordWriter fills the records of one batch. Headers and their texts come out of two slabs.
type recordWriter struct {
	out        *output
	topic, key fieldReader
	headers    []kgo.RecordHeader
	text       []byte
	sealed     []seal.Header
}

// write fills rec. A code says why the message is refused for good; an error fails the batch for now.
func (w *recordWriter) write(rec *kgo.Record, i int, msg *service.Message) (code string, err error) {
	body, finished := stage.Made(msg)
	if !finished {
		if body, err = msg.AsBytes(); err != nil {
			return "", fmt.Errorf("reading the bytes of a message: %w", err)
		}
	}
	topic, ok := w.topic.read(i, msg)
	if !ok || topic == "" {
		return codeTopic, nil
	}
	key, keyed := w.key.read(i, msg)
	sealed, sealer, isSealed := stage.Sealed(msg)
	if code := w.admit(topic, key, msg, body, sealed); code != "" {
		return code, nil
	}
	rec.Topic, rec.Value = topic, body
	if keyed && key != "" {
		rec.Key = w.bytes(key)
	}
	begin := len(w.headers)
	switch {
	case isSealed:
		w.sealedHeaders(sealed, sealer.Seal(sealed))
	default:
		if q, ok := stage.Quarantine(msg); ok {
			w.quarantineHeaders(rec, q)
		}
		w.lineage(msg)
		if !finished {
			w.userHeaders(msg) // nothing of the user's goes beside a seal, into quarantine or to the decisions
		}
	}
	rec.Headers = w.headers[begin:len(w.headers):len(w.headers)]
	if batchSize(rec) <= w.out.limit(topic) {
		return "", nil
	}
	if isSealed && w.apart(rec, msg, sealed) {
		return "", nil
	}
	return codeTooLarge, nil
}

// admit is the gate. Bytes reach a destination's topic only as they were sealed for it, and go nowhere else; records that a
// stage made reach the topic of their kind; an event as it is stays on the topics that are there to hold such events, and
// on the validated one only once consent said that exactly this may be stored. What topics.yaml does not declare is no
// place to write to.
func (w *recordWriter) admit(topic, key string, msg *service.Message, body []byte, rec *seal.Record) string {
	to, declared := w.out.topics.Topic(topic)
	switch {
	case !declared:
		return codeUndeclared
	case to.Destination != "" && rec == nil:
		return codeSealMissing
	case rec != nil && (rec.Destination != to.Destination || rec.Topic != topic || rec.Key != key):
		return codeSealOther
	case rec != nil && !stage.Intact(msg, body):
		return codeBytesChanged
	case rec == nil && !holds(to.Role, msg):
		return codeWrongTopic
	case to.Role == topics.Validated && !stage.Storable(msg, body):
		return codeUnjudged
	}
	return ""
}

// holds reports whether topics of the role are there for messages like this one, which is not sealed.
func holds(role topics.Role, msg *service.Message) bool {
	is, made := stage.MadeFor(msg)
	switch role {
	case topics.Inbound, topics.Raw, topics.Validated:
		return !made
	}
	return made && is == role
}

func (w *recordWriter) sealedHeaders(rec *seal.Record, text string) {
	w.sealed = rec.AppendHeaders(w.sealed[:0])
	for _, h := range w.sealed {
		w.header(h.Name, h.Value)
	}
	w.header(seal.HeaderSeal, text)
}

// quarantineHeaders keys a quarantine record by its event and lets the topic be browsed without opening records.
func (w *recordWriter) quarantineHeaders(rec *kgo.Record, q *quarantine.Record) {
	if q.EventID != "" {
		rec.Key = w.bytes(q.EventID)
	}
	w.header(headerCode, q.Code)
	w.header(headerStage, q.Stage)
}

// lineage names the event and where it entered the pipelines.
func (w *recordWriter) lineage(msg *service.Message) {
	for _, name := range [...]string{stage.MetaEventID, stage.MetaSubjectKey, stage.MetaCorrelationID, stage.MetaContentDigest} {
		if value, ok := msg.MetaGet(name); ok && value != "" {
			w.header(name, value)
		}
	}
	origin, ok := stage.Origin(msg)
	if !ok {
		return
	}
	w.header(stage.HeaderSrcTopic, origin.Topic)
	w.number(stage.HeaderSrcPartition, int64(origin.Partition))
	w.number(stage.HeaderSrcOffset, origin.Offset)
}

// reserved are headers that only the functions above write.
var reserved = func() map[string]bool {
	names := map[string]bool{seal.HeaderSeal: true, headerCode: true, headerStage: true}
	for _, name := range seal.HeaderNames {
		names[name] = true
	}
	for name := range ownMetadata {
		names[name] = true
	}
	return names
}()

// userHeaders writes the metadata that the configuration asks for, in the order of names.
func (w *recordWriter) userHeaders(msg *service.Message) {
	begin := len(w.headers)
	if w.out.metadata == nil || w.out.metadata.IsEmpty() {
		return
	}
	_ = w.out.metadata.Walk(msg, func(name, value string) error {
		if value != "" && !reserved[name] {
			w.header(name, value)
		}
		return nil
	})
	sortHeaders(w.headers[begin:])
}

func (w *recordWriter) header(name, value string) {
	w.headers = append(w.headers, kgo.RecordHeader{Key: name, Value: w.bytes(value)})
}

func (w *recordWriter) number(name string, n int64) {
	at := len(w.text)
	w.text = strconv.AppendInt(w.text, n, 10)
	w.headers = append(w.headers, kgo.RecordHeader{Key: name, Value: w.text[at:len(w.text):len(w.text)]})
}

func (w *recordWriter) bytes(text string) []byte {
	at := len(w.text)
	w.text = append(w.text, text...)
	return w.text[at:len(w.text):len(w.text)]
}
