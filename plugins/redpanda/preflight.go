package redpanda

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// preflightTimeout bounds one look at the broker; the engine tries again.
const preflightTimeout = 10 * time.Second

// lostError says that the broker does not have the offset the group is to read next. Reading on elsewhere would skip
// events or take others for them, so the input stops until somebody decides.
type lostError struct {
	group      string
	topic      string
	partition  int32
	at         int64
	start, end int64
}

func (e *lostError) Error() string {
	have := fmt.Sprintf("it has %d to %d", e.start, e.end-1)
	switch {
	case e.start == none:
		have = fmt.Sprintf("it lost everything from %d on", e.end)
	case e.start == e.end:
		have = fmt.Sprintf("it has nothing; its next offset is %d", e.end)
	}
	return fmt.Sprintf("reading %s/%d at offset %d: the broker does not have this offset (%s), so events are lost or replaced and the input stops; "+
		"find out what was lost (retention shorter than the lag, or a topic made anew), then move the group on purpose with 'rpk group seek %s --topics %s --to start'",
		e.topic, e.partition, e.at, have, e.group, e.topic)
}

// preflight finds out, before the group is joined, whether all topics are there and every committed offset still is.
func (in *input) preflight(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, preflightTimeout)
	defer cancel()
	cl, err := kgo.NewClient(in.client.Options()...)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	starts, err := adm.ListStartOffsets(ctx, in.topics...)
	if err == nil {
		err = topicErrors(starts, in.topics)
	}
	if err != nil {
		return fmt.Errorf("reading the offsets of the topics: %w", explain(err))
	}
	ends, err := adm.ListEndOffsets(ctx, in.topics...)
	if err == nil {
		err = topicErrors(ends, in.topics)
	}
	if err != nil {
		return fmt.Errorf("reading the offsets of the topics: %w", explain(err))
	}
	committed, err := adm.FetchOffsets(ctx, in.group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return fmt.Errorf("reading the offsets of group %s: %w", in.group, explain(err))
	}
	in.tellRetention(ctx, adm)
	return in.compare(committed, starts, ends)
}

// compare reports every committed offset that the topics no longer have.
func (in *input) compare(committed kadm.OffsetResponses, starts, ends kadm.ListedOffsets) error {
	var lost []error
	ends.Each(func(end kadm.ListedOffset) {
		c, ok := committed.Lookup(end.Topic, end.Partition)
		if !ok || c.At < 0 {
			return
		}
		start, _ := starts.Lookup(end.Topic, end.Partition)
		if c.At < start.Offset || c.At > end.Offset {
			lost = append(lost, &lostError{
				group: in.group, topic: end.Topic, partition: end.Partition, at: c.At, start: start.Offset, end: end.Offset,
			})
		}
	})
	return errors.Join(lost...)
}

// topicErrors returns the first reason why a topic cannot be read.
func topicErrors(offsets kadm.ListedOffsets, topics []string) error {
	for _, topic := range topics {
		if len(offsets[topic]) == 0 {
			return fmt.Errorf("topic %s does not exist: create it with 'ebbgate topics apply'", topic)
		}
		for _, o := range offsets[topic] {
			if errors.Is(o.Err, kerr.UnknownTopicOrPartition) {
				return fmt.Errorf("topic %s does not exist: create it with 'ebbgate topics apply'", topic)
			}
			if o.Err != nil {
				return fmt.Errorf("topic %s: %w", topic, o.Err)
			}
		}
	}
	return nil
}

// explain adds what to do about errors that only an operator can mend.
func explain(err error) error {
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return fmt.Errorf("%w: the broker's ACLs refuse this user the topic; grant it with 'ebbgate topics apply --acls' after naming the user in topics.yaml", err)
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return fmt.Errorf("%w: the broker's ACLs refuse this user the consumer group; grant READ on the group", err)
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Errorf("%w: check sasl.mechanism, username and password", err)
	}
	return err
}
