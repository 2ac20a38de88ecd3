package keys

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "keys.Ring(redacted)"

// String hides the ring.
func (r Ring) String() string { return redacted }

// GoString hides the ring from %#v.
func (r Ring) GoString() string { return redacted }

// Format hides the ring from every verb and flag.
func (r Ring) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// MarshalJSON hides the ring.
func (r Ring) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText hides the ring.
func (r Ring) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalYAML hides the ring.
func (r Ring) MarshalYAML() (any, error) { return redacted, nil }

// LogValue hides the ring from slog.
func (r Ring) LogValue() slog.Value { return slog.StringValue(redacted) }
