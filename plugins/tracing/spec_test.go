package tracing

import (
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace/noop"
)

func TestAddresses(t *testing.T) {
	for _, tc := range []struct {
		address string
		secure  bool
		want    string
	}{
		{"localhost:4318", false, "http://localhost:4318/v1/traces"},
		{"localhost:4318", true, "https://localhost:4318/v1/traces"},
		{"https://c.example.com:4318/", false, "https://c.example.com:4318/v1/traces"},
		{"http://c.example.com/otlp", true, "http://c.example.com/otlp/v1/traces"},
		{"http://c.example.com/v1/traces", false, "http://c.example.com/v1/traces"},
	} {
		got, err := endpoint(tc.address, tc.secure)
		require.NoError(t, err)
		assert.Equal(t, tc.want, got)
	}
	for _, address := range []string{"grpc://c.example.com:4317", "http://", "a b:1"} {
		_, err := endpoint(address, false)
		assert.ErrorContains(t, err, "http.address")
	}
}

func TestWithoutAnAddressTheTracerIsOff(t *testing.T) {
	for text, off := range map[string]bool{"{}": true, "http: [ { address: '' } ]": true, "http: [ { address: 'localhost:1' } ]": false} {
		conf, err := tracerSpec().ParseYAML(text, service.NewEmptyEnvironment())
		require.NoError(t, err)
		p, err := fromParsed(conf)
		require.NoError(t, err)
		_, is := p.(noop.TracerProvider)
		assert.Equal(t, off, is, text)
	}
	conf, err := tracerSpec().ParseYAML("sampling: { enabled: true, ratio: 2 }", service.NewEmptyEnvironment())
	require.NoError(t, err)
	_, err = fromParsed(conf)
	assert.ErrorContains(t, err, "sampling.ratio")
}
