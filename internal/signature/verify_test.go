package signature_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/signature"
)

var now = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// key makes a secret of the kind the provider gives out, different for every name.
func key(name string) string { return "secret of " + name + " 0123456789abcdef" }

func standardKey(prefix, name string) string {
	return prefix + base64.StdEncoding.EncodeToString([]byte((name + strings.Repeat("x", 32))[:32]))
}

// pairOf is an ECDSA key, to sign and to verify.
func pairOf(t testing.TB) (private, public string) {
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(pair)
	require.NoError(t, err)
	open, err := x509.MarshalPKIXPublicKey(&pair.PublicKey)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(secret), base64.StdEncoding.EncodeToString(open)
}

// configs has every scheme once, with a secret that can sign.
func configs(t testing.TB) map[string]signature.Config {
	private, _ := pairOf(t)
	one := func(provider, secret string) signature.Config {
		return signature.Config{Provider: provider, Secrets: []signature.Secret{{ID: "k1", Value: secret}}}
	}
	all := map[string]signature.Config{
		"standard_webhooks": one("standard_webhooks", standardKey("whsec_", "a")), "ed25519": one("standard_webhooks", standardKey("whsk_", "a")),
		"svix": one("svix", standardKey("whsec_", "a")), "sendgrid": one("sendgrid", private),
	}
	for _, provider := range []string{"stripe", "github", "shopify", "slack", "paddle"} {
		all[provider] = one(provider, key("a"))
	}
	own := one("generic", key("a"))
	own.Generic = &signature.Generic{
		Header: "x-acme-signature", Prefix: "mac ", Content: "{timestamp}|{id}|{body}|acme", Algorithm: "sha512", Encoding: "base64url_raw",
		TimestampHeader: "x-acme-time", TimestampFormat: "rfc3339", IDHeader: "x-acme-id",
	}
	all["generic"] = own
	return all
}

func scheme(t testing.TB, c signature.Config) *signature.Scheme {
	s, err := signature.New(c)
	require.NoError(t, err)
	return s
}

func sign(t testing.TB, s *signature.Scheme, d signature.Outgoing) http.Header {
	header, err := s.Sign(d)
	require.NoError(t, err)
	return header
}

func sample(n int) signature.Outgoing {
	id := "msg_" + strconv.Itoa(n)
	return signature.Outgoing{ID: id, Type: "made", At: now, Body: fmt.Appendf(nil, `{"id":%q,"n":%d}`, id, n)}
}

func TestWhatIsSignedVerifies(t *testing.T) {
	for name, c := range configs(t) {
		s := scheme(t, c)
		for n := range 20 {
			d := sample(n)
			got := s.Verify(sign(t, s, d), d.Body, now)
			assert.True(t, got.OK(), "%s: %s", name, got.Code)
			assert.Equal(t, "k1", got.KeyID)
		}
	}
}

// Every bit of body and headers, of a thousand deliveries: none may be turned unnoticed.
func TestNoBitMayBeTurned(t *testing.T) {
	all := configs(t)
	counts := map[string]int{"ed25519": 40, "sendgrid": 40} // a hundred times dearer than the others
	for name := range all {
		if counts[name] == 0 {
			counts[name] = 115
		}
	}
	deliveries, flips := 0, 0
	for name, c := range all {
		s := scheme(t, c)
		for n := range counts[name] {
			d := sample(n)
			header := sign(t, s, d)
			require.True(t, s.Verify(header, d.Body, now).OK(), name)
			deliveries++
			flips += flipBody(t, s, header, d.Body) + flipHeaders(t, name, s, header, d.Body)
		}
	}
	assert.GreaterOrEqual(t, deliveries, 1000)
	t.Logf("%d deliveries, %d bits", deliveries, flips)
}

func flipBody(t *testing.T, s *signature.Scheme, header http.Header, body []byte) int {
	for bit := range len(body) * 8 {
		body[bit/8] ^= 1 << (bit % 8)
		if s.Verify(header, body, now).OK() {
			t.Fatalf("bit %d of the body was turned, and nobody saw it", bit)
		}
		body[bit/8] ^= 1 << (bit % 8)
	}
	return len(body) * 8
}

// unsigned headers say what no signature covers: whoever has a delivery may change them.
var unsigned = []string{"X-Github-Delivery", "X-Github-Event", "X-Shopify-Webhook-Id", "X-Shopify-Topic"}

func flipHeaders(t *testing.T, name string, s *signature.Scheme, header http.Header, body []byte) int {
	bits := 0
	for field, values := range header {
		if slices.Contains(unsigned, field) {
			continue
		}
		changed := maps.Clone(header)
		text := []byte(values[0])
		for bit := range len(text) * 8 {
			text[bit/8] ^= 1 << (bit % 8)
			changed[field] = []string{string(text)}
			if s.Verify(changed, body, now).OK() {
				t.Fatalf("%s: bit %d of %s was turned, and nobody saw it", name, bit, field)
			}
			text[bit/8] ^= 1 << (bit % 8)
		}
		bits += len(text) * 8
	}
	return bits
}

func TestReplayWindow(t *testing.T) {
	d := sample(1)
	for name, c := range configs(t) {
		tolerance := 5 * time.Minute
		switch name {
		case "github", "shopify":
			s := scheme(t, c)
			assert.Equal(t, signature.CodeOK, s.Verify(sign(t, s, d), d.Body, now.Add(1000*time.Hour)).Code, "nothing is signed that could be old")
			continue
		case "paddle":
			tolerance = 5 * time.Second
		}
		for range 2 { // the provider's own tolerance, then one that is asked for
			s := scheme(t, c)
			header := sign(t, s, d)
			for after, want := range map[time.Duration]signature.Code{
				0: signature.CodeOK, tolerance: signature.CodeOK, -tolerance: signature.CodeOK,
				tolerance + time.Nanosecond: signature.CodeStale, -tolerance - time.Nanosecond: signature.CodeFuture,
				1e6 * time.Hour: signature.CodeStale, -1e6 * time.Hour: signature.CodeFuture,
			} {
				got := s.Verify(header, d.Body, now.Add(after))
				assert.Equal(t, want, got.Code, "%s, read %s after it was signed", name, after)
				assert.Equal(t, "k1", got.KeyID, "it was signed well")
				assert.True(t, now.Equal(got.Timestamp))
			}
			c.Tolerance, tolerance = 90*time.Second, 90*time.Second
		}
	}
}

func TestRotation(t *testing.T) {
	d := sample(1)
	with := func(names ...string) *signature.Scheme {
		c := signature.Config{Provider: "stripe"}
		for _, name := range names {
			c.Secrets = append(c.Secrets, signature.Secret{ID: name, Value: key(name)})
		}
		return scheme(t, c)
	}
	former, current := sign(t, with("2025"), d), sign(t, with("2026"), d)

	both := with("2026", "2025")
	assert.Equal(t, "2025", both.Verify(former, d.Body, now).KeyID)
	assert.Equal(t, "2026", both.Verify(current, d.Body, now).KeyID)

	got := with("2026").Verify(former, d.Body, now)
	assert.Equal(t, signature.Result{Code: signature.CodeBadSignature}, got, "a revoked secret is an unknown one")

	c := signature.Config{Provider: "stripe", Secrets: []signature.Secret{
		{ID: "2026", Value: key("2026")}, {ID: "2025", Value: key("2025"), Until: now.Add(time.Minute)},
	}}
	overlap := scheme(t, c)
	assert.True(t, overlap.Verify(former, d.Body, now).OK())
	got = overlap.Verify(former, d.Body, now.Add(time.Minute))
	assert.Equal(t, signature.CodeRetired, got.Code)
	assert.Equal(t, "2025", got.KeyID)
	assert.True(t, overlap.Verify(current, d.Body, now.Add(time.Minute)).OK())

	// While Stripe rolls a secret, it signs with both.
	rolled := http.Header{"Stripe-Signature": {former.Get("Stripe-Signature") + "," + strings.SplitN(current.Get("Stripe-Signature"), ",", 2)[1]}}
	for _, s := range []*signature.Scheme{with("2025"), with("2026"), both} {
		assert.True(t, s.Verify(rolled, d.Body, now).OK())
	}
	got = overlap.Verify(rolled, d.Body, now.Add(time.Minute))
	assert.Equal(t, "2026", got.KeyID, "the retired one does no harm")
	assert.True(t, got.OK())
}

func TestStandardWebhooksVersions(t *testing.T) {
	d := sample(1)
	public := ed25519.NewKeyFromSeed([]byte(("a" + strings.Repeat("x", 32))[:32])).Public().(ed25519.PublicKey)
	of := func(secrets ...string) *signature.Scheme {
		c := signature.Config{Provider: "standard_webhooks"}
		for i, secret := range secrets {
			c.Secrets = append(c.Secrets, signature.Secret{ID: "k" + strconv.Itoa(i), Value: secret})
		}
		return scheme(t, c)
	}
	shared, private := standardKey("whsec_", "a"), standardKey("whsk_", "a")
	open := "whpk_" + base64.StdEncoding.EncodeToString(public)
	v1, v1a := sign(t, of(shared), d), sign(t, of(private), d)
	require.True(t, strings.HasPrefix(v1a.Get("Webhook-Signature"), "v1a,"))

	assert.True(t, of(open).Verify(v1a, d.Body, now).OK())
	assert.Equal(t, "k1", of(standardKey("whsec_", "b"), open).Verify(v1a, d.Body, now).KeyID)
	assert.Equal(t, signature.CodeUnsupported, of(open).Verify(v1, d.Body, now).Code)
	assert.Equal(t, signature.CodeUnsupported, of(shared).Verify(v1a, d.Body, now).Code)
	_, err := of(open).Sign(d)
	assert.ErrorContains(t, err, "public key")

	// A signature counts under its own version only, and in one spelling.
	relabelled := v1.Clone()
	for text, secrets := range map[string][]string{
		strings.Replace(v1.Get("Webhook-Signature"), "v1,", "v1a,", 1):   {shared, open},
		strings.Replace(v1a.Get("Webhook-Signature"), "v1a,", "v1,", 1):  {shared, open},
		strings.Replace(v1a.Get("Webhook-Signature"), "==", "=\r\n=", 1): {open},
		strings.TrimSuffix(v1a.Get("Webhook-Signature"), "="):            {open},
	} {
		relabelled.Set("Webhook-Signature", text)
		assert.Equal(t, signature.CodeBadSignature, of(secrets...).Verify(relabelled, d.Body, now).Code, text)
	}

	list := v1.Clone()
	for text, want := range map[string]signature.Code{
		"v1,AAAA " + v1.Get("Webhook-Signature"):  signature.CodeOK,
		v1.Get("Webhook-Signature") + " v2,zzzz":  signature.CodeOK,
		v1.Get("Webhook-Signature") + " v1a,!":    signature.CodeOK,
		"v2,zzzz":                                 signature.CodeUnsupported,
		"v1":                                      signature.CodeMalformedHeader,
		v1.Get("Webhook-Signature") + "  v1,AAAA": signature.CodeMalformedHeader,
		strings.Replace(v1a.Get("Webhook-Signature"), "v1a,", "v1,", 1):       signature.CodeBadSignature,
		strings.Repeat("v1,AAAA ", 16) + v1.Get("Webhook-Signature"):          signature.CodeMalformedHeader,
		strings.TrimSuffix(v1.Get("Webhook-Signature"), "="):                  signature.CodeBadSignature,
		strings.Replace(v1.Get("Webhook-Signature"), "v1,", "v1, ", 1):        signature.CodeMalformedHeader,
		v1.Get("Webhook-Signature") + "\t" + v1.Get("Webhook-Signature")[3:]:  signature.CodeBadSignature,
		v1.Get("Webhook-Signature") + " " + v1a.Get("Webhook-Signature")[0:9]: signature.CodeOK,
	} {
		list.Set("Webhook-Signature", text)
		assert.Equal(t, want, of(shared).Verify(list, d.Body, now).Code, text)
	}
}

// Two values under one name are two opinions; a good one among them does not count.
func TestHeadersCountOnce(t *testing.T) {
	d := sample(1)
	for name, c := range configs(t) {
		s := scheme(t, c)
		header := sign(t, s, d)
		for field, values := range header {
			if slices.Contains(unsigned, field) {
				continue
			}
			for want, put := range map[signature.Code][][]string{
				signature.CodeMissingHeader:   {nil, {}},
				signature.CodeMalformedHeader: {{values[0], values[0]}, {values[0], "x"}, {"x", values[0]}, {""}, {strings.Repeat("1", 5000)}},
			} {
				for _, now2 := range put {
					changed := header.Clone()
					changed[field] = now2
					assert.Equal(t, want, s.Verify(changed, d.Body, now).Code, "%s: %s = %.20q", name, field, now2)
				}
			}
		}
	}
	s := scheme(t, configs(t)["shopify"])
	header := sign(t, s, d)
	header["Shopify-Hmac-Sha256"] = header["X-Shopify-Hmac-Sha256"]
	assert.Equal(t, signature.CodeMalformedHeader, s.Verify(header, d.Body, now).Code)
}

func TestGitHubSHA1AloneIsRefused(t *testing.T) {
	s := scheme(t, configs(t)["github"])
	got := s.Verify(http.Header{"X-Hub-Signature": {"sha1=" + strings.Repeat("0", 40)}}, nil, now)
	assert.Equal(t, signature.CodeUnsupported, got.Code)
}

func TestTimesAreDigitsAlone(t *testing.T) {
	s, d := scheme(t, configs(t)["slack"]), sample(1)
	header := sign(t, s, d)
	for _, text := range []string{"+1795514400", "01795514400", "-1", "0", "1795514400.0", " 1795514400", "1e9", "0x6b", "１７９５", "999999999999"} {
		header.Set("X-Slack-Request-Timestamp", text)
		assert.Equal(t, signature.CodeMalformedHeader, s.Verify(header, d.Body, now).Code, text)
	}
	stripe := scheme(t, configs(t)["stripe"])
	for text, want := range map[string]signature.Code{
		"t=1,t=1,v1=00": signature.CodeMalformedHeader, "v1=00": signature.CodeMalformedHeader, "t=1,v1=00,": signature.CodeMalformedHeader,
		"t=1,v1=": signature.CodeMalformedHeader, "t=1,v0=00": signature.CodeUnsupported, "t=1,v1=00": signature.CodeBadSignature,
		",t=1,v1=00": signature.CodeMalformedHeader, "=1,v1=00": signature.CodeMalformedHeader, "T=1,v1=00": signature.CodeMalformedHeader,
		"t=01,v1=00": signature.CodeMalformedHeader, "t=1, v1=00": signature.CodeUnsupported,
	} {
		assert.Equal(t, want, stripe.Verify(http.Header{"Stripe-Signature": {text}}, d.Body, now).Code, text)
	}
}

// An id that holds the separator could pass for another id with another time.
func TestSignedIDsHoldNoSeparator(t *testing.T) {
	for name, c := range configs(t) {
		if name != "standard_webhooks" && name != "generic" {
			continue
		}
		s := scheme(t, c)
		for _, id := range []string{"a.b|c", "a b", "a\x00", "ä", strings.Repeat("a", 257)} {
			d := sample(1)
			field := map[string]string{"standard_webhooks": "Webhook-Id", "generic": "X-Acme-Id"}[name]
			header := sign(t, s, d)
			header.Set(field, id)
			assert.Equal(t, signature.CodeMalformedHeader, s.Verify(header, d.Body, now).Code, "%s: %s", name, id)
			d.ID = id
			if header, err := s.Sign(d); err == nil {
				assert.Equal(t, signature.CodeMalformedHeader, s.Verify(header, d.Body, now).Code, "%s: %s, signed well", name, id)
			}
		}
	}
}

// The signature of one spelling is not accepted in another.
func TestUpperCaseIsAnotherSpelling(t *testing.T) {
	s, d := scheme(t, configs(t)["github"]), sample(1)
	header := sign(t, s, d)
	text := header.Get("X-Hub-Signature-256")
	header.Set("X-Hub-Signature-256", "sha256="+strings.ToUpper(text[7:]))
	assert.Equal(t, signature.CodeBadSignature, s.Verify(header, d.Body, now).Code)
}

func TestEveryCodeIsListed(t *testing.T) {
	source, err := os.ReadFile("verify.go")
	require.NoError(t, err)
	for _, found := range regexp.MustCompile(`Code +Code = "([a-z_]+)"|\tCode\w+ +Code = "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		assert.Contains(t, signature.Codes(), signature.Code(found[1]+found[2]))
	}
	assert.Len(t, signature.Codes(), 8)
}

// How long a comparison takes must not tell how much of a forgery was right.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	compares := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NotRegexp(t, `(bytes|slices)\.Equal\((want|.*sum|.*text|.*signature)|bytes\.Compare|bytes\.HasPrefix|string\((want|state\.)`, string(source), file)
		compares += strings.Count(string(source), "subtle.ConstantTimeCompare(")
	}
	assert.Equal(t, 1, compares)
}

func TestConcurrentUse(t *testing.T) {
	for name, c := range configs(t) {
		s := scheme(t, c)
		t.Run(name, func(t *testing.T) {
			for n := range 8 {
				t.Run("", func(t *testing.T) {
					t.Parallel()
					d := sample(n)
					header := sign(t, s, d)
					for range 50 {
						assert.True(t, s.Verify(header, d.Body, now).OK())
						assert.False(t, s.Verify(header, sample(n+1).Body, now).OK())
					}
				})
			}
		})
	}
}
