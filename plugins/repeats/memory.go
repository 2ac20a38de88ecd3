package repeats

import (
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/repeats"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// memory is what a process remembers. The engine makes a processor for each thread of a stream, and any thread may get the next chunk
// of a partition, so they share it.
type memory struct {
	hasher repeats.Hasher

	mu         sync.Mutex
	partitions map[partitionKey]*partition
}

// partitionKey tells a replay from the stream it repeats: each has its own place in the log.
type partitionKey struct {
	topic     string
	partition int32
	epoch     uint32
	window    int64
}

type partition struct {
	sync.Mutex
	log *repeats.Log
	at  *stage.Chunk // what the log stands at; each time the input hands a chunk out it is another
}

type memoryKey struct{}

func shareMemory(mgr *service.Resources) *memory {
	held, _ := mgr.GetOrSetGeneric(memoryKey{}, &memory{hasher: repeats.NewHasher(), partitions: map[partitionKey]*partition{}})
	return held.(*memory)
}

func (m *memory) partition(c *stage.Chunk, window int64) *partition {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := partitionKey{c.Topic, c.Partition, c.ReplayEpoch, window}
	p, ok := m.partitions[key]
	if !ok {
		p = &partition{log: repeats.NewLog(window)}
		m.partitions[key] = p
	}
	return p
}
