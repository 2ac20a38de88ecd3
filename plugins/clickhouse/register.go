package clickhouse

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/clickhouse"
	"github.com/ebbgate/ebbgate/internal/hop"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

// instance tells the query ids of this process from those of others.
var instance = rand.Text()[:10]

// Register adds the output to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchOutput("clickhouse", outputSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchOutput, service.BatchPolicy, int, error) {
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
	if cfg.rules, cfg.release, err = followRules(rt, cfg.destination); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			cfg.release()
		}
	}()
	cfg.paths = rt.Rules().Contracts.Paths()
	if cfg.decisions, err = decisionsTopic(rt); err != nil {
		return nil, err
	}
	cfg.log, cfg.tracer = mgr.Logger(), hop.NewTracer(mgr.OtelTracer())
	if cfg.hops, err = hop.ParseLog(conf, cfg.log); err != nil {
		return nil, err
	}
	cfg.verifier = seal.NewVerifier(rt.Ring, cfg.destination)
	if conf.Contains(choFieldRecords) {
		if cfg.records, err = conf.FieldOutput(choFieldRecords); err != nil {
			return nil, err
		}
	}
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
	if cfg, err = parseCommon(conf); err != nil {
		return cfg, err
	}
	if cfg.destination, err = conf.FieldString(choFieldDestination); err != nil {
		return cfg, err
	}
	cfg.columns, err = conf.FieldStringMap(choFieldColumns)
	return cfg, err
}

// parseCommon reads what every output here has.
func parseCommon(conf *service.ParsedConfig) (cfg config, err error) {
	var compression string
	for _, field := range []struct {
		name string
		into *string
	}{
		{choFieldDSN, &cfg.dsn},
		{choFieldDatabase, &cfg.database},
		{choFieldTable, &cfg.table},
		{choFieldCompression, &compression},
	} {
		if *field.into, err = conf.FieldString(field.name); err != nil {
			return cfg, err
		}
	}
	cfg.compression = clickhouse.Compression(compression)
	if cfg.timeout, err = conf.FieldDuration(choFieldInsertTimeout); err != nil {
		return cfg, err
	}
	cfg.maxInFlight, err = conf.FieldInt(choFieldMaxInFlight)
	cfg.maxInFlight = cmp.Or(cfg.maxInFlight, 1)
	return cfg, err
}
