package call

import "testing"

// plainMedia is media that does nothing, for tests inside the package.
type plainMedia struct{ Media }

func (plainMedia) Quiet()                           {}
func (plainMedia) Play([]string, bool, func(error)) {}

// plainLeg is a leg with plainMedia that ends when it is told to.
type plainLeg struct{ bareLeg }

func (*plainLeg) Media() Media   { return plainMedia{} }
func (l *plainLeg) Hangup(Cause) { l.Emit(LegEvent{Kind: LegGone}) }

type plainMixer struct{}

func (plainMixer) Join(Media, Media) {}

// TestEventBeforeLeg: events that reach the taker between the change of owner
// and the leg itself wait for it.
func TestEventBeforeLeg(t *testing.T) {
	c := newCall(NewRegistry(Config{Mixer: plainMixer{}}), &plainLeg{}, Invite{})
	c.state = StateTalking
	leg := &plainLeg{}
	giver := newCall(c.reg, &plainLeg{}, Invite{})
	giver.box.PushExempt(&hangup{})
	giver.box.Enter() // this test has its turn, so that it says nothing itself
	(&offer{line: leg.line(), from: giver}).handle(c)
	leg.Attach(c)
	leg.Emit(LegEvent{Kind: LegHeld})
	if len(c.legs) != 1 || len(c.arriving) != 1 || len(c.arriving[0].early) != 1 {
		t.Fatalf("%d legs, arriving %+v", len(c.legs), c.arriving)
	}
	(&moved{seat: &seat{leg: leg}}).handle(c)
	if len(c.legs) != 2 || !c.legs[1].held || len(c.arriving) != 0 {
		t.Errorf("%d legs, held %v, arriving %d", len(c.legs), c.legs[1].held, len(c.arriving))
	}
}

// TestOvertakenHold: of holds and resumes that overtook each other the one
// emitted last counts.
func TestOvertakenHold(t *testing.T) {
	tests := map[string]struct {
		numbers []uint64 // in the order they arrive; odd ones hold, even ones resume
		held    bool
	}{
		"in order":                 {[]uint64{1, 2, 3}, true},
		"resume comes late":        {[]uint64{1, 3, 2}, true},
		"hold comes late":          {[]uint64{2, 1}, false},
		"resumed after overtaking": {[]uint64{1, 3, 2, 4}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCall(NewRegistry(Config{}), &plainLeg{}, Invite{})
			for _, n := range tt.numbers {
				ev := LegEvent{Kind: LegResumed}
				if n%2 == 1 {
					ev.Kind = LegHeld
				}
				(&legEvent{line: c.legs[0].leg.line(), number: n, LegEvent: ev}).handle(c)
			}
			if c.legs[0].held != tt.held {
				t.Errorf("held %v", c.legs[0].held)
			}
		})
	}
}

// Connected does nothing.
func (*plainLeg) Connected(Party) {}

// Forwarded does nothing.
func (*plainLeg) Forwarded() {}

// Inform does nothing.
func (*plainLeg) Inform(Information) {}
