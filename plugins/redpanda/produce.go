package redpanda

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
)

const (
	codeTooLarge = "output.too_large"
	codeInvalid  = "output.invalid_record"
	codeOrder    = "output.order"

	// recordOverhead is what a record batch of one record takes beside keys, values and headers.
	recordOverhead = 128
)

// learnLimits asks the broker how large the records of our topics may be. Where it does not say, what topics.yaml or
// the configuration says holds.
func (o *output) learnLimits(ctx context.Context, cl *kgo.Client) {
	limits := map[string]int64{}
	var names []string
	for _, t := range o.topics.All() {
		names = append(names, t.Name)
		if t.MaxMessageBytes > 0 {
			limits[t.Name] = int64(t.MaxMessageBytes)
		}
	}
	if len(names) > 0 {
		configs, err := kadm.NewClient(cl).DescribeTopicConfigs(ctx, names...)
		if err != nil {
			o.log.Debugf("The broker does not tell the limits of topics: %v", err)
		}
		for _, config := range configs {
			if n, ok := maxMessageBytes(config); ok {
				limits[config.Name] = n
			}
		}
	}
	o.limits.Store(&limits)
}

func maxMessageBytes(config kadm.ResourceConfig) (int64, bool) {
	if config.Err != nil {
		return 0, false
	}
	for _, c := range config.Configs {
		if c.Key == "max.message.bytes" && c.Value != nil {
			n, err := strconv.ParseInt(*c.Value, 10, 32)
			return n, err == nil && n >= 512
		}
	}
	return 0, false
}

// limit is the largest batch, and so the largest record, of a topic.
func (o *output) limit(topic string) int64 {
	n, ok := (*o.limits.Load())[topic]
	if !ok {
		n = o.maxBytes
	}
	return min(max(n, 512), math.MaxInt32/2)
}

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
	return o.explainFailures(batch, records, failures)
}

// explainFailures makes one error of what the broker refused. It is permanent when trying again cannot help: the broker
// will never take the record, or a later record of its partition is durable already, so that written now it would come
// out of order and be taken for a repeat.
func (o *output) explainFailures(batch service.MessageBatch, records []kgo.Record, failures []failure) error {
	lost := map[int]bool{}
	for _, f := range failures {
		lost[f.at] = true
	}
	newest := map[string]map[int32]int{} // last record of a partition that is durable
	for i := range records {
		if topic := records[i].Topic; topic != "" && !lost[i] {
			if newest[topic] == nil {
				newest[topic] = map[int32]int{}
			}
			newest[topic][records[i].Partition] = i
		}
	}
	named := map[string][]int{}
	for _, f := range failures {
		last, any := newest[records[f.at].Topic][records[f.at].Partition]
		switch {
		case any && last > f.at:
			named[codeOrder] = append(named[codeOrder], f.at)
		case errors.Is(f.err, kerr.MessageTooLarge):
			named[codeTooLarge] = append(named[codeTooLarge], f.at)
		case errors.Is(f.err, kerr.InvalidRecord):
			named[codeInvalid] = append(named[codeInvalid], f.at)
		}
	}
	first := failures[0]
	cause := fmt.Errorf("writing %d of %d records, the first to %s: %w", len(failures), len(records), records[first.at].Topic, explain(first.err))
	for _, code := range []string{codeOrder, codeTooLarge, codeInvalid} {
		if len(named[code]) > 0 {
			return o.refuse(code, cause, batch, named[code]...)
		}
	}
	return cause
}

// refuse makes the permanent error that names messages by where the input read them. Without such a place nobody could
// quarantine them, and the error is an ordinary one: the batch waits for somebody to mend the set-up.
func (o *output) refuse(code string, cause error, batch service.MessageBatch, at ...int) error {
	o.metrics.refused.Incr(int64(len(at)), code)
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
