package event

const (
	arenaNodes   = 4096
	arenaIndexes = 64
)

// Arena hands out Indexes for a batch of events from shared slabs, a few allocations per hundred events. An Index may
// outlive the Arena: a slab lives as long as any Index in it. The zero Arena is ready; one goroutine uses it at a time.
type Arena struct {
	nodes   []Node
	indexes []Index
}

// Scan is s.Scan into an Index of the arena.
func (a *Arena) Scan(s *Scanner, buf []byte) (*Index, error) {
	if len(a.indexes) == 0 {
		a.indexes = make([]Index, arenaIndexes)
	}
	if len(a.nodes) < 64+len(buf)/16 {
		a.nodes = make([]Node, max(arenaNodes, 64+len(buf)/16))
	}
	ix := &a.indexes[0]
	ix.Nodes = a.nodes[:0]
	if err := s.Scan(buf, ix); err != nil {
		*ix = Index{}
		return nil, err
	}
	a.indexes = a.indexes[1:]
	used := len(ix.Nodes)
	ix.Nodes = ix.Nodes[:used:used]
	if &ix.Nodes[0] == &a.nodes[0] { // else it outgrew the slab and has a tape of its own
		a.nodes = a.nodes[used:]
	}
	return ix, nil
}
