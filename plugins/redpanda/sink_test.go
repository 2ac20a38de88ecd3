package redpanda

import (
	"context"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// sink is an output whose answers a test chooses.
type sink struct {
	mu      sync.Mutex
	answer  func(service.MessageBatch) error
	written [][]string
}

func (s *sink) Connect(context.Context) error { return nil }
func (s *sink) Close(context.Context) error   { return nil }

func (s *sink) WriteBatch(_ context.Context, batch service.MessageBatch) error {
	if s.answer != nil {
		if err := s.answer(batch); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var values []string
	for _, msg := range batch {
		body, err := msg.AsBytes()
		if err != nil {
			return err
		}
		values = append(values, string(body))
	}
	s.written = append(s.written, values)
	return nil
}

func (s *sink) rows() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, batch := range s.written {
		out = append(out, batch...)
	}
	return out
}
