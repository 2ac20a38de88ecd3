package kafka

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

const (
	saslMechanism = "mechanism"
	saslUsername  = "username"
	saslPassword  = "password"
	saslToken     = "token"

	mechanismPlain  = "PLAIN"
	mechanismSHA256 = "SCRAM-SHA-256"
	mechanismSHA512 = "SCRAM-SHA-512"
	mechanismOAuth  = "OAUTHBEARER"
)

const saslRule = `root = if this.type() == "array" { this.map_each(s -> match {
  s.mechanism == "OAUTHBEARER" && s.token.or("") == "" => "OAUTHBEARER needs token"
  s.mechanism != "OAUTHBEARER" && (s.username.or("") == "" || s.password.or("") == "") => "this mechanism needs username and password"
  _ => deleted()
}) }`

func saslField() *service.ConfigField {
	return service.NewObjectListField(FieldSASL,
		service.NewStringAnnotatedEnumField(saslMechanism, map[string]string{
			mechanismPlain:  "User name and password in clear: use it under TLS only.",
			mechanismSHA256: "Challenge and response with SHA-256.",
			mechanismSHA512: "Challenge and response with SHA-512.",
			mechanismOAuth:  "A bearer token.",
		}).Description("How to authenticate."),
		service.NewStringField(saslUsername).Description("The user, for PLAIN and SCRAM.").Default(""),
		service.NewStringField(saslPassword).Description("The password, for PLAIN and SCRAM.").Default("").Secret(),
		service.NewStringField(saslToken).Description("The token, for OAUTHBEARER.").Default("").Secret(),
	).Description("Ways to authenticate, in order of preference. The broker's first match is used.").
		Optional().Advanced().
		LintRule(saslRule).
		Example([]any{map[string]any{saslMechanism: mechanismSHA512, saslUsername: "ebbgate", saslPassword: "${BROKER_PASSWORD}"}})
}

type saslConfig struct {
	name, user, pass, token string
}

// String keeps the secrets out of logs.
func (s saslConfig) String() string { return "sasl(" + s.name + ")" }

// GoString is String.
func (s saslConfig) GoString() string { return s.String() }

func (s saslConfig) mechanism() sasl.Mechanism {
	switch s.name {
	case mechanismPlain:
		return plain.Auth{User: s.user, Pass: s.pass}.AsMechanism()
	case mechanismSHA256:
		return scram.Auth{User: s.user, Pass: s.pass}.AsSha256Mechanism()
	case mechanismSHA512:
		return scram.Auth{User: s.user, Pass: s.pass}.AsSha512Mechanism()
	default:
		token := s.token
		return oauth.Oauth(func(context.Context) (oauth.Auth, error) { return oauth.Auth{Token: token}, nil })
	}
}

// fingerprint tells two sets of credentials apart without holding them, so that clients are not shared across users.
func (c *Client) fingerprint() string {
	h := fnv.New64a()
	for _, s := range c.sasl {
		_, _ = fmt.Fprintf(h, "%q%q%q%q", s.name, s.user, s.pass, s.token)
	}
	return fmt.Sprintf("%q|tls=%t|%x", c.seeds, c.tls != nil, h.Sum64())
}

func parseSASL(conf *service.ParsedConfig) ([]saslConfig, error) {
	if !conf.Contains(FieldSASL) {
		return nil, nil
	}
	list, err := conf.FieldObjectList(FieldSASL)
	if err != nil {
		return nil, err
	}
	out := make([]saslConfig, 0, len(list))
	for i, item := range list {
		var s saslConfig
		for name, into := range map[string]*string{
			saslMechanism: &s.name, saslUsername: &s.user, saslPassword: &s.pass, saslToken: &s.token,
		} {
			if *into, err = item.FieldString(name); err != nil {
				return nil, fmt.Errorf("reading sasl[%d].%s: %w", i, name, err)
			}
		}
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("reading sasl[%d]: %w", i, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func (s saslConfig) check() error {
	switch s.name {
	case mechanismOAuth:
		if s.token == "" {
			return errors.New("OAUTHBEARER needs token")
		}
	case mechanismPlain, mechanismSHA256, mechanismSHA512:
		if s.user == "" || s.pass == "" {
			return fmt.Errorf("%s needs username and password", s.name)
		}
	default:
		return errors.New("the mechanism must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER")
	}
	return nil
}
