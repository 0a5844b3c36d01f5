package sip

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
)

// magic begins every branch of RFC 3261.
const magic = "z9hG4bK"

// token returns n random bytes as hex (A12), at most 16.
func token(n int) string {
	var b [16]byte
	var text [32]byte
	rand.Read(b[:n]) // never fails (crypto/rand)
	return string(hex.AppendEncode(text[:0], b[:n]))
}

// newTag returns 64 random bits and a keyed hash of them, by which isOurTag knows
// it again.
func newTag() string {
	var text [24]byte
	return string(appendTag(text[:0]))
}

func appendTag(to []byte) []byte {
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	from := len(to)
	to = hex.AppendEncode(to, b[:])
	return appendTagSum(to, to[from:])
}

// isOurTag tells whether a tag may be one of newTag: an invented one passes once in
// four billion times. It says nothing about whether the dialog still exists.
func isOurTag(tag []byte) bool {
	if len(tag) != 24 {
		return false
	}
	var sum [8]byte
	return string(appendTagSum(sum[:0], tag[:16])) == string(tag[16:])
}

// tagSeed is random, so that nobody outside can make a sum.
var tagSeed = maphash.MakeSeed()

func appendTagSum(to, tag []byte) []byte {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], uint32(maphash.Bytes(tagSeed, tag)))
	return hex.AppendEncode(to, sum[:])
}

func appendHex64(to []byte, n uint64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return hex.AppendEncode(to, b[:])
}

// newBranch is a branch that isOurBranch knows again.
func newBranch() string {
	var text [len(magic) + 24]byte
	return string(appendTag(append(text[:0], magic...)))
}

// isOurBranch tells whether a branch may be one of newBranch, as isOurTag does of
// a tag: nobody else's responses come before the calls there are.
func isOurBranch(branch []byte) bool {
	return len(branch) > len(magic) && string(branch[:len(magic)]) == magic && isOurTag(branch[len(magic):])
}

func newCallID() string { return token(16) }

// hashSeed spreads Call-IDs over the workers; random, so that nobody outside
// can aim at one.
var hashSeed = maphash.MakeSeed()

func hashCallID(id []byte) uint64 { return maphash.Bytes(hashSeed, id) }
