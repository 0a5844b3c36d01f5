package siptest

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
)

// token is a fresh tag, branch part, Call-ID or cnonce of 64 random bits.
func token() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// random32 is a fresh SSRC, sequence number or timestamp.
func random32() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:])
}
