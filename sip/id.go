package sip

import (
	"crypto/rand"
	"encoding/hex"
	"hash/maphash"
)

// magic begins every branch of RFC 3261.
const magic = "z9hG4bK"

// token returns n random bytes as hex (A12).
func token(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

func newTag() string    { return token(8) }
func newBranch() string { return magic + token(10) }
func newCallID() string { return token(16) }

// hashSeed spreads Call-IDs over the workers; random, so that nobody outside
// can aim at one.
var hashSeed = maphash.MakeSeed()

func hashCallID(id []byte) uint64 { return maphash.Bytes(hashSeed, id) }
