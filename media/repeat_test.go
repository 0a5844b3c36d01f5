package media

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cordpair/cordpair/media/sdp"
)

// TestRepeat: a session refresh changes nothing, neither for a party that holds
// nor after an offer that came to nothing.
func TestRepeat(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		p := r.phone("1:0")
		fresh, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fresh.Repeat(); !errors.Is(err, ErrOrder) {
			t.Errorf("repeated before anything was said: %v", err)
		}
		s := r.session(p, "0 101", Events{})
		hold := p.sdp("0 101", "a=sendonly")
		if c, err := s.SetOffer(hold); err != nil || !c.Held {
			t.Fatalf("held %+v, %v", c, err)
		}
		said, err := s.Answer()
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Repeat()
		if err != nil || !bytes.Equal(again, said) {
			t.Errorf("repeated\n%s, %v\nafter\n%s", again, err, said)
		}
		if c, err := s.SetAnswer(hold); err != nil || c != (Change{}) {
			t.Errorf("the refresh of a held party changed %+v, %v", c, err)
		}
		other := r.settled("18", Events{})
		if _, err := s.Offer(other); err != nil {
			t.Fatal(err)
		}
		if again, err = s.Repeat(); err != nil || !sameButVersion(t, again, said) {
			t.Errorf("after an offer in vain\n%s, %v\nwas\n%s", again, err, said)
		}
	})
}

// sameButVersion compares two descriptions without the number of their version.
func sameButVersion(t *testing.T, a, b []byte) bool {
	t.Helper()
	da, err := sdp.Parse(a)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sdp.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	_, restA, _ := strings.Cut(string(a), "s=-")
	_, restB, _ := strings.Cut(string(b), "s=-")
	return da.Origin.SessionID == db.Origin.SessionID && restA == restB
}

// TestUnmet: of two joined parties that cannot hear each other the one whose codec
// cannot be converted is reported, of two such one, and nobody when they can.
func TestUnmet(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b  string
		wants int32 // 1: a, 2: b
	}{
		"both G.711":       {"0", "8", 0},
		"both ours":        {"9", "8", 0},
		"the same":         {"18", "18", 0},
		"the first":        {"18", "0", 1},
		"the second":       {"8", "18", 2},
		"each another one": {"18", "3", 1},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) {
				var told atomic.Int32
				a := r.settled(tc.a, Events{Unmet: func() { told.Add(1) }})
				b := r.settled(tc.b, Events{Unmet: func() { told.Add(2) }})
				if err := Join(a, b); (err != nil) != (tc.wants != 0) {
					t.Errorf("joined: %v", err)
				}
				if a.Unmet() != (tc.wants == 1) || b.Unmet() != (tc.wants == 2) {
					t.Errorf("unmet %v, %v", a.Unmet(), b.Unmet())
				}
				r.settle()
				if got := told.Load(); got != tc.wants {
					t.Errorf("told %d, want %d", got, tc.wants)
				}
			})
		})
	}
}

// settled makes a session that has agreed on a format, converted or not.
func (r *rig) settled(format string, events Events) *Session {
	r.t.Helper()
	p := r.phone("1:0")
	like, err := r.engine.NewSession(SessionConfig{Local: here})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := like.SetOffer(p.sdp(format)); err != nil {
		r.t.Fatal(err)
	}
	s, err := r.engine.NewSession(SessionConfig{Local: here, Events: events})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := s.Offer(like); err != nil {
		r.t.Fatal(err)
	}
	if _, err := s.SetAnswer(p.sdp(format)); err != nil {
		r.t.Fatal(err)
	}
	return s
}
