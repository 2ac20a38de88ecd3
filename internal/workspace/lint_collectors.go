package workspace

import (
	"regexp"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

var keyHash = regexp.MustCompile(`^sha256:[0-9a-fA-F]{64}$`)

// collectors checks the doors for SDKs: whether write keys stand there in clear, whether what users say of consent can count, and
// whether bad events get to quarantine.
func (l *linter) collectors(s stream) {
	for _, c := range s.all("input", "collector") {
		for _, source := range c.conf.get("sources").items() {
			l.writeKeys(s, source)
		}
		if l.w.Policy != nil {
			l.mapped(s, c)
		}
		for _, out := range s.all("output", "redpanda") {
			if topic := out.conf.get("topic"); !topic.interpolated() {
				l.refuse(s.at(topic), "collector.topic", "sends events and quarantine records to one topic, which takes only one of them: its door answers with 503",
					"write ${! @topic }")
			}
		}
	}
}

func (l *linter) writeKeys(s stream, source value) {
	for _, key := range source.get("write_keys").items() {
		hash := key.get("sha256")
		if text, known := hash.text(); known && !keyHash.MatchString(text) {
			l.refuse(s.at(hash), "collector.write_key", "is no hash, and may be a key in clear", "give the hash that `ebbgate keys write-key` writes")
		}
	}
}

// mapped holds the purposes of a door against those of the policy.
func (l *linter) mapped(s stream, c component) {
	purposes := c.conf.get("consent", "purposes")
	listed := map[string]bool{}
	for name, purpose := range purposes.members() {
		listed[name] = true
		if _, known := l.w.Policy.Purposes().Bit(name); !known {
			l.refuse(s.at(purpose), "collector.consent", "is no purpose of the policy", "map a purpose that "+PolicyFile+" has")
		}
	}
	for _, name := range l.w.Policy.Purposes().Names() {
		if !listed[name] {
			l.warn(s.at(c.conf), "collector.consent", "does not say what "+strict.Quote(name)+" is called by the consent tool: what an SDK says never grants it",
				"add "+name+" to consent.purposes")
		}
	}
}
