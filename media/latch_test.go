package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// An attacker at another address sends as fast as the party, beginning before,
// with or after its first packet (M1): nothing of it reaches the other party and
// nothing is sent to it, through the party's pauses too.
func TestAttackFromElsewhere(t *testing.T) {
	for _, begins := range []int{-50, -1, 0, 1, 50, 200, 300, 400} { // frames against the first packet
		t.Run(fmt.Sprint(begins), func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) { attack(t, r, begins) })
		})
	}
}

func attack(t *testing.T, r *rig, begins int) {
	pa, pb, evil := r.phone("1:0"), r.phone("2:0"), r.phone("66:0")
	a, b := r.session(pa, "0 101", Events{Digit: func(d byte) { t.Errorf("digit %c from the attacker", d) }}), r.session(pb, "0", Events{})
	if err := Join(a, b); err != nil {
		t.Fatal(err)
	}
	r.settle()
	evil.ssrc = pa.ssrc // as if it had listened
	const marker = 0x66
	real := 0
	var got []rtp.Packet
	for frame := min(begins, 0); frame < 410; frame++ {
		if frame >= begins {
			evil.seq, evil.ts = pa.seq, pa.ts
			evil.speak(a, 0, marker, marker, marker, marker)
			evil.speak(a, 101, 5, 0x80, 0, 160)
			evil.raw(rtcpPort(a), receiverReport(evil.ssrc))
		}
		paused := frame > 100 && frame < 150 // longer than the silence that lets others in
		if frame >= 0 && !paused {
			pa.speak(a, 0)
			pb.speak(b, 0)
			real++
		}
		if r.net == nil && frame%20 != 0 {
			r.skew.Add(20e6) // no need to look after every frame
			r.settle()
		} else {
			r.advance(20 * time.Millisecond)
			got = append(got, pb.heard()...) // before the socket is full
		}
	}
	if n := len(evil.datagrams()); n > 0 {
		t.Errorf("%d packets went to the attacker", n)
	}
	got = append(got, pb.heard()...)
	for _, x := range got {
		if len(x.Payload) == 4 && x.Payload[0] == marker {
			t.Fatal("a packet of the attacker came through")
		}
	}
	if len(got) != real {
		t.Errorf("%d of %d packets of the party came through", len(got), real)
	}
}

func rtcpPort(s *Session) netip.AddrPort {
	return netip.AddrPortFrom(s.LocalAddr().Addr(), s.LocalAddr().Port()+1)
}

func receiverReport(ssrc uint32) []byte {
	b := make([]byte, 8)
	b[0], b[1] = 0x80, rtcpRR
	binary.BigEndian.PutUint16(b[2:], 1)
	binary.BigEndian.PutUint32(b[4:], ssrc)
	return b
}

// Within the permitted addresses any port may speak, the signalled one wins, and
// another takes over only after 200 ms of silence.
func TestLearning(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		exact, nat, sip := r.phone("3:0"), r.phone("3:0"), r.phone("4:0")
		s, err := r.engine.NewSession(SessionConfig{Local: here, SIPSource: sip.addr.Addr()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.SetOffer(exact.sdp("0")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Answer(); err != nil {
			t.Fatal(err)
		}
		s.Echo()
		r.settle()
		steps := []struct {
			name  string
			after time.Duration
			from  *phone
			back  bool // the echo comes back to who spoke
		}{
			{"another port is learnt first", 0, nat, true},
			{"the SIP address waits for silence", 100 * time.Millisecond, sip, false},
			{"the port that spoke first holds", 90 * time.Millisecond, nat, true},
			{"the signalled port wins at once", 10 * time.Millisecond, exact, true},
			{"and holds", 199 * time.Millisecond, nat, false},
			{"until it was silent", time.Millisecond, nat, true},
			{"the SIP address may come after silence", 200 * time.Millisecond, sip, true},
			{"the signalled port comes back at once", 0, exact, true},
		}
		for _, step := range steps {
			r.advance(step.after)
			step.from.speak(s, 0)
			for _, p := range []*phone{exact, nat, sip} {
				if n, want := len(p.heard()), step.back && p == step.from; (n == 1) != want || n > 1 {
					t.Fatalf("%s: %s heard %d packets", step.name, p.addr, n)
				}
			}
		}
	})
}

// At the very same address the first stable SSRC holds while it sends (M2).
func TestStableSSRC(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		p := r.phone("3:0")
		s := r.session(p, "0", Events{})
		s.Echo()
		r.settle()
		other := &phone{r: r, conn: p.conn, addr: p.addr, ssrc: 77, seq: 100, ts: 5}
		for range stablePackets {
			p.speak(s, 0, 1)
		}
		for range 20 {
			other.speak(s, 0, 2)
			p.speak(s, 0, 1)
			r.advance(20 * time.Millisecond)
		}
		if st := s.Stats(); st.Dropped != 20 || st.PacketsReceived != 25 {
			t.Errorf("%+v", st)
		}
		for _, x := range p.heard() {
			if x.Payload[0] != 1 {
				t.Fatal("the other SSRC came through")
			}
		}
		r.advance(200 * time.Millisecond)
		other.speak(s, 0, 2)
		if got := p.heard(); len(got) != 1 || !got[0].Marker {
			t.Errorf("after silence: %v", got)
		}
	})
}

// Broken packets change nothing but a counter (M4).
func TestBrokenPackets(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		p := r.phone("3:0")
		s := r.session(p, "0 101", Events{})
		s.Echo()
		r.settle()
		p.speak(s, 0)
		r.advance(20 * time.Millisecond)
		good := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: p.seq + 1, Timestamp: p.ts + 160, SSRC: p.ssrc}, Payload: []byte{1, 2, 3, 4}}
		change := func(f func([]byte) []byte) []byte {
			b, err := good.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			return f(b)
		}
		at := func(i int, v byte) []byte { return change(func(b []byte) []byte { b[i] = v; return b }) }
		broken := [][]byte{
			{}, {0x80}, change(func(b []byte) []byte { return b[:11] }),
			at(0, 0x40),                // version 1
			at(0, 0x8f),                // more CSRCs than bytes
			at(0, 0x90),                // an extension that is not there
			at(15, 0xff)[:16],          // payload only, see below
			at(0, 0xa0),                // padding of 4 would be all, but
			at(1, 3),                   // GSM was not negotiated
			at(2, byte(p.seq>>8)+0x40), // a jump of 16384 in the sequence
			at(4, byte(p.ts>>24)+0x10), // a jump of 9 hours in time
			make([]byte, maxDatagram+1),
		}
		broken[6] = change(func(b []byte) []byte { b[0] = 0xa0; b[15] = 0; return b })   // no padding length
		broken[7] = change(func(b []byte) []byte { b[0] = 0xa0; b[15] = 200; return b }) // more than all
		for i, b := range broken {
			p.raw(s.LocalAddr(), b)
			r.settle()
			if st := s.Stats(); st.Dropped != uint64(i+1) || st.PacketsReceived != 1 {
				t.Fatalf("packet %d (%x): %+v", i, b[:min(len(b), 16)], st)
			}
		}
		dropped := s.Stats().Dropped
		for i, b := range [][]byte{{}, {0x80, 201, 0, 0}, {0x80, 204, 0, 1, 0, 0, 0, 0}, {0x81, 201, 0, 1, 0, 0, 0, 0},
			{0x80, 201, 0, 9, 0, 0, 0, 0}, append(receiverReport(1), 0x40, 202, 0, 0), append(receiverReport(1), 1)} {
			p.raw(rtcpPort(s), b)
			r.settle()
			if st := s.Stats(); st.Dropped != dropped+uint64(i+1) {
				t.Fatalf("report %d (%x): %+v", i, b, st)
			}
		}
		p.speak(s, 0)
		if got := p.heard(); len(got) != 2 {
			t.Errorf("%d good packets came back, want 2", len(got))
		}
	})
}

// Nothing is sent where it must not be (M5).
func TestForbiddenTargets(t *testing.T) {
	ours := netip.AddrPortFrom(here, 5060)
	cfg := Config{Forbidden: func(a netip.AddrPort) bool { return a == ours }}
	onBoth(t, cfg, func(t *testing.T, r *rig) {
		p := r.phone("3:0")
		s := r.session(p, "0", Events{})
		own, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []string{"224.0.0.1:4000", "255.255.255.255:4000", "192.0.2.1:53", ours.String(), own.LocalAddr().String(), s.LocalAddr().String()} {
			if _, err := s.SetOffer(describe(netip.MustParseAddrPort(a), "0")); err == nil || !isForbidden(err) {
				t.Errorf("offer of %s: %v", a, err)
			}
			_, _ = own.Offer(nil) // a second one is the same
			if _, err := own.SetAnswer(describe(netip.MustParseAddrPort(a), "0")); err == nil || !isForbidden(err) {
				t.Errorf("answer of %s: %v", a, err)
			}
		}
		if _, err := own.SetAnswer(describe(netip.AddrPortFrom(here, ours.Port()-1), "0")); err != nil {
			t.Errorf("an answer whose reports would come to us: %v", err)
		}
		s.Play([]string{"music"}, true, nil)
		if r.advance(40 * time.Millisecond); len(p.heard()) == 0 {
			t.Error("refused offers changed the target")
		}
	})
	w := newWindow(maxUnconfirmed)
	var sent []int64
	for now := int64(0); now < 5e9; now += 3e6 {
		if w.allow(now) {
			sent = append(sent, now)
		}
	}
	for i := maxUnconfirmed; i < len(sent); i++ {
		if sent[i]-sent[i-maxUnconfirmed] < 1e9 {
			t.Fatalf("more than %d in a second at %d", maxUnconfirmed, i)
		}
	}
	if len(sent) < 5*maxUnconfirmed-5 {
		t.Errorf("only %d sent in 5 s", len(sent))
	}
}

func isForbidden(err error) bool {
	return errors.Is(err, ErrForbiddenTarget) && errors.Is(err, ErrNotAcceptable)
}

// A permitted address does not make our own service a target, and a far end that
// never showed itself gets 100 packets a second, not what the peer sends (M5).
func TestUnconfirmedTargets(t *testing.T) {
	service := netip.MustParseAddrPort(prefix + "3:29000")
	cfg := Config{Forbidden: func(a netip.AddrPort) bool { return a == service }}
	onBoth(t, cfg, func(t *testing.T, r *rig) {
		p, victim, ours := r.phone("2:0"), r.phone("3:0"), r.phone("3:29000")
		a, b := r.session(p, "0", Events{}), r.session(victim, "0", Events{})
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		r.settle()
		ours.speak(b, 0)
		r.settle()
		if st := b.Stats(); st.Dropped != 1 || st.PacketsReceived != 0 {
			t.Errorf("our own service was learnt: %+v", st)
		}
		n := 0
		for range 9 {
			for range 20 {
				p.speak(a, 0)
			}
			r.advance(100 * time.Millisecond)
			n += len(victim.heard())
		}
		if n != maxUnconfirmed {
			t.Errorf("%d packets within a second", n)
		}
		victim.speak(b, 0)
		r.settle()
		for range 150 {
			p.speak(a, 0)
		}
		if n := len(victim.heard()); n != 150 {
			t.Errorf("once it has shown itself: %d of 150 packets", n)
		}
		if n := len(ours.heard()); n != 0 {
			t.Errorf("%d packets went to our own service", n)
		}
	})
}
