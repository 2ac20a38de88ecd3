package state

import (
	"context"
	"fmt"

	"github.com/ebbgate/ebbgate/internal/identity"
	"github.com/ebbgate/ebbgate/internal/kafka"
)

// ReadLinks returns what the topic of links says of a subject.
func ReadLinks(ctx context.Context, client *kafka.Client, topic, key string) (found identity.Links, err error) {
	err = readGraph(ctx, client, topic, func(g *identity.Graph) { found = g.Links(key) })
	return found, err
}

// WriteLink makes or takes back a link between two subjects, with a version above the current one, and returns what then
// is said of the first.
func WriteLink(ctx context.Context, client *kafka.Client, topic, key, other string, link identity.Link) (found identity.Links, err error) {
	pair, ok := identity.MakePair(key, other)
	if !ok {
		return found, fmt.Errorf("linking %s: two identifiers are needed, not one twice", key)
	}
	err = readGraph(ctx, client, topic, func(g *identity.Graph) {
		if held, ok := g.Links(key).Direct[other]; ok {
			link.Version = max(link.Version, held.Version+1)
		}
	})
	if err != nil {
		return found, err
	}
	if err := client.Write(ctx, topic, pair.Key(), link.Append(nil)); err != nil {
		return found, err
	}
	return ReadLinks(ctx, client, topic, key)
}

func readGraph(ctx context.Context, client *kafka.Client, topic string, use func(*identity.Graph)) error {
	view := newLinks(topic)
	follower := kafka.NewFollower(client, nil, view)
	defer follower.Close(context.WithoutCancel(ctx))
	if err := follower.Read(ctx, func() { use(view.Content) }); err != nil {
		return fmt.Errorf("reading %s for the subject: %w", topic, err)
	}
	return nil
}
