package identity

import (
	"slices"
	"strings"
)

// Limit is how many pseudonyms may belong together. Beyond it the links are wrong, as on a public terminal that never
// resets its anonymous id, and nothing may be decided about any of them.
const Limit = 256

// Graph is the content of the topic of links.
type Graph struct {
	links map[Pair]*Link
	near  map[string][]near
	lost  map[string]bool // named by a record key that is no pair
}

type near struct {
	other string
	link  *Link
}

// NewGraph returns an empty graph.
func NewGraph() *Graph {
	g := &Graph{}
	g.Reset()
	return g
}

// Reset empties the graph.
func (g *Graph) Reset() { *g = Graph{map[Pair]*Link{}, map[string][]near{}, map[string]bool{}} }

// Len counts the pairs, those that are no longer linked among them.
func (g *Graph) Len() int { return len(g.links) }

// Apply takes one record. A record that cannot be read, or has no value, links its pair: it could be a link, and what it
// stood for would otherwise be let through.
func (g *Graph) Apply(key string, value []byte) {
	p, ok := ParseKey(key)
	if !ok {
		for part := range strings.SplitSeq(key, ",") {
			g.lost[part] = true
		}
		return
	}
	held := g.links[p]
	if held == nil {
		held = &Link{Version: -1}
		g.links[p] = held
		g.near[p.A] = append(g.near[p.A], near{p.B, held})
		g.near[p.B] = append(g.near[p.B], near{p.A, held})
	}
	switch l, ok := ParseLink(value); {
	case !ok:
		held.Removed = false
	case l.Version >= held.Version:
		*held = l
	}
}

// Reach appends every pseudonym that belongs together with key, itself not. ok is false where that cannot be told; then
// nothing may be decided about key. It costs one look where nothing is linked to key.
func (g *Graph) Reach(key string, dst []string) (_ []string, ok bool) {
	if len(g.near[key]) == 0 {
		return dst, len(g.lost) == 0 || !g.lost[key]
	}
	from := len(dst)
	dst = append(dst, key)
	for i := from; i < len(dst); i++ {
		if g.lost[dst[i]] {
			return dst[:from], false
		}
		for _, n := range g.near[dst[i]] {
			if n.link.Removed || slices.Contains(dst[from:], n.other) {
				continue
			}
			if len(dst)-from == Limit {
				return dst[:from], false
			}
			dst = append(dst, n.other)
		}
	}
	return slices.Delete(dst, from, from+1), true
}

// Links is what the records say of one pseudonym.
type Links struct {
	Key string
	// All belongs together with Key, however many links away. It is empty where Resolved is false: that is more than can
	// belong to one person.
	All      []string
	Resolved bool
	// Direct has the records that name Key, by the other end, those taken back among them.
	Direct map[string]Link
}

// Links returns what the records say of a pseudonym.
func (g *Graph) Links(key string) Links {
	found := Links{Key: key, Direct: make(map[string]Link, len(g.near[key]))}
	found.All, found.Resolved = g.Reach(key, nil)
	for _, n := range g.near[key] {
		found.Direct[n.other] = *n.link
	}
	return found
}
