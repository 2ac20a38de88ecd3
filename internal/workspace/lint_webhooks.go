package workspace

import (
	"strings"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

// webhookPrefix is that of the metadata which say what a delivery is.
const webhookPrefix = "webhook_"

// webhooks checks the doors for webhooks: whether what they know of a delivery is written down, and whether anybody can have consented
// to what comes of it.
func (l *linter) webhooks(s stream) {
	for _, c := range s.all("input", "webhook") {
		for _, out := range s.all("output", "redpanda") {
			if !writesWebhook(out.conf) {
				l.refuse(s.at(out.conf), "webhook.metadata", "does not write what is known of a delivery, so that nobody can map it or verify it again",
					"add metadata: { include_prefixes: [ "+webhookPrefix+" ] }")
			}
		}
		for _, endpoint := range c.conf.get("endpoints").items() {
			l.consentOf(s, endpoint)
		}
	}
}

func writesWebhook(output value) bool {
	for _, item := range output.get("metadata", "include_prefixes").items() {
		if text, known := item.text(); known && strings.HasPrefix(webhookPrefix, text) {
			return true
		}
	}
	return len(output.get("metadata", "include_patterns").items()) > 0
}

// consentOf finds a provider that cannot carry consent and is not looked up. What our own systems sign is envelopes, which can.
func (l *linter) consentOf(s stream, endpoint value) {
	at := endpoint.get("source")
	source, known := at.text()
	provider, _ := endpoint.get("provider").text()
	if !known || provider == "generic" || l.w.Policy == nil || l.w.Policy.LookupOnly([]byte(source)) {
		return
	}
	l.warn(s.at(at), "webhook.consent", "is no source that "+PolicyFile+" looks up, and its deliveries carry no consent: none of their events reaches a destination that asks for some",
		"list "+strict.Quote(source)+" under sources, with { consent: lookup }")
}
