package webhook

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/signature"
)

// endpoint is one path and who delivers there.
type endpoint struct {
	path, source, provider string
	scheme                 *signature.Scheme
	admission              *door.Admission
	bodies                 bodies
}

func parseEndpoints(conf *service.ParsedConfig) (map[string]*endpoint, error) {
	list, err := conf.FieldObjectList(whFieldEndpoints)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("endpoints: give at least one")
	}
	byPath, sources := map[string]*endpoint{}, map[string]bool{}
	for i, one := range list {
		ep, err := parseEndpoint(one)
		switch {
		case err != nil:
			return nil, fmt.Errorf("endpoints[%d]: %w", i, err)
		case byPath[ep.path] != nil:
			return nil, fmt.Errorf("endpoints[%d].path: another endpoint has it", i)
		case sources[ep.source]:
			return nil, fmt.Errorf("endpoints[%d].source: another endpoint has it: their events could not be told apart", i)
		}
		byPath[ep.path], sources[ep.source] = ep, true
	}
	return byPath, nil
}

func parseEndpoint(conf *service.ParsedConfig) (ep *endpoint, err error) {
	ep = &endpoint{}
	if err := ep.name(conf); err != nil {
		return nil, err
	}
	if ep.scheme, err = parseScheme(conf, ep.provider); err != nil {
		return nil, err
	}
	perSecond, err := conf.FieldFloat(epFieldRateLimit)
	if err != nil {
		return nil, err
	}
	maxInFlight, err := conf.FieldInt(epFieldMaxInFlight)
	if err != nil {
		return nil, err
	}
	ep.admission = door.NewAdmission(perSecond, maxInFlight)
	return ep, nil
}

// name reads what an endpoint is called.
func (ep *endpoint) name(conf *service.ParsedConfig) (err error) {
	for _, text := range []struct {
		field string
		to    *string
	}{{epFieldPath, &ep.path}, {epFieldSource, &ep.source}, {epFieldProvider, &ep.provider}} {
		if *text.to, err = conf.FieldString(text.field); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(ep.path, "/") || ep.path == "/health" || ep.path == "/ready" {
		return errors.New("path: give one that begins with / and is neither /health nor /ready")
	}
	if !event.ValidID([]byte(ep.source)) {
		return errors.New("source: give a name of letters, digits and .:_-")
	}
	return nil
}

func parseScheme(conf *service.ParsedConfig, provider string) (*signature.Scheme, error) {
	c, err := parseWire(conf, provider)
	if err != nil {
		return nil, err
	}
	if c.Secrets, err = parseSecrets(conf); err != nil {
		return nil, err
	}
	return signature.New(c)
}

// parseWire reads how deliveries look, without the secrets.
func parseWire(conf *service.ParsedConfig, provider string) (c signature.Config, err error) {
	c.Provider = provider
	if c.Tolerance, err = conf.FieldDuration(epFieldTolerance); err != nil {
		return c, err
	}
	if c.ID, err = parsePlace(conf, epFieldID); err != nil {
		return c, err
	}
	if c.Type, err = parsePlace(conf, epFieldType); err != nil {
		return c, err
	}
	if conf.Contains(epFieldGeneric) {
		c.Generic, err = parseGeneric(conf.Namespace(epFieldGeneric))
	}
	return c, err
}

func parseSecrets(conf *service.ParsedConfig) ([]signature.Secret, error) {
	list, err := conf.FieldObjectList(epFieldSecrets)
	if err != nil {
		return nil, err
	}
	secrets := make([]signature.Secret, 0, len(list))
	for i, one := range list {
		secret, err := parseSecret(one)
		if err != nil {
			return nil, fmt.Errorf("secrets[%d].%w", i, err)
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

func parseSecret(conf *service.ParsedConfig) (s signature.Secret, err error) {
	if s.ID, err = conf.FieldString(secFieldID); err != nil {
		return s, err
	}
	env, err := conf.FieldString(secFieldEnv)
	if err != nil {
		return s, err
	}
	file, err := conf.FieldString(secFieldFile)
	if err != nil {
		return s, err
	}
	if s.Value, err = readSecret(env, file); err != nil {
		return s, err
	}
	until, err := conf.FieldString(secFieldUntil)
	if err != nil || until == "" {
		return s, err
	}
	if s.Until, err = time.Parse(time.RFC3339, until); err != nil {
		return s, errors.New("until: give a time such as 2026-12-01T00:00:00Z")
	}
	return s, nil
}

func readSecret(env, file string) (string, error) {
	switch {
	case (env == "") == (file == ""):
		return "", errors.New("env: give either the environment variable or the file that holds the secret")
	case env != "":
		value := os.Getenv(env)
		if value == "" {
			return "", fmt.Errorf("env: %s is not set, or empty: set it to the secret the provider shows for this endpoint", env)
		}
		return value, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("file: %w: write the secret the provider shows for this endpoint into it, or take the endpoint out; `ebbgate webhook secrets` makes one to try with", err)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("file: %s is empty: write the secret the provider shows for this endpoint into it", file)
	}
	return value, nil
}

func parsePlace(conf *service.ParsedConfig, field string) (p signature.Place, err error) {
	if !conf.Contains(field) {
		return p, nil
	}
	if p.Header, err = conf.FieldString(field, "header"); err != nil {
		return p, err
	}
	p.Path, err = conf.FieldString(field, "path")
	return p, err
}

func parseGeneric(conf *service.ParsedConfig) (*signature.Generic, error) {
	g := &signature.Generic{}
	for field, to := range map[string]*string{
		"header": &g.Header, "prefix": &g.Prefix, "content": &g.Content, "algorithm": &g.Algorithm, "encoding": &g.Encoding,
		"timestamp_header": &g.TimestampHeader, "timestamp_format": &g.TimestampFormat, "id_header": &g.IDHeader,
	} {
		var err error
		if *to, err = conf.FieldString(field); err != nil {
			return nil, err
		}
	}
	return g, nil
}
