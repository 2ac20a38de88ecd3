package redpanda

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
)

const (
	codeTooLarge = "output.too_large"
	codeInvalid  = "output.invalid_record"
)

type failure struct {
	at  int // index in the batch
	err error
}

// produce writes the records in order and waits for all of them.
func (o *output) produce(ctx context.Context, cl *kgo.Client, batch service.MessageBatch, records []kgo.Record) error {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed map[*kgo.Record]error
	)
	promise := func(rec *kgo.Record, err error) {
		if err != nil {
			mu.Lock()
			if failed == nil {
				failed = map[*kgo.Record]error{}
			}
			failed[rec] = err
			mu.Unlock()
		}
		wg.Done()
	}
	for i := range records {
		if records[i].Topic == "" {
			continue // settled
		}
		wg.Add(1)
		cl.Produce(ctx, &records[i], promise)
	}
	wg.Wait()
	if len(failed) == 0 {
		return nil
	}
	var failures []failure
	for i := range records {
		if err, ok := failed[&records[i]]; ok {
			failures = append(failures, failure{i, err})
		}
	}
	o.metrics.left(records, failures)
	return o.explainFailures(cl, batch, records, failures)
}

// explainFailures makes one error of what the broker refused. Nearly always the batch comes again and is written whole:
// what is durable by then is there twice, what failed stands behind it, and the sinks know both by position and look them
// up. The error is permanent only for an event that no topic will ever take. A destination that refuses its record is no
// reason to quarantine an event that others have by now.
func (o *output) explainFailures(used *kgo.Client, batch service.MessageBatch, records []kgo.Record, failures []failure) error {
	var invalid []int
	largest := map[string]int64{}
	for _, f := range failures {
		rec := &records[f.at]
		_, _, sealed := stage.Sealed(batch[f.at])
		switch {
		case errors.Is(f.err, kerr.MessageTooLarge):
			largest[rec.Topic] = max(largest[rec.Topic], batchSize(rec))
		case errors.Is(f.err, kerr.InvalidRecord) && !sealed:
			invalid = append(invalid, f.at)
		}
	}
	for topic, size := range largest {
		o.tooLarge(used, topic, size)
	}
	first := failures[0]
	cause := fmt.Errorf("writing %d of %d records, the first to %s: %w", len(failures), len(records), records[first.at].Topic, explain(first.err))
	if len(invalid) > 0 {
		return o.refuse(codeInvalid, cause, batch, invalid...)
	}
	return cause
}

// refuse makes the permanent error that names messages by where the input read them. Without such a place nobody could
// quarantine them, and the error is an ordinary one: the batch waits for somebody to mend the set-up.
func (o *output) refuse(code string, cause error, batch service.MessageBatch, at ...int) error {
	o.metrics.refuse(code, batch, at, o.topic.reader(batch))
	refs := make([]quarantine.Ref, 0, len(at))
	for _, i := range at {
		ref, ok := stage.Source(batch[i])
		if !ok {
			return fmt.Errorf("%s: %w", code, cause)
		}
		refs = append(refs, ref)
	}
	return &stage.PermanentError{Code: code, Refs: refs, Err: cause}
}
