package generate

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Record is one thing to write: an event or a webhook delivery.
type Record struct {
	Value   []byte
	Key     []byte
	Headers []kgo.RecordHeader
	// Entry is its line in the ledger.
	Entry Entry
}

// Entry is one line of a ledger: what was sent and what should become of it. Entries are written when the record is
// durable, so a ledger never names more than was accepted.
type Entry struct {
	EventID string `json:"event_id"`
	Name    string `json:"event_name"`
	Kind    string `json:"kind"`
	SHA256  string `json:"sha256"`
	// Code is the code that the event must be quarantined under; empty when it is good.
	Code string `json:"code,omitempty"`
	Flaw string `json:"flaw,omitempty"`
	// Denied gives, by purpose, the reason why consent keeps the event from destinations of that purpose.
	Denied map[string]string `json:"denied,omitempty"`
	// Place is topic/partition/offset, or empty where there is none.
	Place string `json:"place,omitempty"`
}

// Source gives records one by one, and false at the end. The record's slices are the source's until the next call.
type Source func() (Record, bool)

// Records is the generator as a source.
func (g *Generator) Records() Source {
	var buf []byte
	return func() (Record, bool) {
		ev, ok := g.Next(buf[:0])
		buf = ev.Bytes
		if !ok {
			return Record{}, false
		}
		r := Record{Value: ev.Bytes, Key: partitionKey(ev.Subject), Headers: []kgo.RecordHeader{{Key: "event_id", Value: []byte(ev.ID)}}}
		r.Entry = Entry{EventID: ev.ID, Name: ev.Name, Kind: ev.Kind.String(), Code: ev.Expect.Code, Flaw: ev.Expect.Flaw}
		if ev.Expect.Accepted() {
			r.Entry.Denied = ev.Expect.denials()
		}
		return r, true
	}
}

func (e Expect) denials() map[string]string {
	var out map[string]string
	for _, purpose := range [...]string{Analytics, Marketing} {
		if reason := e.Denied(purpose); reason != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[purpose] = reason
		}
	}
	return out
}

// partitionKey keeps one person's events in order without naming the person.
func partitionKey(s Subject) []byte {
	id := s.UserID
	if id == "" {
		id = s.AnonymousID
	}
	sum := sha256.Sum256([]byte(id))
	return hex.AppendEncode(nil, sum[:8])
}

// Deliveries is a list of webhook deliveries as a source.
func Deliveries(list []Delivery) Source {
	return func() (Record, bool) {
		if len(list) == 0 {
			return Record{}, false
		}
		d := list[0]
		list = list[1:]
		return Record{
			Value: d.Body,
			Headers: []kgo.RecordHeader{
				{Key: HeaderGitHubEvent, Value: []byte(d.Event)}, {Key: HeaderGitHubDelivery, Value: []byte(d.ID)},
			},
			Entry: Entry{EventID: d.ID, Name: d.Event, Kind: "delivery"},
		}, true
	}
}

// Output takes records. done is called once for each, in any goroutine but never in two at once, when the record is
// durable or has failed.
type Output interface {
	Write(ctx context.Context, r Record, done func(place string, err error))
	// Close waits until all records are done.
	Close(ctx context.Context) error
}

// NDJSON writes one event a line.
func NDJSON(w io.Writer) Output { return &lines{bufio.NewWriterSize(w, 1<<16)} }

type lines struct{ *bufio.Writer }

func (l *lines) Write(_ context.Context, r Record, done func(string, error)) {
	l.Writer.Write(r.Value)
	// A buffered writer remembers its first error and gives it again.
	done("", l.WriteByte('\n'))
}

func (l *lines) Close(context.Context) error {
	if err := l.Flush(); err != nil {
		return fmt.Errorf("writing events: %w", err)
	}
	return nil
}

// Topic produces to a Kafka topic, each record acknowledged by all replicas. options say how to reach the brokers.
func Topic(topic string, options ...kgo.Opt) (Output, error) {
	client, err := kgo.NewClient(append(options,
		kgo.DefaultProduceTopic(topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerLinger(5*time.Millisecond),
	)...)
	if err != nil {
		return nil, fmt.Errorf("opening a producer for %s: %w", topic, err)
	}
	return &producer{client}, nil
}

type producer struct{ client *kgo.Client }

func (p *producer) Write(ctx context.Context, r Record, done func(string, error)) {
	record := &kgo.Record{Key: r.Key, Value: append([]byte(nil), r.Value...), Headers: r.Headers}
	p.client.Produce(ctx, record, func(r *kgo.Record, err error) {
		if err != nil {
			done("", fmt.Errorf("producing: %w", err))
			return
		}
		done(place(r), nil)
	})
}

func place(r *kgo.Record) string {
	return fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset)
}

func (p *producer) Close(ctx context.Context) error {
	defer p.client.Close()
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("waiting for the broker: %w", err)
	}
	return nil
}

// RunOptions say how to run a source into an output.
type RunOptions struct {
	// Rate is the most records a second; 0 is as fast as the output takes them.
	Rate float64
	// Ledger takes one Entry a line, or is nil.
	Ledger io.Writer
	// Progress is told how many records are durable, now and then; or is nil.
	Progress func(done int)
}

// Summary counts what was written durably.
type Summary struct {
	Records int           `json:"records"`
	Flawed  int           `json:"flawed"`
	Repeats int           `json:"repeats"`
	Bytes   int64         `json:"bytes"`
	Elapsed time.Duration `json:"elapsed_ns"`
}

// drainTime is how long a run that was cancelled waits for what it has sent.
const drainTime = 10 * time.Second

// Run writes a source to an output until the source ends, the context ends (which is no error: the summary says how far
// it came), or a record fails. It closes the output.
func Run(ctx context.Context, from Source, to Output, opts RunOptions) (Summary, error) {
	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{opts: opts, started: time.Now(), fail: stop}
	if opts.Ledger != nil {
		r.ledger = bufio.NewWriter(opts.Ledger)
	}
	for n := 0; r.wait(sending, n); n++ {
		record, ok := from()
		if !ok {
			break
		}
		r.send(context.WithoutCancel(ctx), record, to)
	}
	closing := ctx
	if ctx.Err() != nil {
		short, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		closing = short
	}
	err := to.Close(closing)
	if cause := context.Cause(sending); cause != nil && ctx.Err() == nil {
		err = errors.Join(cause, err)
	}
	if r.ledger != nil {
		err = errors.Join(err, r.ledger.Flush())
	}
	r.sum.Elapsed = time.Since(r.started)
	return r.sum, err
}

type run struct {
	opts    RunOptions
	started time.Time
	fail    context.CancelCauseFunc
	ledger  *bufio.Writer
	sum     Summary
}

// wait holds the pace; it is false when the run is over.
func (r *run) wait(ctx context.Context, n int) bool {
	if ctx.Err() != nil {
		return false
	}
	if r.opts.Rate <= 0 {
		return true
	}
	due := r.started.Add(time.Duration(float64(n) / r.opts.Rate * float64(time.Second)))
	early := time.Until(due)
	if early <= 0 {
		return true
	}
	timer := time.NewTimer(early)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *run) send(ctx context.Context, record Record, to Output) {
	entry, size := record.Entry, len(record.Value)
	if r.ledger != nil {
		sum := sha256.Sum256(record.Value)
		entry.SHA256 = hex.EncodeToString(sum[:])
	}
	to.Write(ctx, record, func(place string, err error) {
		if err == nil && r.ledger != nil {
			entry.Place = place
			err = r.note(entry)
		}
		if err != nil {
			r.fail(err)
			return
		}
		r.count(entry, size)
	})
}

func (r *run) note(entry Entry) error {
	line, err := json.Marshal(entry)
	if err == nil {
		_, err = r.ledger.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	return nil
}

func (r *run) count(entry Entry, size int) {
	r.sum.Records++
	r.sum.Bytes += int64(size)
	switch entry.Kind {
	case Flawed.String():
		r.sum.Flawed++
	case Repeat.String():
		r.sum.Repeats++
	}
	if r.opts.Progress != nil && r.sum.Records%256 == 0 {
		r.opts.Progress(r.sum.Records)
	}
}
