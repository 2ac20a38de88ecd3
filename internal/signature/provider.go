package signature

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const generic = "generic"

// wire is how a provider's deliveries look. Header names are in the spelling of net/http.
type wire struct {
	content string // template of what is signed
	// signatures are the headers of which exactly one must hold the signature. A delivery that has only the legacy header is
	// signed in a way we do not accept.
	signatures []string
	legacy     string
	form       form
	timeHeader string // empty where the signature's own header holds the time, or nothing does
	idHeader   string // empty where no id is signed
	clock      clock
	tolerance  time.Duration
	key        keyParser
	id, kind   place
	attempt    string // header that counts repeats from 1; the first attempt has none
	array      bool   // the body is an array of events
	challenge  bool   // the provider asks for an echo before it delivers
	counter    string // member of the body that counts deliveries still to be made, and so changes between tries
}

// place is where a text stands: the first of the headers that is there, or a path of the body.
type place struct {
	headers []string
	path    []string
}

func inHeader(names ...string) place { return place{headers: names} }

func inBody(path ...string) place { return place{path: path} }

var providers = map[string]wire{
	"standard_webhooks": standard("Webhook"),
	"svix":              standard("Svix"),
	"stripe": {
		content: "{timestamp}.{body}", signatures: []string{"Stripe-Signature"},
		form: pairs{separator: ",", time: "t", signature: "v1"}, clock: unix, tolerance: 5 * time.Minute,
		key: textKey(sha256.New, hexText), id: inBody("id"), kind: inBody("type"), counter: "pending_webhooks",
	},
	"github": {
		content: "{body}", signatures: []string{"X-Hub-Signature-256"}, legacy: "X-Hub-Signature",
		form: whole{prefix: "sha256="}, key: textKey(sha256.New, hexText),
		id: inHeader("X-Github-Delivery"), kind: inHeader("X-Github-Event"),
	},
	"shopify": {
		content: "{body}", signatures: []string{"X-Shopify-Hmac-Sha256", "Shopify-Hmac-Sha256"},
		form: whole{}, key: textKey(sha256.New, base64Text),
		id: inHeader("X-Shopify-Webhook-Id", "Shopify-Webhook-Id"), kind: inHeader("X-Shopify-Topic", "Shopify-Topic"),
	},
	"slack": {
		content: "v0:{timestamp}:{body}", signatures: []string{"X-Slack-Signature"}, timeHeader: "X-Slack-Request-Timestamp",
		form: whole{prefix: "v0="}, clock: unix, tolerance: 5 * time.Minute, key: textKey(sha256.New, hexText),
		id: inBody("event_id"), kind: inBody("event", "type"), attempt: "X-Slack-Retry-Num", challenge: true,
	},
	"sendgrid": {
		content: "{timestamp}{body}", signatures: []string{"X-Twilio-Email-Event-Webhook-Signature"},
		timeHeader: "X-Twilio-Email-Event-Webhook-Timestamp",
		form:       whole{}, clock: unix, tolerance: 5 * time.Minute, key: ecdsaKey,
		id: inBody("sg_event_id"), kind: inBody("event"), array: true,
	},
	"paddle": {
		content: "{timestamp}:{body}", signatures: []string{"Paddle-Signature"},
		form: pairs{separator: ";", time: "ts", signature: "h1"}, clock: unix, tolerance: 5 * time.Second,
		key: textKey(sha256.New, hexText), id: inBody("event_id"), kind: inBody("event_type"),
	},
}

// standard is Standard Webhooks; Svix names the same headers after itself.
func standard(prefix string) wire {
	return wire{
		content: "{id}.{timestamp}.{body}", signatures: []string{prefix + "-Signature"},
		idHeader: prefix + "-Id", timeHeader: prefix + "-Timestamp", form: versions{}, clock: unix, tolerance: 5 * time.Minute,
		key: standardKey, id: inHeader(prefix + "-Id"), kind: inBody("type"),
	}
}

// Providers lists the names a Config may give, in order.
func Providers() []string {
	return slices.Sorted(maps.Keys(withGeneric()))
}

func withGeneric() map[string]wire {
	all := maps.Clone(providers)
	all[generic] = wire{}
	return all
}

func wireOf(c Config) (wire, error) {
	if c.Provider == generic {
		if c.Generic == nil {
			return wire{}, errors.New("generic: the provider `generic` needs it: give at least header and content")
		}
		return c.Generic.wire()
	}
	w, known := providers[c.Provider]
	switch {
	case !known:
		return wire{}, fmt.Errorf("provider: unknown: give one of %s", strings.Join(Providers(), ", "))
	case c.Generic != nil:
		return wire{}, errors.New("generic: only the provider `generic` has it: remove it, or change the provider")
	}
	return w, nil
}
