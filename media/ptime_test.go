package media

import (
	"strings"
	"testing"
)

// TestPacketLength: packets are relayed as they come, so each party is asked for the
// length that the other one asks for.
func TestPacketLength(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("1:0"), r.phone("2:0")
		a, b := r.fresh(Events{}), r.fresh(Events{})
		if _, err := a.SetOffer(pa.sdp("0", "a=ptime:30")); err != nil {
			t.Fatal(err)
		}
		offer, err := b.Offer(a)
		if err != nil || !strings.Contains(string(offer), "a=ptime:30\r\n") {
			t.Fatalf("offered\n%s\n%v", offer, err)
		}
		if _, err := b.SetAnswer(pb.sdp("0", "a=ptime:40")); err != nil {
			t.Fatal(err)
		}
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		answer, err := a.Answer()
		if err != nil || !strings.Contains(string(answer), "a=ptime:40\r\n") {
			t.Fatalf("answered\n%s\n%v", answer, err)
		}
	})
}

// fresh makes a session that has agreed on nothing yet.
func (r *rig) fresh(events Events) *Session {
	r.t.Helper()
	s, err := r.engine.NewSession(SessionConfig{Local: here, Events: events})
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}
