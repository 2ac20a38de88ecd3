package staging

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/staging"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// config is what the output was told, checked.
type config struct {
	dsn         string
	destination string
	timeout     time.Duration
	maxInFlight int
	area        *staging.Area
	stateTopics map[string]bool // whose chunks name subjects to judge anew
	token       func(subject string) string
	rules       func() *exportRules
	release     func()
	verifier    *seal.Verifier
	lookup      state.Lookup
	log         *service.Logger
	tracer      *hop.Tracer
	hops        *hop.Log
}

// Register adds the output to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchOutput("staging", outputSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchOutput, service.BatchPolicy, int, error) {
		o, err := fromParsed(conf, mgr)
		if err != nil {
			return nil, service.BatchPolicy{}, 0, err
		}
		// No batching: a batch is a chunk, and stays one.
		return o, service.BatchPolicy{}, o.cfg.maxInFlight, nil
	})
}

func fromParsed(conf *service.ParsedConfig, mgr *service.Resources) (o *output, err error) {
	cfg, err := parseConfig(conf)
	if err != nil {
		return nil, err
	}
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	if cfg.area, err = rt.Rules().Staging(); err != nil {
		return nil, err
	}
	if cfg.area.Destination != cfg.destination {
		return nil, fmt.Errorf("destination: staging.yaml is for destination %s: name that, or change it there", cfg.area.Destination)
	}
	if cfg.rules, cfg.release, err = followRules(rt, cfg.area); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			cfg.release()
		}
	}()
	cfg.log, cfg.tracer = mgr.Logger(), hop.NewTracer(mgr.OtelTracer())
	if cfg.hops, err = hop.ParseLog(conf, cfg.log); err != nil {
		return nil, err
	}
	cfg.verifier, cfg.token, cfg.stateTopics = seal.NewVerifier(rt.Ring, cfg.destination), tokens(rt.Ring, cfg.destination), stateTopics(rt.Topics)
	if err := state.CheckTopics(conf, rt.Topics); err != nil {
		return nil, err
	}
	if cfg.lookup, err = state.FromParsed(conf, mgr, rt.Ring); err != nil {
		return nil, err
	}
	if o, err = newOutput(cfg, mgr.Metrics()); err != nil {
		return nil, errors.Join(err, cfg.lookup.Close(context.Background()))
	}
	return o, nil
}

func parseConfig(conf *service.ParsedConfig) (cfg config, err error) {
	if cfg.dsn, err = conf.FieldString(soFieldDSN); err != nil {
		return cfg, err
	}
	if cfg.destination, err = conf.FieldString(soFieldDestination); err != nil {
		return cfg, err
	}
	if cfg.timeout, err = conf.FieldDuration(soFieldTimeout); err != nil {
		return cfg, err
	}
	cfg.maxInFlight, err = conf.FieldInt(soFieldMaxInFlight)
	cfg.maxInFlight = max(cfg.maxInFlight, 1)
	return cfg, err
}

// stateTopics are those whose records change what may be kept of a subject.
func stateTopics(set *topics.Set) map[string]bool {
	names := map[string]bool{}
	for _, role := range []topics.Role{topics.Consent, topics.Suppression, topics.Erasures, topics.Identity} {
		if t, ok := set.ByRole(role); ok {
			names[t.Name] = true
		}
	}
	return names
}

// tokens names subjects for the warehouse: the same for ever, and nothing that another destination or a topic has.
func tokens(ring *keys.Ring, destination string) func(string) string {
	key := ring.SubjectKey()
	return func(subject string) string {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "staging\x00%s\x00%s", destination, subject)
		return "sk_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:16]))
	}
}
