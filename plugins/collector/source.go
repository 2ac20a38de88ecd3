package collector

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/segment"
	"github.com/ebbgate/ebbgate/internal/writekey"
)

// source is one site, app or service that sends.
type source struct {
	segment.Source
	disabled  bool
	origins   []string // pages that may send, of a browser
	admission *door.Admission
}

// sources are all of them, and whose each write key is.
type sources struct {
	list []*source
	keys writekey.Set
}

var ipPolicies = map[string]segment.IPPolicy{"drop": segment.DropIP, "truncate": segment.TruncateIP, "keep": segment.KeepIP}

func parseSources(conf *service.ParsedConfig) (*sources, error) {
	confs, err := conf.FieldObjectList(coFieldSources)
	if err != nil {
		return nil, err
	}
	if len(confs) == 0 {
		return nil, errors.New("sources: give at least one")
	}
	all := &sources{}
	for i, one := range confs {
		src, err := parseSource(one)
		switch {
		case err != nil:
			return nil, fmt.Errorf("sources[%d]: %w", i, err)
		case slices.ContainsFunc(all.list, func(other *source) bool { return other.Name == src.Name }):
			return nil, fmt.Errorf("sources[%d].name: another source has it: their events could not be told apart", i)
		}
		all.list = append(all.list, src)
		if err := all.addKeys(one, i); err != nil {
			return nil, fmt.Errorf("sources[%d].%w", i, err)
		}
	}
	return all, nil
}

func parseSource(conf *service.ParsedConfig) (*source, error) {
	src := &source{}
	var err error
	if src.Name, err = conf.FieldString(srcFieldName); err != nil {
		return nil, err
	}
	if !event.ValidID([]byte(src.Name)) {
		return nil, errors.New("name: give a name of letters, digits and .:_-")
	}
	kind, err := conf.FieldString(srcFieldKind)
	if err != nil {
		return nil, err
	}
	src.Browser = kind == kindBrowser
	ip, err := conf.FieldString(srcFieldIP)
	if err != nil {
		return nil, err
	}
	src.IP = ipPolicies[ip]
	if src.disabled, err = conf.FieldBool(srcFieldDisabled); err != nil {
		return nil, err
	}
	if src.origins, err = conf.FieldStringList(srcFieldOrigins); err != nil {
		return nil, err
	}
	names, err := conf.FieldStringList(srcFieldEvents)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if src.Events == nil {
			src.Events = map[string]bool{}
		}
		src.Events[name] = true
	}
	return src, src.parseLimits(conf)
}

func (s *source) parseLimits(conf *service.ParsedConfig) error {
	perSecond, err := conf.FieldFloat(srcFieldRateLimit)
	if err != nil {
		return err
	}
	maxInFlight, err := conf.FieldInt(srcFieldMaxInFlight)
	if err != nil {
		return err
	}
	s.admission = door.NewAdmission(perSecond, maxInFlight)
	return nil
}

func (s *sources) addKeys(conf *service.ParsedConfig, owner int) error {
	confs, err := conf.FieldObjectList(srcFieldKeys)
	if err != nil {
		return err
	}
	if len(confs) == 0 {
		return errors.New("write_keys: give at least one: `ebbgate keys write-key` makes it")
	}
	for i, one := range confs {
		h, err := parseKey(one)
		if err != nil {
			return fmt.Errorf("write_keys[%d].%w", i, err)
		}
		if !s.keys.Add(h, owner) {
			return fmt.Errorf("write_keys[%d]: another entry has this key: a key belongs to one source", i)
		}
	}
	return nil
}

func parseKey(conf *service.ParsedConfig) (h writekey.Hash, err error) {
	text, err := conf.FieldString(keyFieldHash)
	if err != nil {
		return h, err
	}
	file, err := conf.FieldString(keyFieldFile)
	if err != nil {
		return h, err
	}
	field := keyFieldHash
	switch {
	case (text == "") == (file == ""):
		return h, errors.New("sha256: give either the key's hash or the file that holds it")
	case file != "":
		field = keyFieldFile
		content, err := os.ReadFile(file)
		if err != nil {
			return h, fmt.Errorf("file: %w: `ebbgate keys write-key` makes a key and its file", err)
		}
		text = string(content)
	}
	if h, err = writekey.ParseHash(text); err != nil {
		return h, fmt.Errorf("%s: %w", field, err)
	}
	return h, nil
}

// of returns the source of a key, or nil.
func (s *sources) of(key []byte) *source {
	owner, ok := s.keys.Find(key)
	if !ok {
		return nil
	}
	return s.list[owner]
}
