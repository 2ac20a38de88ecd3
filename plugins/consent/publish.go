package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

const (
	startCheck      = 3 * time.Second  // how long the start may wait for a broker to confirm the policy's version
	conflictBackoff = 30 * time.Second // how often a conflict found later is looked at, and logged, again
)

var errPolicyConflict = errors.New("this policy version is already published with other content: give policy.yaml a new version")

// publisher makes sure that the policy in force is known under its version before it judges anything.
type publisher struct {
	client *kafka.Client
	shared *kafka.Shared
	topic  string
	log    *service.Logger

	mu   sync.Mutex
	done *stage.Rules // the last that are known to be published
}

// policyPublisher returns what a stage must have done before its first verdict. A version that is known with
// other content is an error at once when a broker answers in time; otherwise the stage finds out, and waits, later.
func policyPublisher(conf *service.ParsedConfig, mgr *service.Resources, rt *stage.Runtime) (*publisher, error) {
	conf = conf.Namespace(state.FieldName)
	topic, ok := rt.Topics.ByRole(topics.Policies)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role policies: add privacy.policies with role: policies", rt.Dir)
	}
	client, err := kafka.ParseClient(conf, mgr)
	if err != nil {
		return nil, fmt.Errorf("publishing the policy: %w", err)
	}
	p := &publisher{client: client, topic: topic.Name, log: mgr.Logger()}
	p.shared = kafka.Share(client, mgr, []string{topic.Name}, func() []kafka.Table {
		return []kafka.Table{kafka.NewView(kafka.ViewConfig[*workspace.Published]{Topic: topic.Name, Decode: decodePublished})}
	})
	ctx, cancel := context.WithTimeout(context.Background(), startCheck)
	defer cancel()
	if err := p.publish(ctx, rt.Rules()); errors.Is(err, errPolicyConflict) {
		_ = p.Close(ctx)
		return nil, err
	}
	return p, nil
}

func decodePublished(value []byte) (rec *workspace.Published, version int64, err error) {
	rec, err = workspace.ParsePublished(value)
	return rec, 0, err
}

// ready blocks until the policy is published, or others are in force in its place.
func (p *publisher) ready(ctx context.Context, rules *stage.Rules) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.done != rules {
		err := p.publish(ctx, rules)
		if err == nil {
			p.done = rules
			break
		}
		p.log.Errorf("events wait: publishing policy %s: %v", rules.Policy.Version, err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("publishing the policy: %w", ctx.Err())
		case <-rules.Replaced():
			return fmt.Errorf("publishing the policy: %w: another came into force", err)
		case <-time.After(conflictBackoff):
		}
	}
	return nil
}

// publish looks the version up and produces the record if it is new. Two processes that publish at the same time write
// the same record twice, or the later one finds the conflict: it reads back what it produced.
func (p *publisher) publish(ctx context.Context, rules *stage.Rules) error {
	record := rules.Publish()
	known, err := p.known(ctx, record)
	if err != nil || known {
		return err
	}
	value, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("encoding the policy record: %w", err)
	}
	if err := p.client.Write(ctx, p.topic, record.Version, value); err != nil {
		return err
	}
	_, err = p.known(ctx, record)
	return err
}

func (p *publisher) known(ctx context.Context, record *workspace.Published) (known bool, err error) {
	view := p.shared.Tables[0].(*kafka.View[*workspace.Published])
	readErr := p.shared.Read(ctx, func() {
		entry, ok := view.Get(record.Version)
		switch {
		case !ok:
		case entry.Unreadable || entry.Value.SHA256 != record.SHA256:
			err = errPolicyConflict
		default:
			known = true
		}
	})
	return known, errors.Join(readErr, err)
}

// Close gives up the shared view.
func (p *publisher) Close(ctx context.Context) error { return p.shared.Close(ctx) }
