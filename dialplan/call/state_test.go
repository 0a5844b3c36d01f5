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

// TestTimerGeneration: an expiry that was already in the mailbox when its timer
// was stopped or set again is ignored (rule 7).
func TestTimerGeneration(t *testing.T) {
	r := NewRegistry(Config{})
	c := newCall(r, &bareLeg{}, Invite{})
	var tm timer
	fired := ""
	c.arm(&tm, time.Hour, func() { fired += "first " })
	late := &expiry{timer: &tm, generation: tm.generation, expired: func() { fired += "late " }}
	c.arm(&tm, time.Hour, func() { fired += "second " })
	current := &expiry{timer: &tm, generation: tm.generation, expired: func() { fired += "current " }}
	late.handle(c)
	current.handle(c)
	current.handle(c) // a duplicate is late, too
	if fired != "current " {
		t.Errorf("fired %q", fired)
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
