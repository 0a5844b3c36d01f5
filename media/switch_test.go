package media

import "testing"

// A party that changes between a codec that passes and one that is coded anew, as it
// may at any packet, is heard once: nothing is made up beside what it says.
func TestPartyChangesCodec(t *testing.T) {
	l, a, b, from, out := benchPair(t, "8", "9")
	there := relayed(a).to.terms
	both := *a.terms // as if we had offered, and both were in the answer
	both.Accepted = append(both.Accepted, there.Codec)
	both.carries[9] = 2
	a.adopt(&both)
	a.sink.Store(&newRelay(relayed(a).to, &both, there).self)
	header := [rtpHeader]byte(b)
	say := func(pt byte, frames int) int {
		sent := out.sent
		for range frames {
			copy(b, header[:])
			next(b, l)
			b[1] = pt
			header = [rtpHeader]byte(b)
			l.arrived(a, false, b, from)
			for l.tickAt != 0 && l.now >= l.tickAt {
				l.tick()
			}
		}
		return out.sent - sent
	}
	say(8, 20)
	for range 3 {
		if n := say(9, 40); n < 40 || n > 41 {
			t.Errorf("%d packets for 40 that pass", n)
		}
		if n := say(8, 40); n < 35 || n > 41 {
			t.Errorf("%d packets for 40 that are coded anew", n)
		}
		if n := len(l.sources); n != 1 {
			t.Errorf("%d sources", n)
		}
	}
}
