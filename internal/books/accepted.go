package books

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/event"
)

func (c *collector) takeAccepted(s Stage, r *kgo.Record) {
	waits := c.waits(s, r)
	for _, id := range c.acceptedIDs(r, waits) {
		c.ledger.Accept(id)
		if waits {
			c.ledger.Wait(id, Everywhere)
		}
	}
}

// acceptedIDs are the events of a record: one, or those of an array. An element of it that came to no end has a name made of the
// record's position, so that it shows as lost.
func (c *collector) acceptedIDs(r *kgo.Record, waits bool) []string {
	links := c.links[at(r)]
	sent := contentOf(r)
	_, unnamed := c.unnamed[at(r)]
	switch first := c.sent[sent]; {
	case len(links) == 0 && len(first) > 0 && !unnamed:
		return first // sent again, and taken out before it got further
	case len(links) > 1:
		links = slices.Clone(links)
	default:
		links = []string{c.name(r)}
	}
	c.sent[sent] = links
	whole := links[0] == event.DeriveID("quarantine", string(r.Value))
	if waits || whole {
		return links
	}
	for n := len(links); n < elements(r.Value); n++ {
		links = append(links, at(r).String()+"#"+strconv.Itoa(n))
	}
	return links
}

// contentOf is what a record and its repeat have in common.
func contentOf(r *kgo.Record) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d ", r.Topic, len(r.Key))
	h.Write(r.Key)
	h.Write(r.Value)
	return [sha256.Size]byte(h.Sum(nil))
}

// elements counts the different elements of an array. Like ones have one name.
func elements(value []byte) int {
	list := gjson.ParseBytes(value)
	if !list.IsArray() {
		return 1
	}
	different := map[string]bool{}
	for _, element := range list.Array() {
		different[element.Raw] = true
	}
	return len(different)
}

// link notes that the record at a position is, or holds, an event. Repeats of a hop say so again.
func (c *collector) link(from position, id string) {
	if !slices.Contains(c.links[from], id) {
		c.links[from] = append(c.links[from], id)
	}
}
