package redpanda

import "github.com/redpanda-data/benthos/v4/public/service"

const componentName = "redpanda"

// Register adds the input and the output redpanda to the environment.
func Register(env *service.Environment) error {
	err := env.RegisterBatchInput(componentName, inputSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchInput, error) {
		return newInput(conf, mgr)
	})
	if err != nil {
		return err
	}
	return env.RegisterBatchOutput(componentName, outputSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchOutput, service.BatchPolicy, int, error) {
		out, err := newOutput(conf, mgr)
		if err != nil {
			return nil, service.BatchPolicy{}, 0, err
		}
		return out, service.BatchPolicy{}, out.maxInFlight, nil
	})
}
