package redpanda

import (
	"regexp"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// originReader reads where records entered the pipelines. Most records of a chunk name one topic, which is kept once.
type originReader struct{ topic string }

// topicName is what brokers take for one. An origin reaches stores under a seal, so nothing else passes for it.
var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// read returns what an earlier hop wrote into the headers, or nothing where any part of it cannot be read.
func (o *originReader) read(rec *kgo.Record) (ref quarantine.Ref) {
	var topic []byte
	var partition, offset int64
	known := 0
	for i := range rec.Headers {
		h, err := &rec.Headers[i], error(nil)
		switch h.Key {
		case stage.HeaderSrcTopic:
			topic = h.Value
		case stage.HeaderSrcPartition:
			partition, err = strconv.ParseInt(string(h.Value), 10, 32)
		case stage.HeaderSrcOffset:
			offset, err = strconv.ParseInt(string(h.Value), 10, 64)
		default:
			continue
		}
		if err != nil {
			return ref
		}
		known++
	}
	if known != 3 || partition < 0 || offset < 0 || !o.names(topic) {
		return ref
	}
	return quarantine.Ref{Topic: o.topic, Partition: int32(partition), Offset: offset}
}

func (o *originReader) names(topic []byte) bool {
	if len(topic) > 0 && string(topic) == o.topic {
		return true
	}
	if !topicName.Match(topic) {
		return false
	}
	o.topic = string(topic)
	return true
}
