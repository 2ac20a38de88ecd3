package state

import (
	"container/list"
	"sync"
	"time"

	"github.com/ebbgate/ebbgate/internal/consent"
)

// cache holds the most recently used answers of the consent service, none older than ttl. A nil cache holds nothing.
type cache struct {
	mu    sync.Mutex
	size  int
	ttl   time.Duration
	order *list.List // front is the most recently used
	byKey map[string]*list.Element
}

type answer struct {
	key   string
	rec   *consent.Record // nil: the service has no record
	asked time.Time
}

func newCache(size int, ttl time.Duration) *cache {
	return &cache{size: size, ttl: ttl, order: list.New(), byKey: map[string]*list.Element{}}
}

func (c *cache) get(key string) (*consent.Record, bool) {
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.byKey[key]
	if !ok {
		return nil, false
	}
	a := el.Value.(*answer)
	if time.Since(a.asked) >= c.ttl {
		c.order.Remove(el)
		delete(c.byKey, key)
		return nil, false
	}
	c.order.MoveToFront(el)
	return a.rec, true
}

// put keeps an answer. asked is when the question was sent: the answer is as old as that, at most.
func (c *cache) put(key string, rec *consent.Record, asked time.Time) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byKey[key]; ok {
		el.Value = &answer{key, rec, asked}
		c.order.MoveToFront(el)
		return
	}
	c.byKey[key] = c.order.PushFront(&answer{key, rec, asked})
	if c.order.Len() > c.size {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.byKey, last.Value.(*answer).key)
	}
}
