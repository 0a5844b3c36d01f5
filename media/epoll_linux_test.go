//go:build linux && (amd64 || arm64)

package media

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestRestingPortsAreEmptied (M6): what arrives at a pair between two sessions is
// thrown away as it comes, and one packet after the other only up to a bound. The
// next session hears nothing of it, and hears its own party.
func TestRestingPortsAreEmptied(t *testing.T) {
	for _, strays := range []int{0, 3, 2 * maxStrays} {
		r := &rig{t: t}
		r.open(Config{Addresses: []netip.Addr{here}, PortMin: 24200, PortMax: 24201}, 1)
		old, party := r.phone("2:0"), r.phone("3:0")
		s := r.session(old, "0", Events{})
		old.speak(s, 0)
		r.settle()
		if st := s.Close(); st.PacketsReceived != 1 {
			t.Errorf("the first session: %+v", st)
		}
		r.settle()
		for range strays {
			old.speak(s, 0)
			party.speak(s, 0)
			r.settle()
		}
		raw := r.engine.pools[0].pairs[0].rtp.(*rawSocket)
		onLoopOf(r.engine.loops[0], func() {
			waiting, err := unix.IoctlGetInt(raw.fd, unix.SIOCINQ)
			if read := raw.slot >= 0; err != nil || read != (strays < maxStrays) || read && waiting != 0 {
				t.Errorf("%d strays: read %t, %d octets wait, %v", strays, read, waiting, err)
			}
		})
		r.advance(restTime)
		s = r.session(party, "0", Events{})
		r.settle()
		if st := s.Stats(); st.PacketsReceived+st.Dropped != 0 {
			t.Errorf("%d strays: a new session begins with %+v", strays, st)
		}
		party.speak(s, 0)
		r.settle()
		if st := s.Close(); st.PacketsReceived != 1 || st.Dropped != 0 {
			t.Errorf("%d strays: the second session: %+v", strays, st)
		}
		r.close()
	}
}

// TestSocketsAreClosedOnTheirLoop: a pair that nobody takes for long leaves no slot
// and no descriptor behind.
func TestSocketsAreClosedOnTheirLoop(t *testing.T) {
	r := &rig{t: t}
	r.open(Config{Addresses: []netip.Addr{here}, PortMin: 24210, PortMax: 24219}, 1)
	defer r.close()
	p := r.phone("2:0")
	for range 3 {
		r.session(p, "0", Events{}).Close()
	}
	r.settle()
	e := r.engine.loops[0].io.(*epoll)
	used := func() (n int) {
		onLoopOf(e.loop, func() { n = len(e.slots) - len(e.spare) })
		return n
	}
	if n := used(); n != 6 {
		t.Errorf("%d sockets are read after three sessions", n)
	}
	r.skew.Add(int64(2 * keepFor))
	r.engine.pools[0].reap()
	if n := used(); n != 0 {
		t.Errorf("%d sockets are read after all were given back", n)
	}
}

// TestLazyErrands: what was posted for later is done without any packet.
func TestLazyErrands(t *testing.T) {
	r := &rig{t: t}
	r.open(Config{Addresses: []netip.Addr{here}, PortMin: 24220, PortMax: 24221}, 1)
	defer r.close()
	s, err := r.engine.NewSession(SessionConfig{Local: here})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	for r.engine.Stats().PortsUsed > 0 { // the test's own deadline ends it
		time.Sleep(time.Millisecond)
	}
}

// onLoopOf runs fn on a loop, after what was posted before.
func onLoopOf(l *loop, fn func()) {
	done := make(chan struct{})
	l.post(func() { fn(); close(done) })
	<-done
}
