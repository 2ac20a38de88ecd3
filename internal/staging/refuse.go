package staging

import (
	"regexp"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/contract/strict"
)

const day = 24 * time.Hour

const shippedTombstones = 35 * day

// What a dataset may say of itself. Those that are refused are named, so that the refusal can say why.
var (
	sensitivities = []string{"aggregate", "pseudonymous", "personal", "session", "secret"}
	latencies     = []string{"seconds", "minutes", "hourly", "daily"}
)

// rawSession are places by which single visits could be put together again.
var rawSession = regexp.MustCompile(`^(subject\.anonymous_id|context\.(ip|user_agent|session.*|screen.*)|properties\.(session_id|session|cookie.*|click_id|fingerprint.*))$`)

var secretName = regexp.MustCompile(`(^|[._])(password|passwd|secret|api_?key|access_?token|refresh_?token|authorization|private_?key|card_?number|cvv|iban)($|[._])`)

// refuse holds a dataset against what may be synced to a warehouse at all.
func (p *parser) refuse(o strict.Object, d *Dataset) {
	sensitivity, latency := o.Get("sensitivity"), o.Get("latency")
	switch d.Sensitivity {
	case "secret":
		sensitivity.Bad("secrets are never synced", "remove the dataset, or the columns that make it secret")
	case "session":
		sensitivity.Bad("raw sessions are never synced", "count them in an aggregate, or look at them in ClickHouse")
	}
	switch {
	case d.Kind == Aggregate && d.Sensitivity != "aggregate" && d.Sensitivity != "":
		sensitivity.Bad("an aggregate tells of nobody", "write aggregate")
	case d.Kind != Aggregate && d.Sensitivity == "aggregate":
		sensitivity.Bad("rows of single subjects are no aggregate", "write pseudonymous or personal")
	}
	if d.Latency == "seconds" || d.Latency == "minutes" {
		latency.Bad("Stitch loads once in half an hour at best", "write hourly or daily; what is needed sooner stays in ClickHouse")
	}
	for _, m := range o.Get("columns").Members() {
		at, _ := m.Value.Peek("path")
		switch {
		case rawSession.MatchString(at):
			m.Value.Bad(strict.Quote(at)+" is of raw sessions, which are never synced", "remove the column")
		case secretName.MatchString(strings.ToLower(at)) || secretName.MatchString(m.Key):
			m.Value.Bad("is named like a secret, and secrets are never synced", "remove the column")
		}
	}
}
