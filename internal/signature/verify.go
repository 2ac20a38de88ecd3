package signature

import (
	"bytes"
	"crypto/subtle"
	"sync"
	"time"
)

// Code says what came of a verification. The set is closed: receipts and metrics use it.
type Code string

// The codes. Stale, future and retired are said of deliveries that were signed well.
const (
	CodeOK              Code = "ok"
	CodeMissingHeader   Code = "missing_header"   // a header the scheme needs is not there
	CodeMalformedHeader Code = "malformed_header" // it is there twice, or is not written as the provider writes it
	CodeUnsupported     Code = "unsupported"      // signed only in ways that no secret of ours can check, such as GitHub's SHA-1
	CodeBadSignature    Code = "bad_signature"    // no secret of ours made any of its signatures for these bytes
	CodeStale           Code = "stale"            // signed longer ago than the tolerance
	CodeFuture          Code = "future"           // signed for a time further ahead than the tolerance
	CodeRetired         Code = "retired_secret"   // signed with a secret whose overlap has ended
)

// Codes lists all codes.
func Codes() []Code {
	return []Code{
		CodeOK, CodeMissingHeader, CodeMalformedHeader, CodeUnsupported, CodeBadSignature, CodeStale, CodeFuture, CodeRetired,
	}
}

// Result is what came of a verification.
type Result struct {
	Code Code
	// KeyID is the id of the secret that signed the delivery, empty unless one did.
	KeyID string
	// Timestamp is the signed time, zero where none is signed and where nothing signed it.
	Timestamp time.Time
}

// OK is whether the delivery may be believed.
func (r Result) OK() bool { return r.Code == CodeOK }

// maxHeaderText bounds each header that is read; the longest honest one, sixteen signatures, is below it.
const maxHeaderText = 4 << 10

const maxID = 256

// reading is what the headers of a delivery say. It aliases work.text.
type reading struct {
	id, time   []byte
	candidates []candidate
}

func (r *reading) add(version, text []byte) Code {
	if len(r.candidates) == maxSignatures {
		return CodeMalformedHeader
	}
	r.candidates = append(r.candidates, candidate{version, text})
	return CodeOK
}

// work is the memory one verification needs.
type work struct {
	reading
	text, head, tail []byte
}

type pool struct{ sync.Pool }

func (p *pool) take() *work {
	w, _ := p.Get().(*work)
	if w == nil {
		w = new(work)
	}
	w.reading = reading{candidates: w.candidates[:0]}
	w.text = w.text[:0]
	return w
}

// Verify judges a delivery by its headers, filed as net/http does, and its body as it came. An http.Header is such a map.
func (s *Scheme) Verify(header map[string][]string, body []byte, now time.Time) Result {
	w := s.works.take()
	defer s.works.Put(w)
	if code := s.read(header, w); code != CodeOK {
		return Result{Code: code}
	}
	var at time.Time
	if s.content.signsTime {
		var ok bool
		if at, ok = s.clock.parse(w.time); !ok {
			return Result{Code: CodeMalformedHeader}
		}
	}
	if !s.canCheck(w.candidates) {
		return Result{Code: CodeUnsupported}
	}
	w.head, w.tail = appendParts(w.head[:0], s.content.head, &w.reading), appendParts(w.tail[:0], s.content.tail, &w.reading)
	by, retired := s.signer(message{w.head, body, w.tail}, w.candidates, now)
	if by < 0 {
		return Result{Code: CodeBadSignature}
	}
	return Result{Code: s.timely(at, now, retired), KeyID: s.keys[by].id, Timestamp: at}
}

// signer is the number of the secret that signed the message, -1 for none. A retired one counts only where no other did.
func (s *Scheme) signer(m message, candidates []candidate, now time.Time) (by int, retired bool) {
	current, former := -1, -1
	for i := range s.keys {
		k := &s.keys[i]
		found := k.material.matches(m, k.version, candidates)
		if k.until.IsZero() || now.Before(k.until) {
			current = subtle.ConstantTimeSelect(found, i, current)
		} else {
			former = subtle.ConstantTimeSelect(found, i, former)
		}
	}
	if current < 0 {
		return former, true
	}
	return current, false
}

func (s *Scheme) timely(at, now time.Time, retired bool) Code {
	switch age := now.Sub(at); {
	case retired:
		return CodeRetired
	case !s.content.signsTime:
		return CodeOK
	case age > s.tolerance:
		return CodeStale
	case age < -s.tolerance:
		return CodeFuture
	}
	return CodeOK
}

func (s *Scheme) canCheck(candidates []candidate) bool {
	for _, c := range candidates {
		for i := range s.keys {
			if s.keys[i].version == string(c.version) {
				return true
			}
		}
	}
	return false
}

// read takes what the scheme signs from the headers, and from nowhere else.
func (s *Scheme) read(header map[string][]string, w *work) Code {
	text, code := w.one(header, s.signatures...)
	if code == CodeMissingHeader && s.legacy != "" && len(header[s.legacy]) > 0 {
		return CodeUnsupported
	}
	if code != CodeOK {
		return code
	}
	if s.timeHeader != "" {
		if w.time, code = w.one(header, s.timeHeader); code != CodeOK {
			return code
		}
	}
	if s.idHeader != "" {
		if w.id, code = w.one(header, s.idHeader); code != CodeOK {
			return code
		}
		if !visible(w.id) || bytes.ContainsAny(w.id, s.content.idStops) {
			return CodeMalformedHeader
		}
	}
	return s.form.read(text, &w.reading)
}

// one is the text of the only header among names. A second one, under the same name or another, is somebody's addition.
func (w *work) one(header map[string][]string, names ...string) ([]byte, Code) {
	text, lines := "", 0
	for _, name := range names {
		if values := header[name]; len(values) > 0 {
			text, lines = values[0], lines+len(values)
		}
	}
	switch {
	case lines == 0:
		return nil, CodeMissingHeader
	case lines > 1 || text == "" || len(text) > maxHeaderText:
		return nil, CodeMalformedHeader
	}
	start := len(w.text)
	w.text = append(w.text, text...)
	return w.text[start:len(w.text):len(w.text)], CodeOK
}

// visible is whether a text may serve as an id: not long, and ASCII that can be seen.
func visible(text []byte) bool {
	for _, c := range text {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(text) > 0 && len(text) <= maxID
}
