package quarantine

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// algorithm names the only cipher there is; another name is refused.
const algorithm = "XAES-256-GCM"

// envelopeOverhead is room for all of an envelope but its ciphertext, in bytes.
const envelopeOverhead = 128

// envelope is a ciphertext with what is needed to open it. Its JSON is
//
//	{"kid":"<master id>","sub":"<subject key id>","alg":"XAES-256-GCM","nonce":"<base64>","ct":"<base64>"}
//
// sub is present when the key belongs to one subject instead of the workspace; such envelopes are not written yet and are
// refused with ErrUnknownKey, never opened with another key.
type envelope struct {
	KeyID     string `json:"kid"`
	Subject   string `json:"sub,omitempty"`
	Algorithm string `json:"alg"`
	Nonce     []byte `json:"nonce"`
	Cipher    []byte `json:"ct"`
}

func (e *envelope) append(dst []byte) []byte {
	dst = appendString(append(dst, `{"kid":`...), e.KeyID)
	if e.Subject != "" {
		dst = appendString(append(dst, `,"sub":`...), e.Subject)
	}
	dst = appendString(append(dst, `,"alg":`...), e.Algorithm)
	dst = base64.StdEncoding.AppendEncode(append(dst, `,"nonce":"`...), e.Nonce)
	dst = base64.StdEncoding.AppendEncode(append(dst, `","ct":"`...), e.Cipher)
	return append(dst, `"}`...)
}

// parseEnvelope reads what append wrote, and only that.
func parseEnvelope(data []byte) (*envelope, error) {
	if len(data) == 0 {
		return nil, ErrMalformed
	}
	e := new(envelope)
	if err := json.Unmarshal(data, e); err != nil {
		return nil, ErrMalformed // the cause may quote the data
	}
	if e.Algorithm != algorithm || len(e.Nonce) != nonceSize || len(e.Cipher) < tagSize {
		return nil, fmt.Errorf("%w: it is not %s", ErrMalformed, algorithm)
	}
	if !bytes.Equal(e.append(make([]byte, 0, len(data))), data) {
		return nil, ErrMalformed
	}
	return e, nil
}
