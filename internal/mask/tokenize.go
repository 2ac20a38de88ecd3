package mask

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"hash"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	tokenPrefix = "t1."
	tokenBytes  = 16
)

var tokenText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

var (
	errToken      = &Error{"mask.tokenize", "a value that is not empty"}
	errTokenEmail = &Error{"mask.tokenize", "an e-mail address"}
	errTokenKey   = &Error{"mask.tokenize", "a key: bind the transform first"}
)

// tokenizer holds its key only inside the pool's function, where no printer finds it.
type tokenizer struct {
	email  bool
	prefix string
	pool   *sync.Pool // nil while unbound
}

// tokenState is a reusable HMAC with room for the canonical value and the sum.
type tokenState struct {
	hash  hash.Hash
	lower []byte
	value []byte
	sum   [sha256.Size]byte
}

// Tokenize replaces a value by "t1.<key id>." and 26 characters: 128 bits of its HMAC-SHA256. The value is taken byte by
// byte as it is: "A" and "a" have different tokens, and so have 1 and 1.0. The empty string is refused, because everyone
// who left a field empty would become one person.
func Tokenize(key []byte, keyID string) Transform { return (&tokenizer{}).Bind(key, keyID) }

// TokenizeEmail is Tokenize for e-mail addresses, which people and systems spell in several ways: spaces around the
// address are cut off, all of it is lower-cased, and it is brought to Unicode's form NFC. Dots and plus tags stay, because
// they name different mailboxes at some providers. What is no address is refused.
func TokenizeEmail(key []byte, keyID string) Transform {
	return (&tokenizer{email: true}).Bind(key, keyID)
}

func (t *tokenizer) Bind(key []byte, keyID string) Transform {
	key = bytes.Clone(key)
	return &tokenizer{email: t.email, prefix: tokenPrefix + keyID + ".", pool: &sync.Pool{New: func() any {
		return &tokenState{hash: hmac.New(sha256.New, key)}
	}}}
}

func (t *tokenizer) Name() string { return "tokenize" }

func (t *tokenizer) Kinds() Kinds {
	if t.email {
		return String
	}
	return String | Integer
}

func (t *tokenizer) Append(dst, text []byte) ([]byte, error) {
	if t.pool == nil {
		return dst, errTokenKey
	}
	if len(text) == 0 {
		return dst, errToken
	}
	s := t.pool.Get().(*tokenState)
	defer t.pool.Put(s)
	s.value = append(s.value[:0], text...)
	if t.email && !s.canonicalEmail(text) {
		return dst, errTokenEmail
	}
	s.hash.Reset()
	s.hash.Write(s.value)
	sum := s.hash.Sum(s.sum[:0])
	dst = append(dst, t.prefix...)
	return tokenText.AppendEncode(dst, sum[:tokenBytes]), nil
}

// canonicalEmail sets value to the one spelling of an address.
func (s *tokenState) canonicalEmail(text []byte) bool {
	text = bytes.TrimSpace(text)
	if _, _, ok := splitEmail(text); !ok {
		return false
	}
	s.value = s.value[:0]
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return s.canonicalUnicode(text)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		s.value = append(s.value, c)
	}
	return true
}

func (s *tokenState) canonicalUnicode(text []byte) bool {
	s.lower = s.lower[:0]
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		s.lower = utf8.AppendRune(s.lower, unicode.ToLower(r))
		i += size
	}
	s.value = norm.NFC.Append(s.value[:0], s.lower...)
	return true
}
