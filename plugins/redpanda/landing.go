package redpanda

import (
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// land tells inputs that asked where their messages' records are.
func land(batch service.MessageBatch, records []kgo.Record) {
	for i := range records {
		if rec := &records[i]; rec.Topic != "" {
			stage.Land(batch[i], quarantine.Ref{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset})
		}
	}
}
