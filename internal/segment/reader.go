package segment

import (
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strings"

	"github.com/ebbgate/ebbgate/internal/consent/dialect"
	"github.com/ebbgate/ebbgate/internal/event"
)

// Reader opens one body after the other. One goroutine uses it at a time.
type Reader struct {
	m       *Mapper
	scanner *event.Scanner
	consent *dialect.Reader
	digest  hash.Hash

	route  Route
	body   []byte
	events []span
	outer  []byte // what stands around the events of a batch
	around event.Index
	batch  slots // of around
	ix     event.Index
	at     slots // of ix
	key    []byte
	read   bool  // a single event was scanned already
	wrong  error // with this result

	source, received, correlation, userAgent, address []byte // what a source and a request say, as bytes

	call    call   // the event at hand
	name    []byte // its name
	encoded []byte
	sum     [sha256.Size]byte
	both    [2]event.Value
}

// NewReader makes a reader.
func (m *Mapper) NewReader() *Reader {
	consent, err := m.consent.Reader(m.dict, "context")
	if err != nil {
		panic("segment: the dictionary has the paths of consent: " + err.Error())
	}
	return &Reader{
		m: m, consent: consent, digest: sha256.New(),
		// An envelope has room for the properties that are filled.
		scanner: event.NewScanner(m.dict, event.Limits{MaxBytes: m.limits.BatchBytes, MaxKeys: event.DefaultLimits.MaxKeys - len(lifted)}),
	}
}

// Open takes a body apart; of a Pixel it is the text of the query's data. A fault means that it is refused whole. The body
// must not change until the outcomes of Map are done with.
func (r *Reader) Open(route Route, body []byte) *event.Fault {
	r.route, r.events, r.key, r.batch, r.read = route, r.events[:0], nil, slots{}, false
	if route.Kind == Pixel {
		decoded, ok := pixel(body)
		if !ok {
			return faultPixel
		}
		body = decoded
	}
	r.body = body
	if len(body) > r.m.limits.BatchBytes {
		return faultBatchTooLarge
	}
	if route.Kind == Batch {
		return r.openBatch()
	}
	return r.openSingle()
}

func (r *Reader) openBatch() *event.Fault {
	events, list, found, ok := split(r.body, r.events, r.m.limits.Events)
	r.events = events
	switch {
	case len(events) > r.m.limits.Events:
		return faultTooManyEvents
	case !ok:
		return faultSyntax
	case !found:
		return faultNoBatch
	}
	r.outer = append(append(r.outer[:0], r.body[:list.start]...), r.body[list.end:]...)
	if err := r.scanner.Scan(r.outer, &r.around); err != nil {
		fault, _ := event.AsFault(err)
		fault.Offset = 0 // of another text than the body
		return &fault
	}
	r.batch.fill(&r.around, r.m.slots)
	if len(events) == 0 {
		return faultEmptyBatch
	}
	r.key = r.text(&r.around, r.batch[sWriteKey])
	return nil
}

func (r *Reader) openSingle() *event.Fault {
	start := skipSpace(r.body, 0)
	if start == len(r.body) || r.body[start] != '{' {
		return faultSyntax
	}
	end := skipValue(r.body, start)
	if end < 0 || skipSpace(r.body, end) != len(r.body) {
		return faultSyntax
	}
	r.events = append(r.events, span{start, end})
	r.read, r.wrong = true, r.scan(r.body[start:end])
	if r.wrong == nil {
		r.key = r.text(&r.ix, r.at[sWriteKey])
	}
	return nil
}

// scan reads one event strictly.
func (r *Reader) scan(raw []byte) error {
	if len(raw) > r.m.limits.EventBytes {
		return faultEventTooLarge
	}
	if err := r.scanner.Scan(raw, &r.ix); err != nil {
		return err
	}
	r.at.fill(&r.ix, r.m.slots)
	return nil
}

// WriteKey is the key that the body names, empty for none.
func (r *Reader) WriteKey() []byte { return r.key }

// Len counts the events of the body.
func (r *Reader) Len() int { return len(r.events) }

// text is the text of the string at a place, nil where there is none.
func (r *Reader) text(ix *event.Index, at uint32) []byte {
	if at == 0 || ix.Nodes[at].Kind != event.String {
		return nil
	}
	return ix.At(int(at)).Text(nil)
}

// pixel decodes base64 in any of its spellings. A query turns an unescaped plus into a space.
func pixel(data []byte) ([]byte, bool) {
	text := strings.NewReplacer("-", "+", "_", "/", " ", "+").Replace(strings.TrimRight(string(data), "="))
	decoded, err := base64.RawStdEncoding.DecodeString(text)
	return decoded, err == nil
}
