package call_test

import (
	"context"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestRingOutcome: what a ring reports when nobody answers is the best that any
// contact gave.
func TestRingOutcome(t *testing.T) {
	busy := calltest.Fails(time.Second, call.CauseBusy)
	rejected := calltest.Fails(2*time.Second, call.CauseRejected)
	unreachable := calltest.Fails(3*time.Second, call.CauseUnreachable)
	codec := calltest.Fails(time.Second, call.CauseNotAcceptable)
	noAnswer := calltest.Fails(4*time.Second, call.CauseNoAnswer)
	protocol := calltest.Fails(time.Second, call.CauseProtocol)
	tests := []struct {
		name     string
		contacts []calltest.Contact
		kind     call.OutcomeKind
		cause    call.Cause
		after    time.Duration
	}{
		{"no contact", nil, call.OutcomeUnreachable, call.CauseUnreachable, 0},
		{"busy", []calltest.Contact{busy}, call.OutcomeBusy, call.CauseBusy, time.Second},
		{"busy over rejected", []calltest.Contact{rejected, busy}, call.OutcomeBusy, call.CauseBusy, 2 * time.Second},
		{"rejected over no answer", []calltest.Contact{noAnswer, rejected}, call.OutcomeRejected, call.CauseRejected, 4 * time.Second},
		{"no answer over unreachable", []calltest.Contact{unreachable, noAnswer}, call.OutcomeNoAnswer, call.CauseNoAnswer, 4 * time.Second},
		{"failed over unreachable", []calltest.Contact{unreachable, codec}, call.OutcomeFailed, call.CauseNotAcceptable, 3 * time.Second},
		{"broken protocol is unreachable", []calltest.Contact{protocol}, call.OutcomeUnreachable, call.CauseProtocol, time.Second},
		{"timeout", []calltest.Contact{calltest.Rings(), calltest.Silent()}, call.OutcomeNoAnswer, call.CauseNoAnswer, 20 * time.Second},
		{"timeout after unreachable", []calltest.Contact{unreachable, calltest.Rings()}, call.OutcomeNoAnswer, call.CauseNoAnswer, 20 * time.Second},
		{"timeout after busy", []calltest.Contact{busy, calltest.Rings()}, call.OutcomeBusy, call.CauseBusy, 20 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var told []call.Outcome
				sw := calltest.New(t, effects(), outcomes(&told, step("ring")))
				sw.Dialer.Set(2, tt.contacts...)
				began := time.Now()
				caller, c := sw.Call(t, invite)
				pass(time.Minute)
				if len(told) != 2 || told[1].Kind != tt.kind || told[1].Cause != tt.cause || told[1].Branch != "1" {
					t.Fatalf("planner was told %+v", told)
				}
				ended, ok := sw.Ended(c.ID())
				if !ok || ended.Cause != tt.cause || ended.By != "" || ended.At.Sub(began) != tt.after {
					t.Errorf("ended %+v after %v", ended, ended.At.Sub(began))
				}
				if !caller.Told("hangup " + string(tt.cause)) {
					t.Errorf("caller was told %q", caller.Verbs())
				}
				for _, l := range sw.Dialer.Legs() {
					if !l.Gone() {
						t.Error("a called leg is left")
					}
				}
			})
		})
	}
}

// TestRingAnswered: all ring, the first answer wins, the others are told so.
func TestRingAnswered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring"), step("echo")))
		sw.Dialer.Set(2, calltest.Answers(5*time.Second), calltest.Answers(3*time.Second), calltest.Silent())
		caller, c := sw.Call(t, invite)
		pass(time.Second)
		wantState(t, c, call.StateRinging)
		wantVerbs(t, caller, "ring")
		if to := sw.Dialer.Targets()[0]; to.Client != 1 || to.Extension != 2 || to.From != invite.From || to.Peer != caller.Media() {
			t.Errorf("dialled %+v", to)
		}
		pass(10 * time.Second)
		wantState(t, c, call.StateTalking)
		wantVerbs(t, caller, "ring", "answer")
		legs := sw.Dialer.Legs()
		wantVerbs(t, legs[0], "hangup answered_elsewhere")
		wantVerbs(t, legs[1])
		wantVerbs(t, legs[2], "hangup answered_elsewhere")
		if caller.Hears() != string(legs[1].ID()) || legs[1].Hears() != string(caller.ID()) {
			t.Errorf("caller hears %q, callee %q", caller.Hears(), legs[1].Hears())
		}
		if info := c.Info(); info.Step != "" || info.Answered.Sub(info.Started) != 3*time.Second || len(info.Legs) != 2 {
			t.Errorf("info %+v", info)
		}
		pass(time.Minute) // past the ring's timeout
		wantState(t, c, call.StateTalking)
		caller.HangUp()
		pass(0)
		wantVerbs(t, legs[1], "hangup normal")
		wantStory(t, sw, c, "started leg-started leg-started leg-started leg-started ringing ringing answered answered "+
			"leg-ended(answered_elsewhere) leg-ended(answered_elsewhere) leg-ended(normal) leg-ended(normal) ended(normal)")
		if ended, _ := sw.Ended(c.ID()); ended.By != caller.ID() {
			t.Errorf("ended by %q", ended.By)
		}
	})
}

// TestLateWinner: a 200 that crosses our CANCEL is hung up, not leaked: after
// another contact won, after the timeout, after the caller gave up.
func TestLateWinner(t *testing.T) {
	tests := map[string]struct {
		other  calltest.Contact
		giveUp time.Duration
		want   string
	}{
		"after another won":    {calltest.Answers(time.Second), 0, "hangup answered_elsewhere"},
		"after the timeout":    {calltest.Silent(), 0, "hangup no_answer"},
		"after caller gave up": {calltest.Silent(), 5 * time.Second, "hangup cancelled"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
				sw.Dialer.Set(2, calltest.AnswersLate(), tt.other)
				caller, c := sw.Call(t, invite)
				if tt.giveUp > 0 {
					pass(tt.giveUp)
					caller.Leave(call.CauseCancelled, true)
				}
				pass(30 * time.Second)
				late := sw.Dialer.Legs()[0]
				wantVerbs(t, late, tt.want, tt.want)
				if !late.Gone() {
					t.Error("the late winner is left")
				}
				caller.HangUp()
				pass(0)
				if _, ok := sw.Ended(c.ID()); !ok {
					t.Error("call has not ended")
				}
			})
		})
	}
}

// TestCallerGivesUp: legs that ring are cancelled when the caller leaves, and
// the script's ctx says that the call has ended.
func TestCallerGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var cause error
		rings := calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			_, cause = c.Ring(ctx, call.RingSpec{Extension: 2})
			return call.Outcome{}, cause
		})
		sw := calltest.New(t, calltest.Effects{"ring": rings}, calltest.Steps(step("ring")))
		sw.Dialer.Set(2, calltest.Rings(), calltest.Rings())
		caller, c := sw.Call(t, invite)
		pass(time.Hour) // no timeout of its own
		wantState(t, c, call.StateRinging)
		caller.Leave(call.CauseCancelled, true)
		pass(0)
		for _, l := range sw.Dialer.Legs() {
			wantVerbs(t, l, "hangup cancelled")
		}
		if cause != call.ErrEnded {
			t.Errorf("script was stopped by %v", cause)
		}
		if ended, _ := sw.Ended(c.ID()); ended.Cause != call.CauseCancelled || ended.By != caller.ID() {
			t.Errorf("ended %+v", ended)
		}
		if s := sw.Stats(); s.Faults != 0 || s.Panics != 0 || s.Ended[call.CauseCancelled] != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestEarlyMedia: the caller hears the first contact that sends audio, keeps
// hearing it while others do too, and hears nothing when it drops out.
func TestEarlyMedia(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		early := func(l *calltest.Leg) { l.EarlyMedia(); l.Ringing() }
		sw.Dialer.Set(2, early, early, calltest.EarlyThenAnswers(9*time.Second))
		caller, c := sw.Call(t, invite)
		pass(time.Second)
		legs := sw.Dialer.Legs()
		wantVerbs(t, caller, "ring early")
		if caller.Hears() != string(legs[0].ID()) {
			t.Errorf("caller hears %q", caller.Hears())
		}
		legs[0].Leave(call.CauseBusy, true)
		pass(time.Second)
		if caller.Hears() != "" {
			t.Errorf("caller still hears %q", caller.Hears())
		}
		pass(10 * time.Second)
		wantState(t, c, call.StateTalking)
		if caller.Hears() != string(legs[2].ID()) {
			t.Errorf("caller hears %q", caller.Hears())
		}
		wantVerbs(t, caller, "ring early", "answer")
	})
}

// TestRingAbandoned: an effect may limit a ring by its own ctx; then the legs
// are cancelled and the script can go on with the caller.
func TestRingAbandoned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		short := calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			limited, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			if _, err := c.Ring(limited, call.RingSpec{Extension: 2}); err != context.DeadlineExceeded {
				t.Errorf("ring ended with %v", err)
			}
			time.Sleep(time.Second)
			return echoing(ctx, c)
		})
		sw := calltest.New(t, calltest.Effects{"short": short}, calltest.Steps(step("short")))
		sw.Dialer.Set(2, calltest.EarlyThenAnswers(time.Hour))
		caller, c := sw.Call(t, invite)
		pass(5500 * time.Millisecond)
		if caller.Hears() != "" {
			t.Errorf("caller hears %q", caller.Hears())
		}
		pass(time.Second)
		wantState(t, c, call.StateScripted)
		wantVerbs(t, sw.Dialer.Legs()[0], "hangup cancelled")
		wantVerbs(t, caller, "ring early", "answer")
		if caller.Hears() != "echo" {
			t.Errorf("caller hears %q", caller.Hears())
		}
	})
}

// TestSequentialRings: an outcome that is not done goes to the planner, which
// may ring somebody else.
func TestSequentialRings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var told []call.OutcomeKind
		plan := func(call.Invite) call.Planner {
			return calltest.PlannerFunc(func(_ call.Situation, last call.Outcome) call.Decision {
				told = append(told, last.Kind)
				if len(told) <= 2 {
					return call.Decision{Steps: []call.Step{step("ring"), step("echo")}}
				}
				return call.Decision{Cause: call.CauseNormal}
			})
		}
		sw := calltest.New(t, effects(), plan)
		sw.Dialer.Set(2, calltest.Fails(time.Second, call.CauseBusy))
		_, c := sw.Call(t, invite)
		time.Sleep(500 * time.Millisecond)
		sw.Dialer.Set(2, calltest.Answers(time.Second))
		pass(3 * time.Second)
		wantState(t, c, call.StateTalking)
		sw.Dialer.Legs()[1].HangUp()
		pass(0)
		want := []call.OutcomeKind{call.OutcomeBegin, call.OutcomeBusy, call.OutcomeTalkEnded}
		if len(told) != 3 || told[0] != want[0] || told[1] != want[1] || told[2] != want[2] {
			t.Errorf("planner was told %v", told)
		}
	})
}

// TestHangupWhileRinging: an end that would be normal in a talk is a
// cancellation for phones that ring; any other cause is passed on.
func TestHangupWhileRinging(t *testing.T) {
	for cause, want := range map[call.Cause]string{
		call.CauseNormal:   "hangup cancelled",
		call.CauseShutdown: "hangup shutdown",
	} {
		t.Run(string(cause), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
				sw.Dialer.Set(2, calltest.Rings())
				caller, c := sw.Call(t, invite)
				pass(time.Second)
				c.Hangup(cause)
				pass(0)
				wantVerbs(t, sw.Dialer.Legs()[0], want)
				wantVerbs(t, caller, "ring", "hangup "+string(cause))
			})
		})
	}
}

// TestTimeoutThenOn: after a timeout the phones are silent although the call
// goes on.
func TestTimeoutThenOn(t *testing.T) {
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
		sw.Dialer.Set(2, calltest.Rings(), calltest.EarlyThenAnswers(time.Hour))
		caller, _ := sw.Call(t, invite)
		pass(time.Minute)
		for _, l := range sw.Dialer.Legs() {
			wantVerbs(t, l, "hangup no_answer")
		}
		if caller.Hears() != "echo" {
			t.Errorf("caller hears %q", caller.Hears())
		}
	})
}

// TestScriptLeavesRing: an effect that returns while its ring goes on gets its
// phones silenced; its outcome counts.
func TestScriptLeavesRing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		careless := calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			go ringing(ctx, c) // ends with the script's ctx
			time.Sleep(time.Second)
			return call.Outcome{Kind: call.OutcomeBusy, Cause: call.CauseBusy}, nil
		})
		var told []call.Outcome
		sw := calltest.New(t, calltest.Effects{"careless": careless}, outcomes(&told, step("careless")))
		sw.Dialer.Set(2, calltest.Rings())
		caller, _ := sw.Call(t, invite)
		pass(2 * time.Second)
		wantVerbs(t, sw.Dialer.Legs()[0], "hangup cancelled")
		if len(told) != 2 || told[1].Kind != call.OutcomeBusy || !caller.Told("hangup busy") {
			t.Errorf("planner was told %+v", told)
		}
	})
}
