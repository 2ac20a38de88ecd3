package webhook

import "sync"

// maxBodies is how many bodies of an endpoint are remembered.
const maxBodies = 10_000

// bodies are the latest that an endpoint took, each with the id it came under. Some providers do not sign the id: who captured a
// delivery can send it again under another, and has then made another event. Equal events are also what a provider
// may really send, so they are counted and never dropped.
type bodies struct {
	mu    sync.Mutex
	ids   map[string]string // by hash
	order []string          // a ring
	next  int
}

// again remembers a body, and tells whether it was here before under another id.
func (b *bodies) again(hash, id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if first, known := b.ids[hash]; known {
		return first != id
	}
	if b.ids == nil {
		b.ids = map[string]string{}
	}
	if len(b.order) < maxBodies {
		b.order = append(b.order, hash)
	} else {
		delete(b.ids, b.order[b.next])
		b.order[b.next] = hash
		b.next = (b.next + 1) % maxBodies
	}
	b.ids[hash] = id
	return false
}
