package collector

import (
	"errors"
	"fmt"
	"sync"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent/dialect"
	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/segment"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// maxEventBytes is the largest event whatever the configuration says: its envelope must fit a record of events.raw.
const maxEventBytes = 256 << 10

// readers map the events of requests by one generation of policy and contracts.
type readers struct{ pool *sync.Pool }

func (r readers) get() *segment.Reader    { return r.pool.Get().(*segment.Reader) }
func (r readers) put(one *segment.Reader) { r.pool.Put(one) }

// newMapping follows policy and contracts: the purposes of one, and what the others say of browsers.
func newMapping(conf *service.ParsedConfig, rt *stage.Runtime, maxBody int64) (*stage.Part[readers], error) {
	consents, err := parseConsent(conf)
	if err != nil {
		return nil, err
	}
	limits, err := parseLimits(conf, maxBody)
	if err != nil {
		return nil, err
	}
	return stage.NewPart(rt, func(rules *stage.Rules) (readers, error) {
		dialects, err := dialect.New(rules.Policy.Purposes(), consents)
		if err != nil {
			return readers{}, fmt.Errorf("consent: %w", err)
		}
		mapper, err := segment.NewMapper(segment.Config{Contracts: rules.Contracts, Consent: dialects, Limits: limits})
		if err != nil {
			return readers{}, err
		}
		return readers{&sync.Pool{New: func() any { return mapper.NewReader() }}}, nil
	}, nil)
}

func parseLimits(conf *service.ParsedConfig, maxBody int64) (limits segment.Limits, err error) {
	if maxBody > quarantine.MaxPlaintext {
		return limits, fmt.Errorf("max_body_bytes must be at most %d: a refused event is kept in quarantine whole", quarantine.MaxPlaintext)
	}
	limits.BatchBytes = int(maxBody)
	size, err := door.ParseSize(conf, coFieldMaxEvent)
	if err != nil {
		return limits, err
	}
	if size > maxEventBytes {
		return limits, errors.New("max_event_bytes must be at most 256KiB: an event has to fit a record")
	}
	limits.EventBytes = int(size)
	if limits.Events, err = conf.FieldInt(coFieldMaxEvents); err != nil {
		return limits, err
	}
	limits.Times, err = stage.TimeLimits(conf)
	return limits, err
}

func parseConsent(conf *service.ParsedConfig) (m dialect.Mapping, err error) {
	if !conf.Contains(coFieldConsent) {
		return m, nil
	}
	vendor, err := conf.FieldInt(coFieldConsent, csFieldVendor)
	if err != nil {
		return m, err
	}
	if m.Vendor = uint16(vendor); vendor != int(m.Vendor) {
		return m, errors.New("consent.tcf_vendor: give a number of the IAB's vendor list, or 0")
	}
	purposes, err := conf.FieldObjectMap(coFieldConsent, csFieldPurposes)
	if err != nil {
		return m, err
	}
	m.Purposes = make(map[string]dialect.Purpose, len(purposes))
	for name, one := range purposes {
		if m.Purposes[name], err = parsePurpose(one); err != nil {
			return m, fmt.Errorf("consent.purposes.%s: %w", name, err)
		}
	}
	return m, nil
}

func parsePurpose(conf *service.ParsedConfig) (p dialect.Purpose, err error) {
	if p.Categories, err = conf.FieldStringList(csFieldCategories); err != nil {
		return p, err
	}
	if p.TCF, err = conf.FieldIntList(csFieldTCF); err != nil {
		return p, err
	}
	if p.OptOuts, err = conf.FieldStringList(csFieldOptOuts); err != nil {
		return p, err
	}
	p.GPC, err = conf.FieldBool(csFieldGPC)
	return p, err
}
