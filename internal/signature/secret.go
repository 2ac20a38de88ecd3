package signature

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// NewSecret draws a secret in the form a provider's have, for samples and for schemes of one's own. It signs and verifies: for a
// provider that signs with a key pair it is the private key.
func NewSecret(provider string) (string, error) {
	if _, known := withGeneric()[provider]; !known {
		return "", fmt.Errorf("provider: unknown: give one of %v", Providers())
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	switch provider {
	case "standard_webhooks", "svix":
		return "whsec_" + base64.StdEncoding.EncodeToString(random), nil
	case "stripe":
		return "whsec_" + hex.EncodeToString(random), nil
	case "paddle":
		return "pdl_ntfset_" + hex.EncodeToString(random), nil
	case "sendgrid":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return "", err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return base64.StdEncoding.EncodeToString(der), err
	}
	return hex.EncodeToString(random), nil
}
