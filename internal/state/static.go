package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/keys"
)

// static is a fixed state. It is always current.
type static map[string]consent.State

// NewStatic returns a lookup with a fixed state, by subject pseudonym. Keys that are not in the map have no record.
// The map must not change afterwards.
func NewStatic(states map[string]consent.State) Lookup { return static(states) }

func (s static) Read(ctx context.Context, keys []string) ([]consent.State, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	out := make([]consent.State, len(keys))
	for i, key := range keys {
		out[i] = s[key]
	}
	return out, nil
}

func (s static) Recorded(ctx context.Context, keys []string) ([]consent.State, error) {
	return s.Read(ctx, keys)
}

func (static) Close(context.Context) error { return nil }

func parseStatic(list []*service.ParsedConfig, ring *keys.Ring) (Lookup, error) {
	out := make(static, len(list))
	for i, item := range list {
		state, err := parseStaticState(item)
		if err != nil {
			return nil, fmt.Errorf("reading state.static[%d]: %w", i, err)
		}
		named := false
		for _, kind := range []string{fieldStaticUser, fieldStaticAccount, fieldStaticAnonymous} {
			if !item.Contains(kind) {
				continue
			}
			id, err := item.FieldString(kind)
			if err != nil {
				return nil, err
			}
			if ring == nil {
				return nil, errors.New("reading state.static: the workspace's keys are needed to name subjects")
			}
			named = true
			out[ring.SubjectPseudonym(kind, id)] = state
		}
		if !named {
			return nil, fmt.Errorf("reading state.static[%d]: one of user_id, account_id and anonymous_id is needed", i)
		}
	}
	return out, nil
}

func parseStaticState(item *service.ParsedConfig) (s consent.State, err error) {
	version, err := item.FieldInt(fieldStaticVersion)
	if err != nil {
		return s, err
	}
	purposes, err := item.FieldAnyMap(fieldStaticPurposes)
	if err != nil {
		return s, err
	}
	if len(purposes) > 0 {
		s.Consent = &consent.Record{Version: int64(version), Source: "static", Purposes: make(map[string]bool, len(purposes))}
		for name, value := range purposes {
			if s.Consent.Purposes[name], err = value.FieldBool(); err != nil {
				return s, fmt.Errorf("reading purposes.%s: true or false is needed", name)
			}
		}
	}
	suppressed, err := item.FieldBool(fieldStaticSuppressed)
	if err != nil {
		return s, err
	}
	if suppressed {
		s.Suppressed = &consent.Suppression{Version: int64(version), Reason: "static"}
	}
	erased, err := item.FieldBool(fieldStaticErased)
	if err != nil {
		return s, err
	}
	if erased {
		s.Erased = &consent.Erasure{Epoch: int64(version), State: "fenced"}
	}
	return s, nil
}
