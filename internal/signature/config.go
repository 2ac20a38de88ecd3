package signature

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/event"
)

const (
	minSecret    = 16 // bytes
	maxSecrets   = 16
	maxTolerance = 24 * time.Hour
)

// Config says how the deliveries of one endpoint are signed.
type Config struct {
	// Provider is one of Providers.
	Provider string
	// Secrets are all that count now. While a secret is rotated both are listed; to revoke one, remove it. Sign uses the first.
	Secrets []Secret
	// Tolerance is how far the signed time may lie from now, in both directions; 0 takes the provider's own. It must be 0
	// where nothing signs a time.
	Tolerance time.Duration
	// Generic is required by the provider `generic` and refused by all others.
	Generic *Generic
	// ID and Type say where the provider's id and type of an event stand, where that is not the provider's own place.
	ID, Type Place
}

// Secret is one secret, or public key, under the name by which results and receipts tell it from others.
type Secret struct {
	ID    string
	Value string
	// Until ends an overlap: from then on a delivery signed with it is CodeRetired. Zero has no end.
	Until time.Time
}

// String is the secret's id; its value is never printed.
func (s Secret) String() string { return s.ID }

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.ID }

// Generic describes an HMAC scheme that is no provider of ours.
type Generic struct {
	// Header holds the signature and nothing else, after Prefix.
	Header string
	Prefix string
	// Content is what is signed: text with {body} once, and {timestamp} and {id} where they are signed.
	Content string
	// Algorithm is sha256 (the default), sha384 or sha512.
	Algorithm string
	// Encoding of the signature is hex (the default, lower case), base64, base64_raw, base64url or base64url_raw.
	Encoding string
	// TimestampHeader and IDHeader hold what {timestamp} and {id} stand for.
	TimestampHeader string
	IDHeader        string
	// TimestampFormat is unix (the default), unix_ms or rfc3339.
	TimestampFormat string
}

// Place is where a text of a delivery stands: in a header or at a dotted path of the JSON body, never both.
type Place struct {
	Header string
	Path   string
}

// Scheme verifies and signs the deliveries of one endpoint. It is safe for concurrent use.
type Scheme struct {
	wire
	keys    []key
	content content
	works   pool
}

// New makes the scheme, or names the field that is wrong and what to do about it.
func New(c Config) (*Scheme, error) {
	s, err := build(c, minSecret)
	if err != nil {
		return nil, fmt.Errorf("preparing webhook signatures: %w", err)
	}
	return s, nil
}

func build(c Config, shortest int) (*Scheme, error) {
	w, err := wireOf(c)
	if err != nil {
		return nil, err
	}
	s := &Scheme{wire: w}
	if s.content, err = parseContent(w.content); err != nil {
		return nil, err
	}
	if err := s.setTolerance(c.Tolerance); err != nil {
		return nil, err
	}
	if s.id, err = c.ID.or(w.id, "id"); err != nil {
		return nil, err
	}
	if s.kind, err = c.Type.or(w.kind, "type"); err != nil {
		return nil, err
	}
	s.keys, err = makeKeys(c.Secrets, w.key, shortest)
	return s, err
}

func (s *Scheme) setTolerance(asked time.Duration) error {
	switch {
	case asked != 0 && !s.content.signsTime:
		return errors.New("tolerance: this scheme signs no time, so none can be checked: remove the tolerance")
	case asked != 0 && asked < time.Second || asked > maxTolerance:
		return errors.New("tolerance: give 1s to 24h")
	case asked != 0:
		s.tolerance = asked
	}
	return nil
}

func makeKeys(secrets []Secret, parse keyParser, shortest int) ([]key, error) {
	if len(secrets) == 0 || len(secrets) > maxSecrets {
		return nil, fmt.Errorf("secrets: give 1 to %d", maxSecrets)
	}
	ids, values := map[string]bool{}, map[string]bool{}
	keys := make([]key, 0, len(secrets))
	for i, secret := range secrets {
		field := fmt.Sprintf("secrets[%d]", i)
		switch {
		case !event.ValidID([]byte(secret.ID)):
			return nil, fmt.Errorf("%s.id: give a name of 1 to 128 letters, digits and .:_-/+=~", field)
		case ids[secret.ID]:
			return nil, fmt.Errorf("%s.id: another secret has it: ids tell secrets apart", field)
		case secret.Value == "":
			return nil, fmt.Errorf("%s.value: it is empty: give the secret the provider shows for this endpoint", field)
		case strings.TrimSpace(secret.Value) != secret.Value:
			return nil, fmt.Errorf("%s.value: it begins or ends with white space, as a file's last line does: remove it", field)
		case len(secret.Value) < shortest:
			return nil, fmt.Errorf("%s.value: it is shorter than %d bytes and could be guessed: give the whole secret, or make a longer one", field, shortest)
		case values[secret.Value]:
			return nil, fmt.Errorf("%s.value: another secret is the same: list it once", field)
		}
		ids[secret.ID], values[secret.Value] = true, true
		version, material, err := parse(secret.Value)
		if err != nil {
			return nil, fmt.Errorf("%s.value: %w", field, err)
		}
		keys = append(keys, key{id: secret.ID, until: secret.Until, version: version, material: material})
	}
	return keys, nil
}

// or is the place the user gave, or else the provider's own.
func (p Place) or(own place, field string) (place, error) {
	switch {
	case p == Place{}:
		return own, nil
	case p.Header != "" && p.Path != "":
		return place{}, fmt.Errorf("%s: give a header or a path of the body, not both", field)
	case p.Header != "":
		name, err := headerName(p.Header, field+".header")
		return place{headers: []string{name}}, err
	}
	path := strings.Split(p.Path, ".")
	for _, name := range path {
		if name == "" {
			return place{}, fmt.Errorf("%s.path: give names of objects with dots between them, such as data.id", field)
		}
	}
	return place{path: path}, nil
}

// headerName is the spelling under which a Go server files a header.
func headerName(name, field string) (string, error) {
	if name == "" {
		return "", fmt.Errorf("%s: name the header", field)
	}
	for _, c := range []byte(name) {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return "", fmt.Errorf("%s: a header's name has letters, digits, - and _", field)
		}
	}
	return textproto.CanonicalMIMEHeaderKey(name), nil
}
