package signature

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
)

// Bounds of a Standard Webhooks secret, in bytes.
const (
	minStandardSecret = 24
	maxStandardSecret = 64
)

// standardKey reads whsec_ (shared), whpk_ (public) or whsk_ (private) and base64. Without a prefix it is a shared secret.
func standardKey(value string) (string, material, error) {
	prefix, text := "whsec_", value
	for _, known := range []string{"whsec_", "whpk_", "whsk_"} {
		if rest, ok := strings.CutPrefix(value, known); ok {
			prefix, text = known, rest
		}
	}
	secret, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", nil, errors.New("it is no base64 after its prefix: copy the whole secret, which begins with whsec_, whpk_ or whsk_")
	}
	if prefix == "whsec_" {
		if len(secret) < minStandardSecret || len(secret) > maxStandardSecret {
			return "", nil, errors.New("a whsec_ secret holds 24 to 64 bytes in base64: copy the whole secret")
		}
		return versionHMAC, newSharedKey(secret, sha256.New, base64Text), nil
	}
	pair, err := newEd25519(prefix == "whsk_", secret)
	return versionEd25519, pair, err
}

type ed25519Pair struct {
	public  ed25519.PublicKey
	private ed25519.PrivateKey // nil where only the public key is known
}

func newEd25519(private bool, key []byte) (material, error) {
	switch {
	case !private && len(key) == ed25519.PublicKeySize:
		return ed25519Pair{public: key}, nil
	case private && (len(key) == ed25519.SeedSize || len(key) == ed25519.PrivateKeySize):
		// The second half of a long key is the public one; it is made anew, since one that did not belong would sign badly.
		made := ed25519.NewKeyFromSeed(key[:ed25519.SeedSize])
		return ed25519Pair{public: made.Public().(ed25519.PublicKey), private: made}, nil
	}
	return nil, errors.New("an ed25519 key has 32 bytes after whpk_, and 32 or 64 after whsk_: copy the whole key")
}

func (k ed25519Pair) matches(m message, version string, candidates []candidate) int {
	found, whole := 0, m.whole()
	for _, c := range candidates {
		if string(c.version) != version {
			continue
		}
		if signature, ok := decode(c.text); ok && ed25519.Verify(k.public, whole, signature) {
			found = 1
		}
	}
	return found
}

func (k ed25519Pair) sign(m message) (string, error) {
	if k.private == nil {
		return "", errPublic
	}
	return base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, m.whole())), nil
}

func (m message) whole() []byte {
	all := make([]byte, 0, len(m.head)+len(m.body)+len(m.tail))
	return append(append(append(all, m.head...), m.body...), m.tail...)
}

type ecdsaPair struct {
	public  *ecdsa.PublicKey
	private *ecdsa.PrivateKey // nil where only the public key is known
}

// ecdsaKey reads a P-256 key in base64: SubjectPublicKeyInfo to verify, PKCS #8 to sign as well.
func ecdsaKey(value string) (string, material, error) {
	der, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return "", nil, errors.New("it is no base64: copy the verification key as the provider shows it, on one line")
	}
	var pair ecdsaPair
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		pair.public, _ = key.(*ecdsa.PublicKey)
	} else if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if pair.private, _ = key.(*ecdsa.PrivateKey); pair.private != nil {
			pair.public = &pair.private.PublicKey
		}
	}
	if pair.public == nil || pair.public.Curve != elliptic.P256() {
		return "", nil, errors.New("it is no ECDSA key on P-256: copy the verification key as the provider shows it")
	}
	return "", pair, nil
}

func (k ecdsaPair) matches(m message, version string, candidates []candidate) int {
	found, digest := 0, m.digest()
	for _, c := range candidates {
		if string(c.version) != version {
			continue
		}
		if signature, ok := decode(c.text); ok && ecdsa.VerifyASN1(k.public, digest, signature) {
			found = 1
		}
	}
	return found
}

func (k ecdsaPair) sign(m message) (string, error) {
	if k.private == nil {
		return "", errPublic
	}
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, m.digest())
	return base64.StdEncoding.EncodeToString(signature), err
}

func (m message) digest() []byte {
	hash := sha256.New()
	hash.Write(m.head)
	hash.Write(m.body)
	hash.Write(m.tail)
	return hash.Sum(nil)
}
