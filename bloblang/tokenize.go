package bloblang

import (
	"errors"
	"os"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/bloblang"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/mask"
)

// ringCache keeps the ring that was read last, so that arguments which change per message do not read the file each time.
type ringCache struct {
	mutex sync.Mutex
	path  string
	ring  *keys.Ring
}

func (c *ringCache) load() (*keys.Ring, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	path := os.Getenv(keys.EnvironmentVariable)
	if c.ring != nil && c.path == path {
		return c.ring, nil
	}
	ring, err := keys.FromEnvironment()
	if err != nil {
		return nil, err
	}
	c.path, c.ring = path, ring
	return ring, nil
}

func tokenize(cache *ringCache) method {
	spec := bloblang.NewPluginSpec().Category(category).Version("0.1.0").Impure().
		Description("Replaces a value by a keyed token: `t1.`, the key's id and 26 characters. The token of a value is the same as a policy's `tokenize` for this destination and field, and different at every other destination or field. The value is taken exactly as it is, unless `as` is `email`: then spaces around it are cut off, and it is lower-cased. Needs the master key file that `EBBGATE_KEYS_FILE` names.").
		Param(bloblang.NewStringParam("destination").Description("The destination the token is for.")).
		Param(bloblang.NewStringParam("field").Description("The field the value is in, such as `subject.user_id`.")).
		Param(bloblang.NewStringParam("as").Default("exact").Description("How the value is spelled before it is tokenised: `exact` or `email`.")).
		Example("The token depends on your key; its form does not.",
			`root.user = this.user.ebb_tokenize("analytics", "subject.user_id").re_replace_all("[.].*", "")`,
			[2]string{`{"user":"u_123"}`, `{"user":"t1"}`}).
		Example("Two spellings of one address have one token.",
			`root.same = this.a.ebb_tokenize("analytics", "properties.email", "email") == this.b.ebb_tokenize("analytics", "properties.email", "email")`,
			[2]string{`{"a":"Alice@Example.com","b":"alice@example.com"}`, `{"same":true}`})
	return method{"ebb_tokenize", spec, func(args *bloblang.ParsedParams) (mask.Transform, error) { return buildTokenize(cache, args) }}
}

func buildTokenize(cache *ringCache, args *bloblang.ParsedParams) (mask.Transform, error) {
	destination, err := args.GetString("destination")
	if err != nil {
		return nil, err
	}
	field, err := args.GetString("field")
	if err != nil {
		return nil, err
	}
	as, err := args.GetString("as")
	if err != nil {
		return nil, err
	}
	if destination == "" || field == "" {
		return nil, errors.New("the destination and the field must be named")
	}
	transform, err := mask.Parse("tokenize", map[string]any{"as": as})
	if err != nil {
		return nil, err
	}
	ring, err := cache.load()
	if err != nil {
		return nil, err
	}
	return transform.(mask.Keyed).Bind(ring.Token(destination, field)), nil
}
