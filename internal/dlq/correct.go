package dlq

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/bloblang"

	"github.com/ebbgate/ebbgate/internal/event"
)

var (
	// errCorrection stands for whatever a mapping says of an event, because that may quote it.
	errCorrection = &event.Fault{Code: "replay.correction", Remedy: "the mapping fails on the event, or deletes it: mend the mapping; to give an event up, discard it"}
	errAmbiguous  = &event.Fault{Code: "replay.not_strict", Remedy: "the event is not JSON that every parser reads alike, so no mapping can be given it: have the sender send it again"}
)

// Mapping returns the correction that a Bloblang mapping makes. It sees the event and nothing else: no environment, file or clock.
func Mapping(text string) (func([]byte) ([]byte, error), error) {
	exec, err := bloblang.GlobalEnvironment().OnlyPure().WithDisabledImports().Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parsing the mapping: %w", err)
	}
	dict, err := event.NewDictionary()
	if err != nil {
		return nil, err
	}
	scanner := event.NewScanner(dict, event.DefaultLimits)
	return func(body []byte) ([]byte, error) {
		in, err := structured(scanner, body)
		if err != nil {
			return nil, err
		}
		out, err := exec.Query(in)
		if err != nil {
			return nil, errCorrection
		}
		corrected, err := json.Marshal(out)
		if err != nil {
			return nil, errCorrection
		}
		return corrected, nil
	}, nil
}

// structured refuses what parsers read differently. A name that only looks like a governed one is no such thing, and may be mended.
func structured(scanner *event.Scanner, body []byte) (in any, err error) {
	var ix event.Index
	if fault, bad := event.AsFault(scanner.Scan(body, &ix)); bad && fault.Code != event.CodeNearName {
		return nil, errAmbiguous
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber() // a float would change large numbers
	if dec.Decode(&in) != nil {
		return nil, errAmbiguous
	}
	return in, nil
}
