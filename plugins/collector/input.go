package collector

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// maxBatch is how many events of several requests may share a batch.
const maxBatch = 5000

// input serves the API. It is safe for concurrent use.
type input struct {
	door         *door.Config
	path         string // before the routes
	scheme, host string // as SDKs reach it; empty where nobody says
	sources      *sources
	mapping      *stage.Part[readers]

	guard *stage.Guard
	ring  *keys.Ring
	topic string

	log      *service.Logger
	metrics  *metrics
	handover *door.Handover
	memory   *door.Memory
	now      func() time.Time

	mu     sync.Mutex
	server *door.Server
	open   atomic.Bool
}

func newInput(conf *service.ParsedConfig, mgr *service.Resources) (*input, error) {
	in := &input{log: mgr.Logger(), metrics: newMetrics(mgr.Metrics()), handover: door.NewHandover(maxBatch), now: time.Now}
	var err error
	if in.door, err = door.Parse(conf); err != nil {
		return nil, err
	}
	in.memory = door.NewMemory(in.door.MemoryLimit)
	if err := in.parsePlace(conf); err != nil {
		return nil, err
	}
	if in.sources, err = parseSources(conf); err != nil {
		return nil, err
	}
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	raw, ok := rt.Topics.ByRole(topics.Raw)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role raw: add events.raw with role: raw", rt.Dir)
	}
	in.topic, in.ring, in.guard = raw.Name, rt.Ring, stage.NewGuard(stage.StageIngest, rt)
	in.mapping, err = newMapping(conf, rt, in.door.Body.MaxBytes)
	return in, err
}

func (in *input) parsePlace(conf *service.ParsedConfig) error {
	path, err := conf.FieldString(coFieldPath)
	if err != nil {
		return err
	}
	if in.path = strings.TrimSuffix(path, "/"); in.path != "" && in.path[0] != '/' {
		return errors.New("path: give one that begins with /")
	}
	public, err := conf.FieldString(coFieldPublicURL)
	if err != nil || public == "" {
		return err
	}
	at, err := url.Parse(public)
	if err != nil || (at.Scheme != "https" && at.Scheme != "http") || at.Host == "" || at.RawQuery != "" {
		return errors.New("public_url: give the address SDKs use, such as https://events.example.com")
	}
	in.scheme, in.host = at.Scheme, at.Host+strings.TrimSuffix(at.Path, "/")+"/v1"
	return nil
}

// Connect opens the door.
func (in *input) Connect(context.Context) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.server != nil {
		return nil
	}
	server, err := door.Listen(in.door, http.HandlerFunc(in.serve), in.open.Load)
	if err != nil {
		return err
	}
	in.server = server
	in.open.Store(true)
	in.log.Infof("the collector listens on %s", server.Address())
	return nil
}

// ReadBatch returns the events that wait.
func (in *input) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	return in.handover.Next(ctx)
}

// Close turns away what is not on its way yet, and lets the rest be answered.
func (in *input) Close(ctx context.Context) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.open.Store(false)
	in.handover.Close()
	in.mapping.Close()
	if in.server == nil {
		return nil
	}
	err := in.server.Close(ctx)
	in.server = nil
	return err
}
