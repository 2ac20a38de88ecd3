package signature

import (
	"bytes"
	"strings"
)

// maxSignatures bounds the work one header may cause; who rotates sends two.
const maxSignatures = 16

// candidate is one signature of a header, as text. Its version is empty where the scheme has but one.
type candidate struct {
	version, text []byte
}

// form is how a signature header is written.
type form interface {
	// read finds the time and the signatures in the header's text. What it finds aliases text.
	read(text []byte, r *reading) Code
	write(timestamp, version, signature string) string
}

// whole is a header that holds one signature after a prefix.
type whole struct{ prefix string }

func (f whole) read(text []byte, r *reading) Code {
	signature, ok := bytes.CutPrefix(text, []byte(f.prefix))
	if !ok || len(signature) == 0 {
		return CodeMalformedHeader
	}
	return r.add(nil, signature)
}

func (f whole) write(_, _, signature string) string { return f.prefix + signature }

// pairs is a list such as t=1,v1=abc,v1=def, where other names than the two are of schemes we do not accept.
type pairs struct{ separator, time, signature string }

func (f pairs) read(text []byte, r *reading) Code {
	for len(text) > 0 {
		pair, rest, more := bytes.Cut(text, []byte(f.separator))
		name, value, ok := bytes.Cut(pair, []byte("="))
		if !ok || len(name) == 0 || len(value) == 0 || more && len(rest) == 0 {
			return CodeMalformedHeader
		}
		switch string(name) {
		case f.time:
			if r.time != nil {
				return CodeMalformedHeader
			}
			r.time = value
		case f.signature:
			if code := r.add(nil, value); code != CodeOK {
				return code
			}
		}
		text = rest
	}
	switch {
	case r.time == nil:
		return CodeMalformedHeader
	case len(r.candidates) == 0:
		return CodeUnsupported
	}
	return CodeOK
}

func (f pairs) write(timestamp, _, signature string) string {
	return f.time + "=" + timestamp + f.separator + f.signature + "=" + signature
}

// The versions of Standard Webhooks: a shared secret, and a key pair.
const (
	versionHMAC    = "v1"
	versionEd25519 = "v1a"
)

// versions is the list of Standard Webhooks: v1,abc v1a,def, with a space between signatures.
type versions struct{}

func (versions) read(text []byte, r *reading) Code {
	for more := true; more; {
		var item []byte
		item, text, more = bytes.Cut(text, []byte(" "))
		version, signature, ok := bytes.Cut(item, []byte(","))
		if !ok || len(version) == 0 || len(signature) == 0 {
			return CodeMalformedHeader
		}
		switch string(version) {
		case versionHMAC, versionEd25519:
			if code := r.add(version, signature); code != CodeOK {
				return code
			}
		}
	}
	if len(r.candidates) == 0 {
		return CodeUnsupported
	}
	return CodeOK
}

func (versions) write(_, version, signature string) string {
	return strings.Join([]string{version, signature}, ",")
}
