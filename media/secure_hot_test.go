package media

import (
	"encoding/binary"
	"testing"

	"github.com/cordpair/cordpair/media/secure"
)

// securedPair is benchPair with encryption on the first stream, the second, or
// both. feed hands the next packet of the party to the engine.
func securedPair(t testing.TB, suite secure.Suite, first, second bool) (feed func(), out *wire) {
	t.Helper()
	l, a, datagram, from, out := benchPair(t, "0", "0")
	guarded := func(s *stream) secure.Key {
		g := &guard{stream: s, terms: s.terms}
		theirs := secure.NewKey(suite)
		if err := g.install(onRTP, secure.NewKey(suite), theirs); err != nil {
			t.Fatal(err)
		}
		g.channels[onRTCP], s.guard = g.channels[onRTP], g
		return theirs
	}
	if second {
		guarded((*a.sink.Load()).(*relay).to)
	}
	room := make([]byte, 0, maxDatagram)
	send := func(b []byte) { l.arrived(a, false, b, from) }
	if first {
		phone, err := secure.NewSealer(guarded(a))
		if err != nil {
			t.Fatal(err)
		}
		send = func(b []byte) {
			x, err := phone.RTP(room, b)
			if err != nil {
				t.Fatal(err)
			}
			l.arrived(a, false, x, from)
		}
	}
	seq := binary.BigEndian.Uint16(datagram[2:])
	plain := make([]byte, len(datagram), maxDatagram)
	return func() {
		seq++
		next(datagram, l)
		copy(plain, datagram)
		binary.BigEndian.PutUint16(plain[2:], seq)
		send(plain)
	}, out
}

// A packet that is opened and protected costs no allocation.
func TestEncryptedRelayDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, name := range []string{"AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"} {
		for _, way := range [][2]bool{{true, false}, {false, true}, {true, true}} {
			suite, _ := secure.SuiteOf(name)
			feed, out := securedPair(t, suite, way[0], way[1])
			feed()
			if n := testing.AllocsPerRun(1000, feed); n != 0 {
				t.Errorf("%s %v: %v allocations a packet", name, way, n)
			}
			if out.sent < 1000 {
				t.Errorf("%s %v: only %d packets were sent", name, way, out.sent)
			}
		}
	}
}

// What we add to the two system calls of a packet between a leg with SRTP and one
// without; half of "in" is the phone's own work.
func BenchmarkEncryptedRelay(b *testing.B) {
	for _, name := range []string{"AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"} {
		for way, in := range map[string]bool{"in": true, "out": false} {
			b.Run(name+"/"+way, func(b *testing.B) {
				suite, _ := secure.SuiteOf(name)
				feed, _ := securedPair(b, suite, in, !in)
				b.ReportAllocs()
				for b.Loop() {
					feed()
				}
			})
		}
	}
}
