package call_test

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestHangupLeg: a leg hung up from outside ends as if its party had hung up,
// whatever the call is doing, and whoever waits for it is told.
func TestHangupLeg(t *testing.T) {
	for _, tt := range []struct {
		name   string
		phone  calltest.Contact
		effect string
		callee bool
		verb   string // the leg was told
		want   string // the last events
		by     bool   // the call ended by that leg
	}{
		{"the caller while the phone rings", calltest.Rings(), "ring", false, "hangup cancelled",
			"started leg-started leg-started ringing leg-ended(cancelled) leg-ended(cancelled) ended(cancelled)", true},
		{"the phone while it rings", calltest.Rings(), "ring", true, "hangup rejected",
			"started leg-started leg-started ringing leg-ended(rejected) leg-ended(rejected) ended(rejected)", false},
		{"the caller in a talk", calltest.Answers(0), "ring", false, "hangup normal",
			"started leg-started leg-started ringing answered answered leg-ended(normal) leg-ended(normal) ended(normal)", true},
		{"the called party in a talk", calltest.Answers(0), "ring", true, "hangup normal",
			"started leg-started leg-started ringing answered answered leg-ended(normal) leg-ended(normal) ended(normal)", true},
		{"a caller who hears an echo", nil, "echo", false, "hangup normal",
			"started leg-started answered leg-ended(normal) ended(normal)", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sw := calltest.New(t, effects(), calltest.Steps(step(tt.effect)))
				sw.Dialer.Set(2, tt.phone)
				leg, c := sw.Call(t, invite)
				pass(time.Second)
				if tt.callee {
					leg = sw.Dialer.Legs()[0]
				}
				found, ok := sw.CallOf(leg.ID())
				if !ok || found != c {
					t.Fatal("the call of the leg is not found")
				}
				found.HangupLeg(leg.ID(), call.CauseNormal)
				found.HangupLeg(leg.ID(), call.CauseForbidden) // it is leaving already
				pass(0)
				wantStory(t, sw, c, tt.want)
				if !leg.Told(tt.verb) || leg.Told("hangup forbidden") {
					t.Errorf("the leg was told %q", leg.Verbs())
				}
				if ended, _ := sw.Ended(c.ID()); (ended.By == leg.ID()) != tt.by {
					t.Errorf("ended by %q", ended.By)
				}
				if _, ok := sw.CallOf(leg.ID()); ok || sw.SeatedLegs() != 0 {
					t.Error("a leg that is gone is found")
				}
				found.HangupLeg(leg.ID(), call.CauseNormal) // the call has ended
			})
		})
	}
}

// TestHangupLegStays: the party that is left goes on as after any other end.
func TestHangupLegStays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		plan := func(call.Invite) call.Planner {
			return calltest.PlannerFunc(func(_ call.Situation, last call.Outcome) call.Decision {
				if last.Kind == call.OutcomeBegin {
					return call.Decision{Steps: []call.Step{step("ring")}}
				}
				return call.Decision{Steps: []call.Step{step("echo")}}
			})
		}
		sw := calltest.New(t, effects(), plan)
		caller, callee, c := talking(t, sw)
		c.HangupLeg("no such leg", call.CauseNormal)
		c.HangupLeg(callee.ID(), call.CauseNormal)
		pass(0)
		wantState(t, c, call.StateScripted)
		if caller.Hears() != "echo" || caller.Gone() || !callee.Gone() {
			t.Errorf("the caller hears %q", caller.Hears())
		}
	})
}

// TestCallOf follows a leg from call to call.
func TestCallOf(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")))
		leg, from := sw.Call(t, invite)
		other, to := sw.Call(t, invite)
		pass(0)
		from.Handover(leg.ID(), to)
		pass(0)
		for _, l := range []*calltest.Leg{leg, other} {
			if c, ok := sw.CallOf(l.ID()); !ok || c != to {
				t.Errorf("found in %v", c.Info())
			}
		}
		if n := sw.SeatedLegs(); n != 2 {
			t.Errorf("%d legs are listed", n)
		}
	})
}

// TestCallOfAbandoned: a leg that never says that it has gone is not listed for ever.
func TestCallOfAbandoned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")))
		leg, c := sw.Call(t, invite)
		leg.OnHangup = func(*calltest.Leg, call.Cause) {}
		pass(0)
		c.Hangup(call.CauseNormal)
		pass(call.LingerLimit)
		if n := sw.SeatedLegs(); n != 0 {
			t.Errorf("%d legs are listed", n)
		}
	})
}

// TestEndWhere ends the calls of one extension and leaves the others alone.
func TestEndWhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		sw.Dialer.Set(2, calltest.Rings())
		_, called := sw.Call(t, invite) // rings extension 2
		pass(0)
		sw.Dialer.Set(2, calltest.Silent())
		echo := invite
		echo.From.Extension = 3
		other, err := sw.Start(calltest.NewLeg(echo.From), echo)
		if err != nil {
			t.Fatal(err)
		}
		pass(0)
		if n := sw.EndWhere(func(i *call.Info) bool { return i.Involves(7) }, call.CauseForbidden); n != 0 {
			t.Errorf("%d calls of nobody", n)
		}
		if n := sw.EndWhere(func(i *call.Info) bool { return i.Involves(1) }, call.CauseForbidden); n != 1 {
			t.Errorf("%d calls of extension 1", n)
		}
		pass(0)
		if ended, ok := sw.Ended(called.ID()); !ok || ended.Cause != call.CauseForbidden {
			t.Errorf("ended %v: %+v", ok, ended)
		}
		wantState(t, other, call.StateRinging)
		if n := sw.EndWhere(func(i *call.Info) bool { return i.Client == 1 && i.Involves(2) }, call.CauseForbidden); n != 1 {
			t.Errorf("%d calls of the called extension", n)
		}
	})
}

// TestOthers: while it rings the caller sees the phones and they the caller;
// in a talk the two see each other, and who waits beside it nobody.
func TestOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		sw.Dialer.Set(2, calltest.Answers(time.Second), calltest.Rings())
		caller, c := sw.Call(t, invite)
		pass(0)
		winner, loser := sw.Dialer.Legs()[0], sw.Dialer.Legs()[1]
		others := func(l *calltest.Leg, want ...*calltest.Leg) {
			t.Helper()
			got := c.Info().Others(l.ID())
			if len(got) != len(want) {
				t.Fatalf("%d others: %+v", len(got), got)
			}
			for i := range want {
				if got[i].ID != want[i].ID() {
					t.Errorf("%d is %+v", i, got[i])
				}
			}
		}
		others(caller, winner, loser)
		others(winner, caller)
		if l, ok := c.Info().Leg(caller.ID()); !ok || !l.Answered.IsZero() {
			t.Errorf("before the answer: %+v", l)
		}
		pass(time.Second)
		others(caller, winner)
		others(winner, caller)
		others(loser)
		l, ok := c.Info().Leg(caller.ID())
		if !ok || l.Answered.Sub(l.Started) != time.Second || l.Peer != winner.ID() {
			t.Errorf("after the answer: %+v", l)
		}
		guest, from := sw.Call(t, invite)
		pass(0)
		from.Handover(guest.ID(), c)
		pass(0)
		others(guest)
		others(caller, winner)
		if _, ok := c.Info().Leg(loser.ID()); ok {
			t.Error("a leg that is gone is shown")
		}
	})
}
