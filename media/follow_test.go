package media

import (
	"errors"
	"strings"
	"testing"
)

// TestFollow (design 4): when a party settles on a codec that its peer does not
// speak but can, the peer has to follow; a codec that nobody has heard of is
// refused, and everything stays as it was. Of two who refuse each is asked once.
func TestFollow(t *testing.T) {
	for name, tc := range map[string]struct {
		peer  string // what it has listed, first what it speaks
		offer string
		told  string // who was asked to move after who refused, in order
		err   error
	}{
		"transcoded":        {"0", "8", "", nil},
		"spoken":            {"0 9", "9 0", "", nil},
		"listed":            {"0 9", "9", "peer self", nil},
		"not listed":        {"0", "9", "", ErrNotAcceptable},
		"back to G.711":     {"9 0", "0", "peer self", nil},
		"G.711 not listed":  {"9", "8", "peer self", nil},
		"another, listed":   {"9 18", "0 18", "peer self", nil},
		"another, unlisted": {"9", "18", "", ErrNotAcceptable},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) {
				var told []string
				self := r.settled(strings.Fields(tc.peer)[0], Events{Unmet: func() { told = append(told, "self") }})
				peer := r.settled(tc.peer, Events{Unmet: func() { told = append(told, "peer") }})
				if err := Join(self, peer); err != nil {
					t.Fatal(err)
				}
				before := self.terms.Load()
				p := r.phone("1:0")
				if _, err := self.SetOffer(p.sdp(tc.offer)); err != nil {
					t.Fatal(err)
				}
				if _, err := self.Answer(); !errors.Is(err, tc.err) {
					t.Fatalf("answered: %v, want %v", err, tc.err)
				}
				if tc.err != nil && (self.terms.Load() != before || self.talk.offered != nil) {
					t.Error("a refused offer has changed something")
				}
				r.settle()
				for range 4 {
					switch {
					case peer.Unmet() && !peer.refused:
						peer.Refused()
					case self.Unmet() && !self.refused:
						self.Refused()
					}
					r.settle()
				}
				if got := strings.Join(told, " "); got != tc.told {
					t.Errorf("asked to move: %q, want %q", got, tc.told)
				}
			})
		})
	}
}
