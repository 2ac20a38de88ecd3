package receipt

import "github.com/ebbgate/ebbgate/internal/signature"

// Verdict is what comes of verifying a kept delivery again.
type Verdict string

// The verdicts.
const (
	Good Verdict = "good" // these are the bytes that arrived, and one of the secrets signed them
	Bad  Verdict = "bad"
	Gone Verdict = "gone" // the bytes are not kept, or not any more
)

// Why a verdict is what it is, where the signature's own codes do not say it.
const (
	ReasonBodyChanged = "body_changed" // the kept bytes are not those of the receipt
	ReasonNeverKept   = "never_kept"   // nothing of an attempt that was refused is kept
	ReasonExpired     = "expired"      // the topic has forgotten the record
)

// Check is the answer to a dispute about one delivery.
type Check struct {
	Receipt string  `json:"receipt_id"`
	Verdict Verdict `json:"verdict"`
	// Reason is a code of package signature or one of those above; empty where the verdict is Good.
	Reason string `json:"reason,omitempty"`
	// Key is the secret that signed it.
	Key string `json:"key_id,omitempty"`
}

// Check verifies the kept bytes and headers again, as of the time of the attempt: a secret that has ended since counts, and what
// was too old or too early then is so still.
func (r *Receipt) Check(scheme *signature.Scheme, header map[string][]string, body []byte) Check {
	if SumBody(body) != r.BodySHA256 {
		return Check{Receipt: r.ID, Verdict: Bad, Reason: ReasonBodyChanged}
	}
	result := scheme.Verify(header, body, r.At)
	if !result.OK() {
		return Check{Receipt: r.ID, Verdict: Bad, Reason: string(result.Code), Key: result.KeyID}
	}
	return Check{Receipt: r.ID, Verdict: Good, Key: result.KeyID}
}
