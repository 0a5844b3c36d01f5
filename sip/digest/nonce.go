package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"net/netip"
	"sync"
	"time"
)

// A nonce is 30 bytes in base64: when it was issued, something random, and a MAC
// over both, the source and the realm. Nothing is kept when one is issued, so a
// flood of requests without credentials costs no memory.
const (
	nonceTime = 6 // milliseconds since the Authority was made
	nonceRand = 8
	nonceMAC  = 16
	nonceLen  = nonceTime + nonceRand + nonceMAC
	nonceText = nonceLen / 3 * 4
)

// issued is what a nonce says once its MAC is right.
type issued struct {
	at int64  // milliseconds since the Authority was made
	id uint64 // random
}

// mint makes and checks nonces.
type mint struct {
	start time.Time
	pool  sync.Pool // of *macScratch
}

// macScratch is one keyed hash with the buffers it works on: they are handed to
// an interface and would be allocated each time.
type macScratch struct {
	h   hash.Hash
	in  []byte
	sum []byte
	// text and raw are a nonce written and read.
	raw [nonceLen]byte
}

// newMint makes a key that dies with the process: what was seen of a nonce is
// forgotten with it, so an older nonce must not be accepted again.
func newMint() *mint {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: it ends the process instead
	m := &mint{start: time.Now()}
	m.pool.New = func() any { return &macScratch{h: hmac.New(sha256.New, key)} }
	return m
}

// age is the time since the mint was made, in milliseconds. It uses the
// monotonic clock where now has it, so a step of the wall clock ends no nonce.
func (m *mint) age(now time.Time) int64 { return max(0, now.Sub(m.start).Milliseconds()) }

// issue appends a new nonce.
func (m *mint) issue(dst []byte, realm string, source netip.Addr, now time.Time) []byte {
	sc := m.pool.Get().(*macScratch)
	defer m.pool.Put(sc)
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(m.age(now)))
	copy(sc.raw[:nonceTime], at[8-nonceTime:])
	_, _ = rand.Read(sc.raw[nonceTime : nonceTime+nonceRand])
	copy(sc.raw[nonceTime+nonceRand:], sc.mac(realm, source))
	return base64.RawURLEncoding.AppendEncode(dst, sc.raw[:])
}

// open reads a nonce of ours that was issued to this source for this realm.
func (m *mint) open(nonce, realm string, source netip.Addr) (issued, bool) {
	sc := m.pool.Get().(*macScratch)
	defer m.pool.Put(sc)
	whole := len(nonce) == nonceText
	if whole {
		sc.in = append(sc.in[:0], nonce...)
		_, err := base64.RawURLEncoding.Decode(sc.raw[:], sc.in)
		whole = err == nil
	}
	right := subtle.ConstantTimeCompare(sc.mac(realm, source), sc.raw[nonceTime+nonceRand:]) == 1
	if !whole || !right {
		return issued{}, false
	}
	var at [8]byte
	copy(at[8-nonceTime:], sc.raw[:nonceTime])
	return issued{
		at: int64(binary.BigEndian.Uint64(at[:])),
		id: binary.BigEndian.Uint64(sc.raw[nonceTime:]),
	}, true
}

// mac is the truncated MAC over the first two parts of raw, source and realm.
// The port is left out: a phone behind NAT may come from another one.
func (sc *macScratch) mac(realm string, source netip.Addr) []byte {
	ip := source.Unmap().As16()
	sc.in = append(sc.in[:0], sc.raw[:nonceTime+nonceRand]...)
	sc.in = append(sc.in, ip[:]...)
	sc.in = append(sc.in, realm...)
	sc.h.Reset()
	_, _ = sc.h.Write(sc.in) // a hash never fails
	sc.sum = sc.h.Sum(sc.sum[:0])
	return sc.sum[:nonceMAC]
}
