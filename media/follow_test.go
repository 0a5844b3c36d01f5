package media

import (
	"errors"
	"strings"
	"testing"
)

// TestFollow (design 4): a party that offers a codec its peer does not speak is
// answered when the peer has taken that codec, and refused when the peer has not, or
// cannot; refused, it stays as it was. Where we transcode nobody has to follow.
func TestFollow(t *testing.T) {
	for name, tc := range map[string]struct {
		peer    string // what it has listed, first what it speaks
		offer   string
		answers string // what the peer answers to its own offer, "no" to refuse it
		waits   bool
		err     error
	}{
		"transcoded":            {peer: "0", offer: "8"},
		"transcoded, wide":      {peer: "0", offer: "9"},
		"spoken":                {peer: "0 18", offer: "18 0"},
		"listed":                {peer: "0 18", offer: "18", waits: true, answers: "18"},
		"listed, refused":       {peer: "0 18", offer: "18", waits: true, answers: "no", err: ErrNotAcceptable},
		"listed, another taken": {peer: "0 18", offer: "18", waits: true, answers: "0", err: ErrNotAcceptable},
		"not listed":            {peer: "0", offer: "18", err: ErrNotAcceptable},
		"back to G.711":         {peer: "18 0", offer: "0", waits: true, answers: "0"},
		"G.711 not listed":      {peer: "18", offer: "8", waits: true, answers: "8"},
		"G.711 of the other":    {peer: "18", offer: "8", waits: true, answers: "0"},
		"G.711 refused":         {peer: "18", offer: "8", waits: true, answers: "no", err: ErrNotAcceptable},
		"another, listed":       {peer: "18 3", offer: "0 3", waits: true, answers: "3"},
		"another, unlisted":     {peer: "18", offer: "3", err: ErrNotAcceptable},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) {
				var told []string
				tell := func(what string) func() { return func() { told = append(told, what) } }
				self := r.settled(strings.Fields(tc.peer)[0], Events{Unmet: tell("self")})
				peer := r.settled(tc.peer, Events{Unmet: tell("peer")})
				if err := Join(self, peer); err != nil {
					t.Fatal(err)
				}
				before := self.terms.Load()
				p := r.phone("1:0")
				if _, err := self.SetOffer(p.sdp(tc.offer)); err != nil {
					t.Fatal(err)
				}
				_, err := self.Answer()
				r.settle()
				want := ""
				if tc.waits {
					if !errors.Is(err, ErrUndecided) || self.terms.Load() != before || !peer.Unmet() || self.Unmet() {
						t.Fatalf("answered before the peer: %v, asks %v", err, told)
					}
					r.follows(peer, tc.answers)
					_, err = self.Answer()
					want = "peer self"
				}
				r.settle()
				if !errors.Is(err, tc.err) {
					t.Errorf("answered: %v, want %v", err, tc.err)
				}
				if err != nil && (self.terms.Load() != before || self.talk.offered != nil || self.waits) {
					t.Error("a refused offer has changed something")
				}
				if err == nil && joint(self.terms.Load(), peer.terms.Load()) != nil {
					t.Error("they cannot hear each other")
				}
				if got := strings.Join(told, " "); got != want {
					t.Errorf("told %q, want %q", got, want)
				}
			})
		})
	}
}

// follows lets a session's party take or refuse the offer that Events.Unmet asked for.
func (r *rig) follows(s *Session, answers string) {
	r.t.Helper()
	if _, err := s.Offer(nil); err != nil {
		r.t.Fatal(err)
	}
	if answers == "no" {
		s.Refused()
	} else if _, err := s.SetAnswer(r.phone("1:0").sdp(answers)); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
}

// TestFollowEnds: whoever waits is told when the one it waits for leaves, and a
// withdrawn offer leaves nothing behind.
func TestFollowEnds(t *testing.T) {
	for name, end := range map[string]func(self, peer *Session){
		"the peer hangs up":      func(_, peer *Session) { peer.Close() },
		"the peer goes":          func(_, peer *Session) { peer.Quiet() },
		"the party hears itself": func(self, _ *Session) { self.Echo() },
		"withdrawn":              func(self, _ *Session) { self.Withdraw() },
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) {
				var decided int
				self := r.settled("0", Events{Unmet: func() { decided++ }})
				peer := r.settled("0 18", Events{Unmet: func() {}})
				if err := Join(self, peer); err != nil {
					t.Fatal(err)
				}
				p := r.phone("1:0")
				if _, err := self.SetOffer(p.sdp("18")); err != nil {
					t.Fatal(err)
				}
				if _, err := self.Answer(); !errors.Is(err, ErrUndecided) {
					t.Fatal(err)
				}
				end(self, peer)
				r.settle()
				if name == "withdrawn" {
					if decided != 0 || self.waits || peer.Unmet() || self.talk.offered != nil {
						t.Errorf("decided %d, waits %v, unmet %v", decided, self.waits, peer.Unmet())
					}
					return
				}
				if _, err := self.Answer(); decided == 0 || errors.Is(err, ErrUndecided) || self.waits {
					t.Errorf("told %d times, then %v", decided, err)
				}
			})
		})
	}
}
