package stage

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
)

// Judgement is what consent and policy said of one event, destination by destination. It is immutable once attached.
type Judgement struct {
	Rules   *Rules       // it was judged by
	Index   *event.Index // exactly what was judged
	Subject *Subject
	Verdict consent.Verdict
	Gates   []policy.Gate // by destination, in the order of the policy

	ride carried // how it is attached, so that attaching allocates nothing
}

// SetJudgement attaches the judgement to the message.
func SetJudgement(msg *service.Message, j *Judgement) {
	j.ride = carried{index: j.Index, subject: j.Subject, rules: j.Rules, judgement: j}
	carry(msg, &j.ride)
}

// JudgementOf returns the judgement of exactly this content: a message that was rewritten since has none.
func JudgementOf(msg *service.Message, body []byte) (*Judgement, bool) {
	j := carriedBy(msg).judgement
	return j, j != nil && j.Index != nil && Same(j.Index.Buf, body)
}
