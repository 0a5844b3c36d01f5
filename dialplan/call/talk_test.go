package call_test

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// talking starts a call in which two parties talk.
func talking(t *testing.T, sw *calltest.Switch) (caller, callee *calltest.Leg, c *call.Call) {
	t.Helper()
	sw.Dialer.Set(2, calltest.Answers(time.Second))
	caller, c = sw.Call(t, invite)
	pass(2 * time.Second)
	wantState(t, c, call.StateTalking)
	legs := sw.Dialer.Legs()
	return caller, legs[len(legs)-1], c
}

// TestTalkEnds: the first to leave ends the talk; the planner is told who.
func TestTalkEnds(t *testing.T) {
	for _, who := range []string{"caller", "callee"} {
		t.Run(who, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var told []call.Outcome
				sw := calltest.New(t, effects(), outcomes(&told, step("ring")))
				caller, callee, c := talking(t, sw)
				first, second := caller, callee
				if who == "callee" {
					first, second = callee, caller
				}
				pass(time.Hour)
				first.HangUp()
				pass(0)
				want := call.Outcome{Branch: "1", Kind: call.OutcomeTalkEnded, Cause: call.CauseNormal, By: first.ID()}
				if len(told) != 2 || told[1] != want {
					t.Errorf("planner was told %+v", told)
				}
				if !second.Told("hangup normal") {
					t.Errorf("the other was told %q", second.Verbs())
				}
				if ended, _ := sw.Ended(c.ID()); ended.By != first.ID() || ended.Cause != call.CauseNormal {
					t.Errorf("ended %+v", ended)
				}
			})
		})
	}
}

// TestTalkEndsForOne: after the talk the planner may go on with who stayed.
func TestTalkEndsForOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		plan := func(call.Invite) call.Planner {
			return calltest.PlannerFunc(func(_ call.Situation, last call.Outcome) call.Decision {
				switch last.Kind {
				case call.OutcomeBegin:
					return call.Decision{Steps: []call.Step{step("ring")}}
				case call.OutcomeTalkEnded:
					return call.Decision{Steps: []call.Step{step("wait"), step("echo")}}
				}
				return call.Decision{}
			})
		}
		sw := calltest.New(t, effects(calltest.Effects{"wait": outcome(call.OutcomeDone)}), plan)
		caller, callee, c := talking(t, sw)
		caller.HangUp()
		pass(0)
		if callee.Hears() != "" {
			t.Errorf("callee hears %q", callee.Hears())
		}
		pass(time.Minute)
		wantState(t, c, call.StateScripted)
		if callee.Hears() != "echo" || c.Info().Step != "echo" {
			t.Errorf("callee hears %q in step %q", callee.Hears(), c.Info().Step)
		}
		callee.HangUp()
		pass(0)
		if ended, _ := sw.Ended(c.ID()); ended.By != callee.ID() {
			t.Errorf("ended %+v", ended)
		}
	})
}

// TestHold: whom the other one holds hears music; with both holding nobody
// hears anything; the last to resume finds the other.
func TestHold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		a, b, c := talking(t, sw)
		joinedA, joinedB := string(b.ID()), string(a.ID())
		const music = "loop music"
		moves := []struct {
			name   string
			do     func()
			hearsA string
			hearsB string
		}{
			{"a holds", a.Hold, "", music},
			{"a holds again", a.Hold, "", music},
			{"b holds too", b.Hold, "", ""},
			{"a resumes", a.Resume, music, ""},
			{"b resumes", b.Resume, joinedA, joinedB},
			{"b holds", b.Hold, music, ""},
			{"b resumes again", b.Resume, joinedA, joinedB},
		}
		for _, m := range moves {
			m.do()
			pass(time.Minute)
			if a.Hears() != m.hearsA || b.Hears() != m.hearsB {
				t.Errorf("%s: a hears %q, b hears %q", m.name, a.Hears(), b.Hears())
			}
		}
		a.Hold()
		b.HangUp()
		pass(0)
		wantStory(t, sw, c, "started leg-started leg-started ringing answered answered held held resumed resumed held resumed held "+
			"leg-ended(normal) leg-ended(normal) ended(normal)")
	})
}

// TestHeldBeforeTalk: a hold from before the talk counts in it.
func TestHeldBeforeTalk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		sw.Dialer.Set(2, calltest.Answers(time.Second))
		caller, _ := sw.Call(t, invite)
		caller.Hold()
		pass(2 * time.Second)
		if callee := sw.Dialer.Legs()[0]; callee.Hears() != "loop music" || caller.Hears() != "" {
			t.Errorf("callee hears %q, caller %q", callee.Hears(), caller.Hears())
		}
	})
}

// TestDigits are events of the call, in order.
func TestDigits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		_, callee, c := talking(t, sw)
		callee.Press("1*#")
		pass(0)
		got := ""
		for _, ev := range sw.Events(c.ID()) {
			if ev.Kind == call.EventDigit && ev.Leg == callee.ID() {
				got += string(ev.Digit)
			}
		}
		if got != "1*#" {
			t.Errorf("digits %q", got)
		}
	})
}

// TestLongestCall: MaxDuration ends a call in whatever state it is.
func TestLongestCall(t *testing.T) {
	for _, name := range []string{"ring", "echo"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sw := calltest.New(t, effects(), calltest.Steps(step(name)))
				sw.Dialer.Set(2, calltest.Answers(time.Second))
				caller, c := sw.Call(t, invite)
				pass(call.DefaultMaxDuration - time.Second)
				if _, ended := sw.Ended(c.ID()); ended {
					t.Fatal("ended early")
				}
				pass(time.Second)
				ended, _ := sw.Ended(c.ID())
				if ended.Cause != call.CauseDuration || ended.By != "" || !caller.Told("hangup duration") {
					t.Errorf("ended %+v, caller told %q", ended, caller.Verbs())
				}
				for _, ev := range sw.Events(c.ID()) {
					if ev.Trace != nil && (ev.Trace.Kind != call.TraceLimit || ev.Trace.Seq != ev.Seq || ev.Trace.At != ev.At) {
						t.Errorf("trace %+v in event %d", ev.Trace, ev.Seq)
					}
				}
			})
		})
	}
}

// TestNoCause: where nobody gave a cause there is one all the same: ours if we
// hung up, else normal.
func TestNoCause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		plan := func(call.Invite) call.Planner {
			return calltest.PlannerFunc(func(_ call.Situation, last call.Outcome) call.Decision {
				if last.Kind == call.OutcomeBegin {
					return call.Decision{Steps: []call.Step{step("ring")}}
				}
				return call.Decision{}
			})
		}
		sw := calltest.New(t, effects(), plan)
		caller, callee, c := talking(t, sw)
		caller.OnHangup = func(l *calltest.Leg, _ call.Cause) { l.Leave("", false) }
		callee.Leave("", true)
		pass(0)
		wantStory(t, sw, c, "started leg-started leg-started ringing answered answered leg-ended(normal) leg-ended(normal) ended(normal)")
		second, c := sw.Call(t, invite)
		second.OnHangup = func(l *calltest.Leg, _ call.Cause) { l.Leave("", false) }
		pass(0)
		c.Hangup(call.CauseForbidden)
		pass(0)
		wantStory(t, sw, c, "started leg-started leg-started ringing leg-ended(forbidden) leg-ended(forbidden) ended(forbidden)")
	})
}
