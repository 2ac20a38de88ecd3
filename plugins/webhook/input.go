package webhook

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// maxBatch is how many deliveries may share a batch.
const maxBatch = 500

// input serves the endpoints. It is safe for concurrent use.
type input struct {
	door      *door.Config
	endpoints map[string]*endpoint
	topic     string

	brokers       *kafka.Client
	receiptsTopic string
	receipts      atomic.Pointer[kafka.Producer]

	log      *service.Logger
	metrics  *metrics
	handover *door.Handover
	memory   *door.Memory
	now      func() time.Time

	mu     sync.Mutex
	server *door.Server
}

func newInput(conf *service.ParsedConfig, mgr *service.Resources) (*input, error) {
	in := &input{log: mgr.Logger(), metrics: newMetrics(mgr.Metrics()), handover: door.NewHandover(maxBatch), now: time.Now}
	var err error
	if in.door, err = door.Parse(conf); err != nil {
		return nil, err
	}
	in.memory = door.NewMemory(in.door.MemoryLimit)
	if in.endpoints, err = parseEndpoints(conf); err != nil {
		return nil, err
	}
	if in.brokers, err = kafka.ParseClient(conf.Namespace(whFieldReceipts), mgr); err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	return in, in.findTopics(conf, rt)
}

func (in *input) findTopics(conf *service.ParsedConfig, rt *stage.Runtime) (err error) {
	if in.topic, err = conf.FieldString(whFieldTopic); err != nil {
		return err
	}
	if to, declared := rt.Topics.Topic(in.topic); !declared || to.Role != topics.Inbound {
		return fmt.Errorf("topic: %s/topics.yaml does not declare %s with role inbound: raw deliveries hold personal data and go to such a topic only", rt.Dir, in.topic)
	}
	receipts, ok := rt.Topics.ByRole(topics.Receipts)
	if !ok {
		return fmt.Errorf("%s/topics.yaml: no topic has role receipts: add ingest.receipts with role: receipts", rt.Dir)
	}
	in.receiptsTopic = receipts.Name
	return nil
}

// Connect reaches the brokers, and only then opens the door.
func (in *input) Connect(ctx context.Context) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.server != nil {
		return nil
	}
	receipts, err := in.brokers.OpenProducer(ctx)
	if err != nil {
		return fmt.Errorf("receipts: %w", err)
	}
	server, err := door.Listen(in.door, http.HandlerFunc(in.serve), func() bool { return in.receipts.Load() != nil })
	if err != nil {
		receipts.Close()
		return err
	}
	in.receipts.Store(receipts)
	in.server = server
	in.log.Infof("webhook endpoints listen on %s", server.Address())
	return nil
}

// ReadBatch returns the deliveries that wait.
func (in *input) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	return in.handover.Next(ctx)
}

// Close turns away what is not on its way yet, and lets the rest be answered.
func (in *input) Close(ctx context.Context) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.handover.Close()
	if in.server == nil {
		return nil
	}
	err := in.server.Close(ctx)
	in.server = nil
	if receipts := in.receipts.Swap(nil); receipts != nil {
		receipts.Close()
	}
	return err
}
