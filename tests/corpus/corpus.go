// Package corpus holds events that try to get past the gate, each with the verdict it must get. Tests of every stage and
// destination run over it; nothing that is refused here may be delivered anywhere.
package corpus

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// GovernedPaths are the paths, besides the envelope's, that the verdicts are pinned for.
var GovernedPaths = []string{
	"properties.email", "properties.key", "properties.plan", "properties.card_number", "properties.user.phone",
	"properties.items[].sku", "properties.tags[]", "consent.marketing", "consent.analytics",
}

//go:embed bypass.jsonl
var bypass []byte

// Case is one event. Want is `ok` or the code of the fault it must give.
type Case struct {
	Name string
	Raw  []byte
	Want string
}

// line is the stored form: raw as text, or in base64 when it is not UTF-8.
type line struct {
	Name   string `json:"name"`
	Raw    string `json:"raw"`
	Base64 bool   `json:"base64,omitempty"`
	Want   string `json:"want"`
}

// Cases reads the checked-in corpus.
func Cases() ([]Case, error) {
	var cases []Case
	lines := bufio.NewScanner(bytes.NewReader(bypass))
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("reading case %d: %w", len(cases)+1, err)
		}
		raw := []byte(l.Raw)
		if l.Base64 {
			var err error
			if raw, err = base64.StdEncoding.DecodeString(l.Raw); err != nil {
				return nil, fmt.Errorf("reading case %s: %w", l.Name, err)
			}
		}
		cases = append(cases, Case{Name: l.Name, Raw: raw, Want: l.Want})
	}
	return cases, lines.Err()
}
