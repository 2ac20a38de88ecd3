package trace

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/explain"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// Policies reads every policy version that ever judged from the topic with role policies.
func Policies(ctx context.Context, client *kafka.Client, topic string) (explain.Rules, error) {
	r, err := client.OpenReader(time.Time{})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	known := map[string]*workspace.Published{}
	unreadable := map[string]error{}
	_, err = r.Scan(ctx, topic, func(rec *kgo.Record) {
		p, err := workspace.ParsePublished(rec.Value)
		known[string(rec.Key)], unreadable[string(rec.Key)] = p, err
	})
	if err != nil {
		return nil, err
	}
	return func(version string) (*workspace.Workspace, error) {
		if err := unreadable[version]; err != nil {
			return nil, err
		}
		p, ok := known[version]
		if !ok {
			return nil, fmt.Errorf("%s does not have it: stages publish a version before they judge by it, so look for another broker or a deleted topic", topic)
		}
		return p.Rules()
	}, nil
}
