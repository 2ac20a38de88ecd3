package kafka

import (
	"context"
	"strings"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// sharedKey is where the engine's generic resources hold the followers of this process.
type sharedKey struct{}

type registry struct {
	mu   sync.Mutex
	live map[string]*sharedFollower
}

type sharedFollower struct {
	follower *Follower
	tables   []Table
	users    int
}

// Shared is one user's share of a follower that components of the process have in common.
type Shared struct {
	*Follower
	// Tables are those the follower was made with, by the first user; in the order of the result of build.
	Tables []Table

	once    sync.Once
	release func(context.Context) error
}

// Share returns the follower of the given topics at the client's brokers, the same one for every component of the
// process that asks with the same brokers, credentials and topics. build makes the tables if this is the first user.
// The follower stops when its last user has closed its share.
func Share(client *Client, mgr *service.Resources, topics []string, build func() []Table) *Shared {
	held, _ := mgr.GetOrSetGeneric(sharedKey{}, &registry{live: map[string]*sharedFollower{}})
	reg := held.(*registry)
	id := client.fingerprint() + "|" + strings.Join(topics, ",")
	reg.mu.Lock()
	defer reg.mu.Unlock()
	s, ok := reg.live[id]
	if !ok {
		tables := build()
		s = &sharedFollower{follower: NewFollower(client, mgr, tables...), tables: tables}
		reg.live[id] = s
	}
	s.users++
	return &Shared{Follower: s.follower, Tables: s.tables, release: func(ctx context.Context) error {
		return reg.drop(ctx, id, s)
	}}
}

// Close gives the share back. Only the first call counts.
func (s *Shared) Close(ctx context.Context) (err error) {
	s.once.Do(func() { err = s.release(ctx) })
	return err
}

func (r *registry) drop(ctx context.Context, id string, s *sharedFollower) error {
	r.mu.Lock()
	s.users--
	last := s.users == 0
	if last {
		delete(r.live, id)
	}
	r.mu.Unlock()
	if !last {
		return nil
	}
	return s.follower.Close(ctx)
}
