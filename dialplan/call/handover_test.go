package call_test

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// joined reports whether two parties hear each other.
func joined(a, b *calltest.Leg) bool {
	return a.Hears() == string(b.ID()) && b.Hears() == string(a.ID())
}

// has reports whether a call has the leg among its own.
func has(c *call.Call, l *calltest.Leg) bool {
	for _, info := range c.Info().Legs {
		if info.ID == l.ID() {
			return true
		}
	}
	return false
}

// TestHandoverToScript (park retrieval): a leg that arrives where somebody
// waits talks to that party; the call it left is over.
func TestHandoverToScript(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var ended call.Outcome
		plan := func(call.Invite) call.Planner {
			return calltest.PlannerFunc(func(_ call.Situation, last call.Outcome) call.Decision {
				if last.Kind == call.OutcomeBegin {
					return call.Decision{Steps: []call.Step{step("echo")}}
				}
				ended = last // only the taker's planner is asked again
				return call.Decision{Cause: last.Cause}
			})
		}
		sw := calltest.New(t, effects(), plan)
		a, from := sw.Call(t, invite)
		b, to := sw.Call(t, invite)
		pass(time.Second)
		from.Handover(a.ID(), to)
		pass(0)
		wantState(t, to, call.StateTalking)
		if !joined(a, b) || !has(to, a) || has(from, a) {
			t.Errorf("a hears %q, b hears %q", a.Hears(), b.Hears())
		}
		wantStory(t, sw, from, "started leg-started answered joined ended(normal)")
		wantStory(t, sw, to, "started leg-started answered joined")
		if ev := sw.Events(to.ID())[3]; ev.Other != from.ID() || ev.Leg != a.ID() || ev.Direction != call.Inbound {
			t.Errorf("joined event %+v", ev)
		}
		a.Hold()
		pass(0)
		if b.Hears() != "loop music" {
			t.Error("events of the moved leg do not reach its new call")
		}
		a.HangUp()
		pass(0)
		wantStory(t, sw, to, "started leg-started answered joined held leg-ended(normal) leg-ended(normal) ended(normal)")
		if want := (call.Outcome{Branch: "1", Kind: call.OutcomeTalkEnded, Cause: call.CauseNormal, By: a.ID()}); ended != want {
			t.Errorf("planner was told %+v", ended)
		}
	})
}

// TestHandoverToRing (pickup): the phones stop ringing and the caller talks to
// who picked up, both answered although neither was before.
func TestHandoverToRing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		plan := func(inv call.Invite) call.Planner {
			if inv.Dialled == "pickup" {
				return calltest.Steps(step("wait"))(inv)
			}
			return calltest.Steps(step("ring"))(inv)
		}
		sw := calltest.New(t, effects(calltest.Effects{"wait": outcome(call.OutcomeBusy)}), plan)
		sw.Dialer.Set(2, calltest.Rings(), calltest.AnswersLate())
		caller, c := sw.Call(t, invite)
		picker, p := sw.Call(t, call.Invite{Client: 1, Dialled: "pickup"})
		pass(500 * time.Millisecond)
		p.Handover(picker.ID(), c)
		pass(0)
		wantVerbs(t, caller, "ring", "answer")
		wantVerbs(t, picker, "answer")
		wantVerbs(t, sw.Dialer.Legs()[0], "hangup answered_elsewhere")
		wantVerbs(t, sw.Dialer.Legs()[1], "hangup answered_elsewhere", "hangup answered_elsewhere")
		if !joined(caller, picker) {
			t.Errorf("caller hears %q", caller.Hears())
		}
		caller.HangUp()
		pass(0)
	})
}

// TestHandoverToTalk (attended transfer): the third party waits beside the talk
// and takes the place of the one who leaves.
func TestHandoverToTalk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var told []call.Outcome
		sw := calltest.New(t, effects(), outcomes(&told, step("ring")))
		a1, b, first := talking(t, sw)
		a2, c, second := talking(t, sw)
		told = nil
		first.Handover(b.ID(), second)
		pass(0)
		if !joined(a2, c) || b.Hears() != "" || a1.Gone() != true {
			t.Errorf("a2 hears %q, b hears %q, a1 gone %v", a2.Hears(), b.Hears(), a1.Gone())
		}
		if len(told) != 1 || told[0].Kind != call.OutcomeTalkEnded || told[0].By != b.ID() {
			t.Errorf("planner of the first call was told %+v", told)
		}
		a2.HangUp()
		pass(0)
		wantState(t, second, call.StateTalking)
		if !joined(b, c) {
			t.Errorf("b hears %q, c hears %q", b.Hears(), c.Hears())
		}
		b.HangUp()
		pass(0)
		if !c.Gone() {
			t.Error("the last party is left")
		}
	})
}

// TestHandoverRefused: the leg stays where it is, and that is counted.
func TestHandoverRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		a, b, c := talking(t, sw)
		sw.Dialer.Set(2, calltest.Rings())
		_, ringing := sw.Call(t, invite)
		ending, e := sw.Call(t, invite)
		ended, d := sw.Call(t, invite)
		pass(0)
		legs := sw.Dialer.Legs()
		ending.OnHangup = func(l *calltest.Leg, cause call.Cause) { time.AfterFunc(time.Second, func() { l.Leave(cause, false) }) }
		e.Hangup(call.CauseNormal)
		ended.HangUp()
		pass(0)
		tries := map[string]func(){
			"to itself":              func() { c.Handover(a.ID(), c) },
			"not there":              func() { c.Handover("nobody", ringing) },
			"of a ringing phone":     func() { ringing.Handover(legs[1].ID(), c) },
			"to an ending call":      func() { c.Handover(a.ID(), e) },
			"to an ended call":       func() { c.Handover(a.ID(), d) },
			"from an ended call":     func() { d.Handover(ended.ID(), c) },
			"of a leg being hung up": func() { e.Handover(ending.ID(), c) },
		}
		for name, try := range tries {
			before := sw.Stats().Refused[call.RefusedHandover]
			try()
			pass(0)
			if n := sw.Stats().Refused[call.RefusedHandover] - before; n != 1 {
				t.Errorf("%s: counted %d times", name, n)
			}
			if !joined(a, b) || !has(c, a) || len(c.Info().Legs) != 2 {
				t.Fatalf("%s: the talk changed: %+v", name, c.Info())
			}
		}
	})
}

// TestHandoverTwice: a leg promised to one call is not offered to another; if
// the first says no, it can be.
func TestHandoverTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")))
		a, from := sw.Call(t, invite)
		b, one := sw.Call(t, invite)
		_, two := sw.Call(t, invite)
		pass(0)
		gate := make(chan struct{})
		one.Stall(gate)
		from.Handover(a.ID(), one)
		from.Handover(a.ID(), two)
		pass(0)
		if n := sw.Stats().Refused[call.RefusedHandover]; n != 1 || !has(from, a) {
			t.Errorf("%d refused, giver has it: %v", n, has(from, a))
		}
		b.OnHangup = func(l *calltest.Leg, cause call.Cause) { time.AfterFunc(time.Second, func() { l.Leave(cause, false) }) }
		one.Hangup(call.CauseNormal)
		close(gate)
		pass(0)
		// The offer came first, so one took the leg and then ended with it.
		if !a.Gone() || has(two, a) {
			t.Errorf("a gone %v, two has it %v", a.Gone(), has(two, a))
		}
		c, from := sw.Call(t, invite)
		pass(0)
		from.Handover(c.ID(), one) // ending: says no
		pass(0)
		from.Handover(c.ID(), two)
		pass(0)
		if !has(two, c) {
			t.Error("a refused leg can not be offered again")
		}
	})
}

// offering returns a giver that has offered a leg and a taker that has said yes,
// with the giver's loop standing still before it hears that, until the returned
// function lets it go on.
func offering(t *testing.T, sw *calltest.Switch) (leg *calltest.Leg, giver, taker *call.Call, goOn func()) {
	t.Helper()
	leg, giver = sw.Call(t, invite)
	_, taker = sw.Call(t, invite)
	pass(0)
	before, after := make(chan struct{}), make(chan struct{})
	giver.Stall(before)
	giver.Handover(leg.ID(), taker)
	giver.Stall(after)
	close(before)
	pass(0)
	return leg, giver, taker, func() { close(after); pass(0) }
}

// TestTakerEnds (rule 6): a taker that is told to end after it said yes does
// not finish before the leg has come, and then hangs it up.
func TestTakerEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")))
		leg, giver, taker, goOn := offering(t, sw)
		taker.Hangup(call.CauseForbidden)
		pass(time.Second)
		if taker.Info().State != call.StateEnding || len(taker.Info().Legs) != 0 {
			t.Fatalf("taker: %+v", taker.Info())
		}
		goOn()
		wantVerbs(t, leg, "answer", "hangup forbidden")
		wantStory(t, sw, giver, "started leg-started answered joined ended(normal)")
		wantStory(t, sw, taker, "started leg-started answered leg-ended(forbidden) joined leg-ended(forbidden) ended(forbidden)")
	})
}

// TestGiverEnds (rule 6): the leg stays the giver's until it has heard the yes,
// so a giver that ends before hangs it up, and the taker stops waiting.
func TestGiverEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")))
		leg, giver := sw.Call(t, invite)
		_, taker := sw.Call(t, invite)
		pass(0)
		before, after := make(chan struct{}), make(chan struct{})
		giver.Stall(before)
		giver.Handover(leg.ID(), taker)
		giver.Hangup(call.CauseForbidden) // between the offer and the yes
		giver.Stall(after)
		close(before)
		pass(0)
		taker.Hangup(call.CauseBusy)
		close(after)
		pass(0)
		wantVerbs(t, leg, "answer", "hangup forbidden")
		wantStory(t, sw, giver, "started leg-started answered leg-ended(forbidden) ended(forbidden)")
		wantStory(t, sw, taker, "started leg-started answered leg-ended(busy) ended(busy)")
		if n := sw.Stats().Refused[call.RefusedHandover]; n != 1 {
			t.Errorf("counted %d times", n)
		}
	})
}

// TestEventFollowsLeg (rule 6): events posted to the giver before the leg moved
// reach the taker, the last one included.
func TestEventFollowsLeg(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")))
		leg, giver, taker, goOn := offering(t, sw)
		leg.Hold()
		leg.Press("7")
		leg.HangUp()
		goOn()
		wantStory(t, sw, giver, "started leg-started answered joined ended(normal)")
		wantStory(t, sw, taker, "started leg-started answered joined held leg-digit leg-ended(normal) leg-ended(normal) ended(normal)")
	})
}

// TestTakerGivesUp: a giver so late that the taker has stopped waiting keeps
// the leg and its events.
func TestTakerGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")))
		leg, giver, taker, goOn := offering(t, sw)
		taker.Hangup(call.CauseForbidden)
		pass(call.LingerLimit)
		wantState(t, taker, call.StateEnded)
		goOn()
		leg.Hold()
		pass(0)
		if !has(giver, leg) || leg.Hears() != "echo" || sw.Stats().Refused[call.RefusedHandover] != 1 {
			t.Errorf("leg hears %q, stats %+v", leg.Hears(), sw.Stats())
		}
		wantStory(t, sw, giver, "started leg-started answered held")
	})
}
