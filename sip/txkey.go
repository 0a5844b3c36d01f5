package sip

import (
	"encoding/binary"
	"hash/maphash"
	"strconv"
	"strings"

	"github.com/cordpair/cordpair/sip/wire"
)

// txKey finds a transaction: 128 bits of a keyed hash of what identifies it, so
// that a transaction that waits for its end keeps no text of its message alive.
// Nobody outside knows the key, so nobody can make two alike.
type txKey [2]uint64

var txSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// keyText is room for what is hashed; longer keys are allocated.
type keyText [256]byte

func hashKey(b []byte) txKey {
	return txKey{maphash.Bytes(txSeeds[0], b), maphash.Bytes(txSeeds[1], b)}
}

// serverKey identifies a server transaction (RFC 3261 17.2.3); a branch without
// the magic cookie comes from a far end that does not make them unique.
func serverKey(m *wire.Message) txKey {
	method := m.Method()
	if method == methodAck || method == methodCancel {
		method = methodInvite
	}
	var room keyText
	host, port := m.SentBy()
	branch := m.Branch()
	b := append(append(room[:0], 's'), branch...)
	b = append(b, '|')
	for i := range len(host) {
		c := host[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		b = append(b, c)
	}
	b = strconv.AppendInt(append(b, ':'), int64(port), 10)
	b = append(append(b, '|'), method...)
	if !strings.HasPrefix(branch, magic) {
		b = appendRequest(append(b, '|'), m)
		b = append(append(b, '|'), m.RequestURI()...)
	}
	return hashKey(b)
}

// mergeKeyOf recognises one request that came by two paths (RFC 3261 8.2.2.2).
func mergeKeyOf(m *wire.Message) txKey {
	var room keyText
	return hashKey(appendRequest(append(room[:0], 'm'), m))
}

func appendRequest(b []byte, m *wire.Message) []byte {
	seq, _ := m.CSeq()
	b = append(append(b, m.CallID()...), '|')
	b = append(append(b, m.FromTag()...), '|')
	return strconv.AppendUint(b, uint64(seq), 10)
}

// clientKey identifies a client transaction (RFC 3261 17.1.3).
func clientKey(branch, method string) txKey {
	var room keyText
	b := append(append(room[:0], 'c'), branch...)
	return hashKey(append(append(b, '|'), method...))
}

// forkKey identifies the 2xx of one of the phones that answered the INVITE of key.
func forkKey(key txKey, tag string) txKey {
	var room keyText
	b := binary.BigEndian.AppendUint64(append(room[:0], 'f'), key[0])
	return hashKey(append(binary.BigEndian.AppendUint64(b, key[1]), tag...))
}
