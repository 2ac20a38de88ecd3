package tracing

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/redpanda-data/benthos/v4/public/service"
)

const (
	otFieldHeadersEnv  = "headers_env"
	otFieldHeadersFile = "headers_file"
)

// headerFields name where the credentials of a collector are. A value cannot be given, so no YAML holds one.
func headerFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringField(otFieldHeadersEnv).
			Description("The environment variable that holds headers for this collector, as `name=value,name=value` with values percent-encoded, " +
				"which is OpenTelemetry's form. Unset or empty: none.").
			Example("OTEL_EXPORTER_OTLP_HEADERS").Default(""),
		service.NewStringField(otFieldHeadersFile).
			Description("A file of headers for this collector, one `Name: value` a line. It is read at the start.").
			Example("/run/secrets/collector").Default(""),
	}
}

// parseHeaders reads the headers of one collector. Errors name no value.
func parseHeaders(conf *service.ParsedConfig) (http.Header, error) {
	headers := http.Header{}
	variable, err := conf.FieldString(otFieldHeadersEnv)
	if err != nil {
		return nil, err
	}
	if text := os.Getenv(variable); variable != "" && strings.TrimSpace(text) != "" {
		for pair := range strings.SplitSeq(text, ",") {
			if err := addPair(headers, pair); err != nil {
				return nil, fmt.Errorf("reading http.%s: the variable %s: %w", otFieldHeadersEnv, variable, err)
			}
		}
	}
	file, err := conf.FieldString(otFieldHeadersFile)
	if err != nil || file == "" {
		return headers, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading http.%s: %w", otFieldHeadersFile, err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if err := addHeader(headers, name, value); err != nil {
			return nil, fmt.Errorf("reading http.%s: %s: %w; write one Name: value a line", otFieldHeadersFile, file, err)
		}
	}
	return headers, nil
}

func addPair(headers http.Header, pair string) error {
	name, encoded, _ := strings.Cut(pair, "=")
	value, err := url.PathUnescape(strings.TrimSpace(encoded))
	if err != nil {
		return errors.New("a value is not percent-encoded: write name=value,name=value")
	}
	if err := addHeader(headers, name, value); err != nil {
		return fmt.Errorf("%w: write name=value,name=value", err)
	}
	return nil
}

var (
	headerName  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	headerValue = regexp.MustCompile(`^[\x20-\x7e]+$`)
)

func addHeader(headers http.Header, name, value string) error {
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !headerName.MatchString(name) {
		return errors.New("a header has no valid name")
	}
	if !headerValue.MatchString(value) {
		return errors.New("a header has no value, or one with characters that no header may have")
	}
	headers.Set(name, value)
	return nil
}
