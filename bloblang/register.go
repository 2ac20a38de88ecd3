package bloblang

import (
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/bloblang"

	"github.com/ebbgate/ebbgate/internal/mask"
)

const category = "Ebbgate"

// method is one ebb_ method: a transform made from its arguments.
type method struct {
	name  string
	spec  *bloblang.PluginSpec
	build func(args *bloblang.ParsedParams) (mask.Transform, error)
}

// Register adds all methods and functions to env. ebb_tokenize reads the workspace's master file, which
// EBBGATE_KEYS_FILE names, when a mapping that uses it is parsed; without keys the mapping is refused.
func Register(env *bloblang.Environment) error {
	for _, m := range append(transforms(), tokenize(new(ringCache))) {
		if err := env.RegisterMethodV2(m.name, m.spec, m.constructor()); err != nil {
			return fmt.Errorf("registering method %s: %w", m.name, err)
		}
	}
	if err := env.RegisterFunctionV2(eventIDName, eventIDSpec(), newEventID); err != nil {
		return fmt.Errorf("registering function %s: %w", eventIDName, err)
	}
	return nil
}

func (m method) constructor() bloblang.MethodConstructorV2 {
	return func(args *bloblang.ParsedParams) (bloblang.Method, error) {
		transform, err := m.build(args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		return func(value any) (any, error) {
			text, ok := textOf(value, transform.Kinds())
			if !ok {
				return nil, fmt.Errorf("%s: the value's type does not fit", m.name) // the engine's own type errors quote it
			}
			out, err := transform.Append(nil, text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			return string(out), nil
		}, nil
	}
}
