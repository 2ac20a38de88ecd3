package books

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// EachRecord gives every record of a topic from its start to the end it had when the call began. A topic that does not
// exist has none.
func EachRecord(ctx context.Context, options []kgo.Opt, admin *kadm.Client, topic string, take func(*kgo.Record)) error {
	start, end, err := bounds(ctx, admin, topic)
	if err != nil || len(start) == 0 {
		return err
	}
	client, err := kgo.NewClient(append(options[:len(options):len(options)],
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: start}),
		// Control records hold offsets too: without them the end might never be seen.
		kgo.KeepControlRecords(),
	)...)
	if err != nil {
		return fmt.Errorf("opening a reader of %s: %w", topic, err)
	}
	defer client.Close()
	for len(end) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("reading %s: %w", topic, err)
		}
		fetches.EachError(func(_ string, _ int32, fetchErr error) { err = errors.Join(err, fetchErr) })
		if err != nil {
			return fmt.Errorf("reading %s: %w", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			last, open := end[r.Partition]
			if !open {
				return
			}
			if r.Offset < last && !r.Attrs.IsControl() {
				take(r)
			}
			if r.Offset >= last-1 {
				delete(end, r.Partition)
			}
		})
	}
	return nil
}

// bounds gives where to start and where to stop, for the partitions that hold anything.
func bounds(ctx context.Context, admin *kadm.Client, topic string) (map[int32]kgo.Offset, map[int32]int64, error) {
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("finding the start of %s: %w", topic, err)
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("finding the end of %s: %w", topic, err)
	}
	from, to := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		first, ok := starts.Lookup(topic, o.Partition)
		if ok && first.Offset < o.Offset {
			from[o.Partition] = kgo.NewOffset().At(first.Offset)
			to[o.Partition] = o.Offset
		}
	})
	return from, to, nil
}

// TopicSource is a topic as a place to search for canaries: keys, header names and values, and values, each on a line
// of its own, from the start to the end the topic has when it is read.
func TopicSource(options []kgo.Opt, topic string) Source {
	return Source{Name: "topic " + topic, Read: func(ctx context.Context) (io.ReadCloser, error) {
		client, err := kgo.NewClient(options...)
		if err != nil {
			return nil, fmt.Errorf("opening a client: %w", err)
		}
		return stream(func(w io.Writer) error {
			defer client.Close()
			var failed error
			err := EachRecord(ctx, options, kadm.NewClient(client), topic, func(r *kgo.Record) {
				failed = errors.Join(failed, writeRecord(w, r))
			})
			return errors.Join(err, failed)
		}), nil
	}}
}

func writeRecord(w io.Writer, r *kgo.Record) error {
	line := append(append([]byte(nil), r.Key...), '\n')
	for _, h := range r.Headers {
		line = append(append(line, h.Key...), ':')
		line = append(append(line, h.Value...), '\n')
	}
	line = append(append(line, r.Value...), '\n')
	_, err := w.Write(line)
	return err
}

// FileSource is a file, such as a log, as a place to search.
func FileSource(path string) Source {
	return Source{Name: "file " + path, Read: func(context.Context) (io.ReadCloser, error) { return os.Open(path) }}
}

// stream runs a writer beside its reader. Closing the reader ends the writer with an error of its next write.
func stream(write func(io.Writer) error) io.ReadCloser {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(write(writer)) }()
	return reader
}
