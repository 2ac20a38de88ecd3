package signature_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/signature"
)

func TestRefusedConfigurations(t *testing.T) {
	good := func() signature.Config {
		return signature.Config{Provider: "stripe", Secrets: []signature.Secret{{ID: "k1", Value: key("a")}}}
	}
	own := func(change func(*signature.Generic)) func(*signature.Config) {
		return func(c *signature.Config) {
			c.Provider, c.Generic = "generic", &signature.Generic{Header: "x-mac", Content: "{timestamp}.{body}", TimestampHeader: "x-time"}
			change(c.Generic)
		}
	}
	secret := func(value string) func(*signature.Config) {
		return func(c *signature.Config) { c.Secrets[0].Value = value }
	}
	of := func(provider, value string) func(*signature.Config) {
		return func(c *signature.Config) { c.Provider, c.Secrets[0].Value = provider, value }
	}
	for name, c := range map[string]struct {
		change func(*signature.Config)
		want   string
	}{
		"no provider":              {func(c *signature.Config) { c.Provider = "" }, "provider: unknown"},
		"unknown provider":         {func(c *signature.Config) { c.Provider = "Stripe" }, "generic, github, paddle"},
		"no secret":                {func(c *signature.Config) { c.Secrets = nil }, "secrets: give 1 to 16"},
		"empty secret":             {secret(""), "secrets[0].value: it is empty"},
		"short secret":             {secret("fifteen chars.."), "shorter than 16 bytes"},
		"a file's last line":       {secret(key("a") + "\n"), "white space"},
		"no id":                    {func(c *signature.Config) { c.Secrets[0].ID = "" }, "secrets[0].id"},
		"the same id":              {func(c *signature.Config) { c.Secrets = append(c.Secrets, signature.Secret{ID: "k1", Value: key("b")}) }, "secrets[1].id: another"},
		"the same secret":          {func(c *signature.Config) { c.Secrets = append(c.Secrets, signature.Secret{ID: "k2", Value: key("a")}) }, "secrets[1].value: another"},
		"negative tolerance":       {func(c *signature.Config) { c.Tolerance = -time.Second }, "tolerance: give 1s to 24h"},
		"endless tolerance":        {func(c *signature.Config) { c.Tolerance = 25 * time.Hour }, "tolerance: give 1s to 24h"},
		"tolerance without a time": {func(c *signature.Config) { c.Provider, c.Tolerance = "github", time.Minute }, "signs no time"},
		"a place that is two":      {func(c *signature.Config) { c.ID = signature.Place{Header: "x", Path: "y"} }, "id: give a header or a path"},
		"a header that is none":    {func(c *signature.Config) { c.Type = signature.Place{Header: "x y"} }, "type.header"},
		"a path that is none":      {func(c *signature.Config) { c.ID = signature.Place{Path: "a..b"} }, "id.path"},
		"generic for a provider":   {func(c *signature.Config) { c.Generic = &signature.Generic{} }, "generic: only"},
		"generic without it":       {func(c *signature.Config) { c.Provider = "generic" }, "generic: the provider"},
		"no base64":                {of("standard_webhooks", "whsec_"+strings.Repeat("!", 40)), "no base64"},
		"too short once decoded":   {of("standard_webhooks", "whsec_"+strings.Repeat("A", 28)), "24 to 64 bytes"},
		"too long once decoded":    {of("standard_webhooks", "whsec_"+strings.Repeat("A", 100)), "24 to 64 bytes"},
		"half a public key":        {of("standard_webhooks", "whpk_"+strings.Repeat("A", 24)), "32 bytes after whpk_"},
		"no key at all":            {of("sendgrid", strings.Repeat("A", 88)), "P-256"},
		"a key in lines":           {of("sendgrid", "-----BEGIN PUBLIC KEY-----"), "no base64"},

		"generic: no header":              {own(func(g *signature.Generic) { g.Header = "" }), "generic.header: name"},
		"generic: no content":             {own(func(g *signature.Generic) { g.Content = "" }), "generic."},
		"generic: no body":                {own(func(g *signature.Generic) { g.Content = "{timestamp}." }), "generic.content: give text with {body}"},
		"generic: body twice":             {own(func(g *signature.Generic) { g.Content = "{timestamp}{body}{body}" }), "generic.content"},
		"generic: unknown placeholder":    {own(func(g *signature.Generic) { g.Content = "{timestamp}{url}{body}" }), "generic.content"},
		"generic: open brace":             {own(func(g *signature.Generic) { g.Content = "{timestamp}{body" }), "generic.content"},
		"generic: closed brace":           {own(func(g *signature.Generic) { g.Content = "{timestamp}{body}}" }), "generic.content"},
		"generic: id touches":             {own(func(g *signature.Generic) { g.Content, g.IDHeader = "{id}{timestamp}{body}", "x-id" }), "{id} touches"},
		"generic: id is not signed":       {own(func(g *signature.Generic) { g.IDHeader = "x-id" }), "generic.id_header"},
		"generic: id has no header":       {own(func(g *signature.Generic) { g.Content = "{timestamp}.{id}.{body}" }), "generic.id_header"},
		"generic: time is not signed":     {own(func(g *signature.Generic) { g.Content = "{body}" }), "generic.timestamp_header"},
		"generic: time has no header":     {own(func(g *signature.Generic) { g.TimestampHeader = "" }), "generic.timestamp_header"},
		"generic: sha1":                   {own(func(g *signature.Generic) { g.Algorithm = "sha1" }), "generic.algorithm: unknown: give one of sha256, sha384, sha512"},
		"generic: unknown encoding":       {own(func(g *signature.Generic) { g.Encoding = "HEX" }), "generic.encoding: unknown"},
		"generic: unknown form of a time": {own(func(g *signature.Generic) { g.TimestampFormat = "iso" }), "generic.timestamp_format: unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			conf := good()
			c.change(&conf)
			_, err := signature.New(conf)
			require.ErrorContains(t, err, c.want)
			for _, s := range conf.Secrets {
				if s.Value != "" {
					assert.NotContains(t, err.Error(), strings.TrimSpace(s.Value))
				}
			}
		})
	}
	_, err := signature.New(good())
	require.NoError(t, err)
}

func TestSecretsAreNotPrinted(t *testing.T) {
	c := signature.Config{Provider: "stripe", Secrets: []signature.Secret{{ID: "k1", Value: key("a")}}}
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(form, c), key("a"), form)
		assert.NotContains(t, fmt.Sprintf(form, &c), key("a"), form)
	}
}

func TestGenericForms(t *testing.T) {
	d := signature.Outgoing{At: now, Body: []byte(`{"a":1}`)}
	for _, g := range []signature.Generic{
		{Header: "X-Mac", Content: "{body}"},
		{Header: "X-Mac", Content: "v1:{timestamp}:{body}", TimestampHeader: "X-Time", TimestampFormat: "unix_ms", Encoding: "base64"},
		{Header: "X-Mac", Content: "{body}{timestamp}", TimestampHeader: "X-Time", Algorithm: "sha384", Encoding: "base64url"},
		{Header: "X-Mac", Content: "{timestamp}{body}", TimestampHeader: "X-Time", TimestampFormat: "rfc3339", Encoding: "base64_raw", Prefix: "v1="},
	} {
		s := scheme(t, signature.Config{Provider: "generic", Generic: &g, Secrets: []signature.Secret{{ID: "k1", Value: key("a")}}})
		header := sign(t, s, d)
		assert.True(t, s.Verify(header, d.Body, now).OK(), "%+v", g)
		assert.Equal(t, signature.CodeBadSignature, s.Verify(header, []byte(`{"a":2}`), now).Code)
	}
}

// GitHub's scheme, told as a generic one, is GitHub's scheme.
func TestGenericIsWhatAProviderIs(t *testing.T) {
	secrets := []signature.Secret{{ID: "k1", Value: "It's a Secret to Everybody"}}
	s := scheme(t, signature.Config{Provider: "generic", Secrets: secrets, Generic: &signature.Generic{
		Header: "x-hub-signature-256", Prefix: "sha256=", Content: "{body}",
	}})
	header := http.Header{"X-Hub-Signature-256": {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}}
	assert.True(t, s.Verify(header, []byte("Hello, World!"), now).OK())
}
