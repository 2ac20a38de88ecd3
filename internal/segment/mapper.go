package segment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ebbgate/ebbgate/internal/consent/dialect"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/mask"
)

// Limits bound what is taken. A zero limit takes the default, which is Segment's.
type Limits struct {
	EventBytes int // of one event
	BatchBytes int // of a body
	Events     int // in a body
	Times      event.TimeLimits
}

// DefaultLimits are those of Segment's own API.
var DefaultLimits = Limits{EventBytes: 32 << 10, BatchBytes: 500 << 10, Events: 2500, Times: event.DefaultTimeLimits}

func (l Limits) withDefaults() Limits {
	for _, limit := range []struct{ given, fallback *int }{
		{&l.EventBytes, &DefaultLimits.EventBytes},
		{&l.BatchBytes, &DefaultLimits.BatchBytes},
		{&l.Events, &DefaultLimits.Events},
	} {
		if *limit.given <= 0 {
			*limit.given = *limit.fallback
		}
	}
	if l.Times.Future <= 0 {
		l.Times.Future = DefaultLimits.Times.Future
	}
	if l.Times.Past <= 0 {
		l.Times.Past = DefaultLimits.Times.Past
	}
	return l
}

// Config is what a workspace says of the events to come.
type Config struct {
	Contracts *contract.Set
	Consent   *dialect.Rules
	Limits    Limits
}

// Mapper knows the places of a call and of the workspace's contracts. It is immutable and safe for concurrent use.
type Mapper struct {
	contracts *contract.Set
	consent   *dialect.Rules
	limits    Limits
	dict      *event.Dictionary
	slots     []slot // by event.Field
	resent    []event.Field
	plans     map[*contract.Contract]*plan
	truncate  mask.Transform
}

// plan is what one contract wants of a call.
type plan struct {
	serverOnly []bool  // by event.Field, at each place that may become a property; nil for none
	lifts      []lift  // properties to fill
	liftOf     []uint8 // by event.Field: one above the lift's position
}

// lift fills a property from a place of the call.
type lift struct {
	key        string // with quotes and colon
	from       slot
	serverOnly bool
}

// bodies are the places whose members become properties.
var bodies = []string{"properties", "traits", "context.traits"}

// NewMapper numbers the places. It fails where a contract or a consent category cannot be told from one of them.
func NewMapper(c Config) (*Mapper, error) {
	m := &Mapper{contracts: c.Contracts, consent: c.Consent, limits: c.Limits.withDefaults(), plans: map[*contract.Contract]*plan{}}
	paths := slices.Concat(slotPaths[1:], resent, c.Consent.Paths("context"))
	for _, path := range c.Contracts.Paths() {
		for _, body := range bodies {
			paths = append(paths, body+strings.TrimPrefix(path, "properties"))
		}
	}
	var err error
	if m.dict, err = event.NewDictionary(paths...); err != nil {
		return nil, fmt.Errorf("numbering the places of a call: %w", err)
	}
	m.slots = make([]slot, m.dict.Len())
	for s := noSlot + 1; s < numSlots; s++ {
		m.slots[m.dict.Field(slotPaths[s])] = s
	}
	for _, name := range resent {
		m.resent = append(m.resent, m.dict.Field(name))
	}
	for _, one := range c.Contracts.All() {
		m.plans[one] = m.plan(one)
	}
	m.truncate, err = mask.TruncateIP(24, 48)
	return m, err
}

func (m *Mapper) plan(c *contract.Contract) *plan {
	p := &plan{liftOf: make([]uint8, m.dict.Len())}
	m.mark(p, c.Properties)
	for _, l := range lifted {
		at := slices.IndexFunc(c.Properties, func(one *contract.Property) bool { return one.Name == l.property && one.Type == contract.String })
		if at < 0 {
			continue
		}
		p.lifts = append(p.lifts, lift{`"` + l.property + `":`, l.from, c.Properties[at].ServerOnly})
		for _, body := range bodies {
			p.liftOf[m.dict.Field(body+"."+l.property)] = uint8(len(p.lifts))
		}
	}
	return p
}

// mark notes the properties that a browser may not send.
func (m *Mapper) mark(p *plan, list []*contract.Property) {
	for _, one := range list {
		m.mark(p, one.Properties)
		if !one.ServerOnly {
			continue
		}
		if p.serverOnly == nil {
			p.serverOnly = make([]bool, m.dict.Len())
		}
		for _, body := range bodies {
			p.serverOnly[m.dict.Field(body+strings.TrimPrefix(one.Path, "properties"))] = true
		}
	}
}
