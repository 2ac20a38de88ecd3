package quarantine

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
)

const (
	nonceSize = 24
	tagSize   = 16
)

// xaes is XAES-256-GCM as specified at c2sp.org/XAES-256-GCM: half of a 192-bit nonce derives a key with the NIST SP
// 800-108r1 CMAC KDF, the other half is the nonce of AES-256-GCM under it. It is safe for concurrent use.
type xaes struct {
	block cipher.Block
	mask  [aes.BlockSize]byte // the CMAC subkey K1
}

func newXAES(key []byte) *xaes {
	x := &xaes{block: mustAES(key)}
	x.block.Encrypt(x.mask[:], x.mask[:])
	var carry byte
	for i := len(x.mask) - 1; i >= 0; i-- {
		x.mask[i], carry = x.mask[i]<<1|carry, x.mask[i]>>7
	}
	x.mask[len(x.mask)-1] ^= carry * 0x87 // multiplied, so that no branch depends on the key
	return x
}

func (x *xaes) seal(nonce, plaintext, aad []byte) []byte {
	return x.derive(nonce).Seal(nil, nonce[12:], plaintext, aad)
}

func (x *xaes) open(nonce, ciphertext, aad []byte) ([]byte, error) {
	return x.derive(nonce).Open(nil, nonce[12:], ciphertext, aad)
}

// derive makes the AEAD of one nonce: two CMAC blocks are the halves of its key.
func (x *xaes) derive(nonce []byte) cipher.AEAD {
	var key [32]byte
	for i := range 2 {
		half := key[i*aes.BlockSize : (i+1)*aes.BlockSize]
		copy(half, []byte{0, byte(i + 1), 'X', 0})
		copy(half[4:], nonce[:12])
		for j := range half {
			half[j] ^= x.mask[j]
		}
		x.block.Encrypt(half, half)
	}
	aead, err := cipher.NewGCM(mustAES(key[:]))
	if err != nil {
		panic(fmt.Sprintf("quarantine: making AES-GCM: %v", err)) // only another block size can fail
	}
	return aead
}

func mustAES(key []byte) cipher.Block {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(fmt.Sprintf("quarantine: making AES: %v", err)) // only a wrong key length can fail
	}
	return block
}
