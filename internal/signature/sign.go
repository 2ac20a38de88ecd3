package signature

import (
	"errors"
	"fmt"
	"time"
)

// Outgoing is a delivery to be signed.
type Outgoing struct {
	// ID and Type go into headers where the provider sends them so, and are ignored where the body holds them.
	ID, Type string
	At       time.Time
	Body     []byte
}

// Sign gives the headers a provider would send, signed with the first secret. Where a key pair signs, that must be the
// private key.
func (s *Scheme) Sign(d Outgoing) (map[string][]string, error) {
	header := map[string][]string{}
	set := func(p place, text string) {
		if len(p.headers) > 0 && text != "" {
			header[p.headers[0]] = []string{text}
		}
	}
	set(s.id, d.ID)
	set(s.kind, d.Type)
	var r reading
	if s.idHeader != "" {
		r.id = []byte(d.ID)
		if !visible(r.id) {
			return nil, errors.New("signing a delivery: id: this scheme signs it: give 1 to 256 visible characters")
		}
		header[s.idHeader] = []string{d.ID}
	}
	if s.content.signsTime {
		r.time = []byte(s.clock.format(d.At))
	}
	if s.timeHeader != "" {
		header[s.timeHeader] = []string{string(r.time)}
	}
	key := s.keys[0]
	signature, err := key.material.sign(message{appendParts(nil, s.content.head, &r), d.Body, appendParts(nil, s.content.tail, &r)})
	if err != nil {
		return nil, fmt.Errorf("signing a delivery with secret %s: %w", key.id, err)
	}
	header[s.signatures[0]] = []string{s.form.write(string(r.time), key.version, signature)}
	return header, nil
}
