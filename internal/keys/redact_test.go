package keys

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// requireHidden fails if text holds the master or a derived key in any form a printer would give it.
func requireHidden(t *testing.T, ring *Ring, text string) {
	t.Helper()
	held := ring.reveal()
	for _, secret := range [][]byte{held.masters[0].secret[:], ring.Seal("analytics"), ring.SubjectKey()} {
		forms := []string{
			string(secret), hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret),
			base64.RawURLEncoding.EncodeToString(secret), strings.Trim(fmt.Sprint(secret), "[]"),
			strings.Trim(fmt.Sprintf("%#v", secret), "[]byte{}"), strings.ToUpper(hex.EncodeToString(secret)),
		}
		for _, form := range forms {
			require.NotContains(t, text, form)
			require.NotContains(t, text, form[:len(form)/2])
		}
	}
}

type holder struct {
	Public  *Ring
	private *Ring
	value   Ring
}

func TestRingCannotBeFormatted(t *testing.T) {
	ring := ForTesting("redact")
	values := map[string]any{
		"pointer": ring, "value": *ring, "slice": []*Ring{ring}, "values": []Ring{*ring}, "map": map[string]Ring{"a": *ring},
		"struct": holder{ring, ring, *ring}, "struct pointer": &holder{ring, ring, *ring},
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%p", "%08.3f"} {
			t.Run(name+verb, func(t *testing.T) { requireHidden(t, ring, fmt.Sprintf(verb, value)) })
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.Equal(t, redacted, fmt.Sprintf(verb, ring))
		assert.Equal(t, redacted, fmt.Sprintf(verb, *ring))
	}
}

func TestRingCannotBeMarshalled(t *testing.T) {
	ring := ForTesting("redact")
	for _, value := range []any{ring, *ring, holder{ring, ring, *ring}} {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		assert.Contains(t, string(text), redacted)
		requireHidden(t, ring, string(text))

		text, err = yaml.Marshal(value)
		require.NoError(t, err)
		requireHidden(t, ring, string(text))

		text, _ = xml.Marshal(value)
		requireHidden(t, ring, string(text))

		var stream bytes.Buffer
		_ = gob.NewEncoder(&stream).Encode(value)
		requireHidden(t, ring, stream.String())

		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("start", "ring", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "ring", value)
		requireHidden(t, ring, log.String())
	}
}

// recorder keeps what an assertion would print; testify prints with a reflecting dumper that calls no methods.
type recorder struct{ text strings.Builder }

func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(&r.text, format, args...) }

func TestRingCannotBeDumpedByReflection(t *testing.T) {
	ring, other := ForTesting("redact"), ForTesting("other")
	ring.SubjectPseudonym("user_id", "u_1")
	var out recorder
	assert.Equal(&out, holder{ring, ring, *ring}, holder{other, other, *other})
	assert.Nil(&out, ring)
	require.NotEmpty(t, out.text.String())
	requireHidden(t, ring, out.text.String())
}

func TestRingCannotBeSeenInErrors(t *testing.T) {
	ring := ForTesting("redact")
	requireHidden(t, ring, fmt.Errorf("starting with %v, %+v: %w", ring, *ring, errors.New("cause")).Error())
}

func TestRingCannotBeSeenInPanics(t *testing.T) {
	const variable = "EBBGATE_TEST_PANIC"
	ring := ForTesting("redact")
	switch os.Getenv(variable) {
	case "pointer":
		panic(ring)
	case "value":
		panic(*ring)
	case "struct":
		panic(holder{ring, ring, *ring})
	}
	for _, form := range []string{"pointer", "value", "struct"} {
		command := exec.Command(os.Args[0], "-test.run=^TestRingCannotBeSeenInPanics$")
		command.Env = append(os.Environ(), variable+"="+form, "GOTRACEBACK=all")
		out, err := command.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "panic")
		requireHidden(t, ring, string(out))
	}
}
