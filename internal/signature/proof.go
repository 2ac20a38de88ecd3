package signature

import (
	"encoding/json"
	"errors"
)

// Lists reports whether a body of this scheme is an array of events.
func (s *Scheme) Lists() bool { return s.array }

// SignedHeaders are those of a delivery's headers that Verify reads. With the body they are all that is needed to verify it
// again later.
func (s *Scheme) SignedHeaders(header map[string][]string) map[string][]string {
	kept := map[string][]string{}
	for _, name := range append([]string{s.timeHeader, s.idHeader}, s.signatures...) {
		if values := header[name]; name != "" && len(values) > 0 {
			kept[name] = values
		}
	}
	return kept
}

// FormatHeaders writes headers as one text, for a place that takes only texts; ParseHeaders reads it.
func FormatHeaders(header map[string][]string) string {
	text, err := json.Marshal(header)
	if err != nil { // texts always can be written
		panic(err)
	}
	return string(text)
}

// ParseHeaders reads what FormatHeaders wrote.
func ParseHeaders(text string) (map[string][]string, error) {
	var header map[string][]string
	if err := json.Unmarshal([]byte(text), &header); err != nil {
		return nil, errors.New("reading kept headers: they are not in the form in which they are kept")
	}
	return header, nil
}
