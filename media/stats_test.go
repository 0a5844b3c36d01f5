package media

import (
	"net/netip"
	"testing"
	"time"
)

// What a session says about where its audio was said to come from, where it came
// from and when it began, for the parties a call meets.
func TestStatsTellTheSource(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		p, nat, next := r.phone("1:0"), r.phone("1:0"), r.phone("3:0")
		s := r.session(p, "0 101", Events{})
		want := func(what string, signalled, source netip.AddrPort) time.Time {
			t.Helper()
			r.settle()
			st := s.Stats()
			if st.Signalled != signalled || st.Source != source {
				t.Errorf("%s: signalled %v, source %v, first %v", what, st.Signalled, st.Source, st.FirstAt)
			}
			return st.FirstAt
		}
		reoffer := func(body []byte) {
			t.Helper()
			if _, err := s.SetOffer(body); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Answer(); err != nil {
				t.Fatal(err)
			}
		}
		var none netip.AddrPort
		if first := want("nothing sent", p.addr, none); !first.IsZero() {
			t.Errorf("a first packet at %v, though none was sent", first)
		}
		next.speak(s, 0)
		if first := want("a stranger", p.addr, none); !first.IsZero() || s.Stats().Dropped != 1 {
			t.Errorf("the stranger's packet counts: %+v", s.Stats())
		}
		before := time.Now()
		nat.speak(s, 0)
		first := want("from behind a translator", p.addr, nat.addr)
		if first.Before(before) || first.After(time.Now()) {
			t.Errorf("first packet at %v, sent at %v", first, before)
		}
		r.advance(20 * time.Millisecond)
		p.speak(s, 0)
		if again := want("the signalled port takes over", p.addr, p.addr); !again.Equal(first) {
			t.Errorf("the first packet moved from %v to %v", first, again)
		}
		reoffer(p.sdp("0 101", "a=sendonly"))
		want("held", p.addr, p.addr)
		reoffer(next.sdp("0 101"))
		want("moved and quiet", next.addr, none)
		next.speak(s, 0)
		want("moved", next.addr, next.addr)
		reoffer(describe(netip.AddrPortFrom(netip.IPv4Unspecified(), 4000), "0"))
		want("held by address", none, none)
		if st := s.Close(); !st.FirstAt.Equal(first) || st != s.Stats() {
			t.Errorf("final %+v", st)
		}
	})
}

// An address we cannot send to is still the one that was signalled.
func TestStatsTellAnUnreachableAddress(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		p := r.phone("1:0")
		s, err := r.engine.NewSession(SessionConfig{Local: here, SIPSource: p.addr.Addr()})
		if err != nil {
			t.Fatal(err)
		}
		private := netip.MustParseAddrPort("10.255.0.7:4000")
		if _, err := s.SetOffer(describe(private, "0")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Answer(); err != nil {
			t.Fatal(err)
		}
		r.settle()
		p.speak(s, 0)
		r.settle()
		if st := s.Stats(); st.Signalled != private || st.Source != p.addr || st.PacketsReceived != 1 {
			t.Errorf("%+v", st)
		}
	})
}
