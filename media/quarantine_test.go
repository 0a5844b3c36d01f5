package media

import (
	"net/netip"
	"testing"
	"time"
)

// Late packets of the previous call do not reach the next one on the same ports
// (M6).
func TestQuarantine(t *testing.T) {
	onBoth(t, Config{PortMin: 24000, PortMax: 24001}, func(t *testing.T, r *rig) {
		p, next := r.phone("3:0"), r.phone("3:0")
		s := r.session(p, "0", Events{})
		r.settle()
		p.speak(s, 0)
		r.settle()
		s.Close()
		r.settle()
		p.speak(s, 0) // into the resting socket
		if _, err := r.engine.NewSession(SessionConfig{Local: here}); err != ErrNoPorts {
			t.Fatalf("ports that have not rested: %v", err)
		}
		r.advance(2 * time.Second)
		s = r.session(next, "0", Events{})
		s.Echo()
		r.settle()
		for range 3 {
			p.speak(s, 0)
		}
		if n := len(p.heard()) + len(next.heard()); n > 0 || s.Stats().PacketsReceived > 0 {
			t.Errorf("%d packets of the old call were taken", s.Stats().PacketsReceived)
		}
		next.speak(s, 0)
		if n := len(next.heard()); n != 1 {
			t.Errorf("the new party heard %d packets", n)
		}
	})
}

// TestHeldPackets: what of ten packets in order passes the quarantine.
func TestHeldPackets(t *testing.T) {
	at := netip.MustParseAddrPort
	heard := quarantine{on: true, heard: true, remote: at("192.0.2.1:4000"), ssrc: 1, until: 100}
	unheard := quarantine{on: true, hosts: [2]netip.Addr{at("192.0.2.1:4000").Addr()}, until: 100}
	for _, c := range []struct {
		name  string
		q     quarantine
		from  string
		ssrc  uint32
		now   int64
		taken int
	}{
		{"nobody was here", quarantine{}, "192.0.2.1:4000", 0, 0, 10},
		{"the old stream", heard, "192.0.2.1:4000", 1, 200, 0},
		{"the old stream from elsewhere", heard, "192.0.2.7:4002", 1, 200, 0},
		{"a new stream from the old source", heard, "192.0.2.1:4000", 2, 50, 10 - stablePackets},
		{"another source at the old host", heard, "192.0.2.1:4002", 2, 50, 10},
		{"the signalled source, early", heard, "192.0.2.9:5000", 2, 50, 10},
		{"the signalled source under the old SSRC, early", heard, "192.0.2.9:5000", 1, 50, 0},
		{"the call before it, early", quarantine{on: true, earlier: former{ssrc: 1, until: 100}}, "192.0.2.9:5000", 1, 50, 0},
		{"the call before it", quarantine{on: true, earlier: former{ssrc: 1, until: 100}}, "192.0.2.9:5000", 1, 100, 10},
		{"the signalled source under the old SSRC", heard, "192.0.2.9:5000", 1, 100, 10},
		{"a host that was not heard, early", unheard, "192.0.2.1:4002", 0, 50, 10 - stablePackets},
		{"a host that was not heard", unheard, "192.0.2.1:4002", 0, 100, 10},
		{"another host, early", unheard, "192.0.2.2:4002", 0, 50, 10},
	} {
		taken := 0
		for i := range 10 {
			if !c.q.holds(at(c.from), at("192.0.2.9:5000"), &packet{ssrc: c.ssrc, seq: uint16(i)}, c.now) {
				taken++
			}
		}
		if taken != c.taken {
			t.Errorf("%s: %d of 10 packets taken, want %d", c.name, taken, c.taken)
		}
	}
}

// TestPairsUnderPressure (M6): while nothing has rested, the pair that rested longest
// is taken after shortRest, and nothing of its last call is heard in the next: not
// even when the party is the same phone on the same port.
func TestPairsUnderPressure(t *testing.T) {
	onBoth(t, Config{PortMin: 24000, PortMax: 24001}, func(t *testing.T, r *rig) {
		p := r.phone("3:0")
		s := r.session(p, "0", Events{})
		r.settle()
		p.speak(s, 0)
		r.settle()
		s.Close()
		r.settle()
		r.advance(shortRest - 20*time.Millisecond)
		if _, err := r.engine.NewSession(SessionConfig{Local: here}); err != ErrNoPorts {
			t.Fatalf("after %v: %v", shortRest-20*time.Millisecond, err)
		}
		r.advance(20 * time.Millisecond)
		s = r.session(p, "0", Events{})
		s.Echo()
		r.settle()
		for range 10 {
			p.speak(s, 0)
		}
		if n := len(p.heard()); n > 0 || s.Stats().PacketsReceived > 0 {
			t.Errorf("%d packets of the old call were taken", s.Stats().PacketsReceived)
		}
		p.ssrc++
		p.speak(s, 0)
		if n := len(p.heard()); n != 1 {
			t.Errorf("the new call heard %d packets", n)
		}
	})
}

// TestEarlierUser (M6): under pressure even the call before the last one may still be
// sent to, by a phone whose BYE was lost twice.
func TestEarlierUser(t *testing.T) {
	onBoth(t, Config{PortMin: 24000, PortMax: 24001}, func(t *testing.T, r *rig) {
		first, second, third := r.phone("3:0"), r.phone("3:0"), r.phone("3:0")
		for _, p := range []*phone{first, second} {
			s := r.session(p, "0", Events{})
			r.settle()
			p.speak(s, 0)
			r.settle()
			s.Close()
			r.advance(shortRest + lazyTime)
		}
		s := r.session(third, "0", Events{})
		s.Echo()
		r.settle()
		for range 10 {
			first.speak(s, 0)
		}
		r.settle()
		if n := s.Stats().PacketsReceived; n > 0 {
			t.Errorf("%d packets of the call before the last were taken", n)
		}
	})
}

// TestMovedUser (M6): a party that moved and was not heard since may begin to send
// when the next call has its ports.
func TestMovedUser(t *testing.T) {
	s := stream{pair: &pair{}, terms: &terms{hosts: [2]netip.Addr{netip.MustParseAddr("192.0.2.7")}}}
	s.in.epoch, s.in.ssrc = 1, 1
	q := s.estate(netip.Addr{})
	q.until = 100
	from, exact := netip.MustParseAddrPort("192.0.2.7:4000"), netip.MustParseAddrPort("192.0.2.7:5000")
	if !q.holds(from, exact, &packet{ssrc: 2}, 50) {
		t.Error("its first packet passes")
	}
	if !q.holds(exact, exact, &packet{ssrc: 1}, 50) {
		t.Error("its old SSRC passes")
	}
}
