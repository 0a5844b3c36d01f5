package call

import (
	"strings"
	"testing"
	"time"
)

// TestMoves walks every pair of state and op. A row here is a move that can
// happen; every other pair must be refused.
func TestMoves(t *testing.T) {
	want := map[string]State{
		"new->begin":          StateScripted,
		"new->end":            StateEnding,
		"scripted->ring":      StateRinging,
		"scripted->connect":   StateTalking,
		"scripted->redirect":  StateScripted,
		"scripted->end":       StateEnding,
		"ringing->unanswered": StateScripted,
		"ringing->connect":    StateTalking,
		"ringing->redirect":   StateScripted,
		"ringing->end":        StateEnding,
		"talking->part":       StateScripted,
		"talking->redirect":   StateScripted,
		"talking->refer":      StateWaiting,
		"talking->end":        StateEnding,
		"waiting->connect":    StateTalking,
		"waiting->redirect":   StateScripted,
		"waiting->end":        StateEnding,
		"ending->finish":      StateEnded,
	}
	for s := StateNew; s <= StateEnded; s++ {
		for _, o := range ops {
			name := s.String() + "->" + string(o)
			t.Run(name, func(t *testing.T) {
				to, possible := want[name]
				if s.can(o) != possible {
					t.Fatalf("can = %v, want %v", s.can(o), possible)
				}
				c := &Call{state: s}
				defer func() {
					if v := recover(); (v == nil) != possible {
						t.Errorf("recovered %v, possible %v", v, possible)
					}
				}()
				c.move(o)
				if c.state != to {
					t.Errorf("to %v, want %v", c.state, to)
				}
			})
		}
	}
}

// TestMovesEnd: from every state the call can come to its end, and only from
// StateEnded nothing is possible.
func TestMovesEnd(t *testing.T) {
	for s := StateNew; s < StateEnding; s++ {
		if moves[s][opEnd] != StateEnding {
			t.Errorf("%v cannot end", s)
		}
	}
	if len(moves[StateEnded]) != 0 {
		t.Error("something is possible after the end")
	}
}

func TestStateNames(t *testing.T) {
	seen := map[string]bool{}
	for s := StateNew; s <= StateEnded; s++ {
		text, _ := s.MarshalText()
		if seen[string(text)] || strings.Contains(string(text), "(") {
			t.Errorf("name of state %d: %q", int(s), text)
		}
		seen[string(text)] = true
	}
	for s, want := range map[LegState]string{LegWaiting: "waiting", LegUp: "up", LegLeaving: "leaving"} {
		if text, _ := s.MarshalText(); string(text) != want {
			t.Errorf("name of leg state %d: %q", int(s), text)
		}
	}
	if got := State(99).String(); got != "state(99)" {
		t.Errorf("unknown state: %q", got)
	}
}

// TestTimers: a timer that was stopped or set again when the clock goes off does
// nothing (rule 7); those that are due run in their order, once.
func TestTimers(t *testing.T) {
	c := newCall(NewRegistry(Config{}), &bareLeg{}, Invite{})
	var a, b, stopped, later timer
	fired := ""
	set := func(t *timer, d time.Duration, name string) { c.arm(t, d, func(*Call) { fired += name }) }
	set(&a, 3*time.Minute, "never ")
	set(&b, 2*time.Minute, "b ")
	set(&stopped, time.Minute, "stopped ")
	set(&later, time.Minute, "never ")
	set(&a, time.Minute, "a ")
	set(&later, 3*time.Minute, "later ")
	c.disarm(&stopped)
	c.disarm(&stopped)
	for _, step := range []struct {
		after time.Duration
		fired string
	}{{0, ""}, {time.Minute - 1, ""}, {time.Minute, "a "}, {time.Minute, "a "}, {5 * time.Minute, "a b later "}, {time.Hour, "a b later "}} {
		c.now = c.started.Add(step.after)
		tick{}.handle(c)
		if fired != step.fired {
			t.Errorf("after %v: %q, want %q", step.after, fired, step.fired)
		}
	}
	if c.clock.first() != nil {
		t.Error("a timer is set")
	}
}

// TestClock: a call has one timer of the runtime, which is not touched for a deadline
// that is later than what it is set to, nor for one that is stopped.
func TestClock(t *testing.T) {
	c := newCall(NewRegistry(Config{}), &bareLeg{}, Invite{})
	var soon, late timer
	at := func(want time.Duration) {
		t.Helper()
		c.wind()
		if got := c.clock.at.Sub(c.started); !c.clock.at.IsZero() && got != want || c.clock.at.IsZero() && want != 0 {
			t.Errorf("set to %v, want %v", got, want)
		}
	}
	nothing := func(*Call) {}
	at(0)
	c.arm(&late, time.Hour, nothing)
	at(time.Hour)
	c.arm(&soon, time.Minute, nothing)
	at(time.Minute)
	c.disarm(&soon)
	at(time.Minute) // goes off for nothing
	c.now = c.started.Add(time.Minute)
	tick{}.handle(c)
	at(time.Hour)
	c.disarm(&late)
	at(0)
}

// TestPictures: nobody who has got a picture of a call sees it change, and as long as
// nobody has one, a new one costs nothing.
func TestPictures(t *testing.T) {
	c := newCall(NewRegistry(Config{}), &bareLeg{}, Invite{})
	c.state = StateTalking
	if n := testing.AllocsPerRun(10, c.publish); n > 0 {
		t.Errorf("%v allocations", n)
	}
	var pictures []*Info
	for seq := range 5 {
		c.seq = seq
		c.publish()
		pictures = append(pictures, c.Info())
	}
	for seq, info := range pictures {
		if info.Seq != seq || info.State != StateTalking || len(info.Legs) != 1 || info.Legs[0].Direction != Inbound {
			t.Errorf("picture %d has become %+v", seq, info)
		}
	}
}

// bareLeg is the least a leg can be.
type bareLeg struct{ Line }

func (*bareLeg) ID() LegID         { return "" }
func (*bareLeg) Party() Party      { return Party{} }
func (*bareLeg) Media() Media      { return nil }
func (*bareLeg) Stats() MediaStats { return MediaStats{} }
func (*bareLeg) Ring(bool)         {}
func (*bareLeg) Answer()           {}
func (*bareLeg) Referred(Progress) {}
func (*bareLeg) Hangup(Cause)      {}

// Connected does nothing.
func (*bareLeg) Connected(Party) {}

// Forwarded does nothing.
func (*bareLeg) Forwarded() {}

// Inform does nothing.
func (*bareLeg) Inform(Information) {}
