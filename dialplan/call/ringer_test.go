package call_test

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// ringer is ringing as a call does it itself.
type ringer struct{ calltest.EffectFunc }

func (ringer) RingSpec(c *call.Call) call.RingSpec {
	return call.RingSpec{Branch: "1", Extension: 2, From: c.Caller(), Timeout: 20 * time.Second}
}

// TestRinger: a ring without a script goes as one with a script.
func TestRinger(t *testing.T) {
	nothing := func(*calltest.Switch, *calltest.Leg, *call.Call) {}
	tests := []struct {
		name     string
		contacts []calltest.Contact
		during   func(*calltest.Switch, *calltest.Leg, *call.Call) // after a second of ringing
		want     string
	}{
		{"nobody there", nil, nothing, "started leg-started leg-ended(unreachable) ended(unreachable)"},
		{"busy", []calltest.Contact{calltest.Fails(0, call.CauseBusy)}, nothing,
			"started leg-started leg-started leg-ended(busy) leg-ended(busy) ended(busy)"},
		{"nobody answers", []calltest.Contact{calltest.Rings()}, nothing,
			"started leg-started leg-started ringing leg-ended(no_answer) leg-ended(no_answer) ended(no_answer)"},
		{"answered", []calltest.Contact{calltest.Answers(2 * time.Second)},
			func(_ *calltest.Switch, caller *calltest.Leg, _ *call.Call) {
				time.AfterFunc(5*time.Second, caller.HangUp)
			},
			"started leg-started leg-started ringing answered answered leg-ended(normal) leg-ended(normal) ended(normal)"},
		{"caller gives up", []calltest.Contact{calltest.Rings()},
			func(_ *calltest.Switch, caller *calltest.Leg, _ *call.Call) { caller.HangUp() },
			"started leg-started leg-started ringing leg-ended(normal) leg-ended(cancelled) ended(normal)"},
		{"redirected", []calltest.Contact{calltest.Rings()},
			func(_ *calltest.Switch, caller *calltest.Leg, c *call.Call) {
				_ = c.Redirect(step("echo"))
				pass(time.Second)
				caller.HangUp()
			},
			"started leg-started leg-started ringing decided leg-ended(cancelled) answered leg-ended(normal) ended(normal)"},
		{"told to end", []calltest.Contact{calltest.Rings()},
			func(_ *calltest.Switch, _ *calltest.Leg, c *call.Call) { c.Hangup(call.CauseShutdown) },
			"started leg-started leg-started ringing leg-ended(shutdown) leg-ended(shutdown) ended(shutdown)"},
	}
	for _, tt := range tests {
		for how, effect := range map[string]call.Effect{"script": ringing, "loop": ringer{ringing}} {
			t.Run(tt.name+" by "+how, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sw := calltest.New(t, effects(calltest.Effects{"ring": effect}), calltest.Steps(step("ring")))
					sw.Dialer.Set(2, tt.contacts...)
					caller, c := sw.Call(t, invite)
					pass(time.Second)
					tt.during(sw, caller, c)
					pass(time.Minute)
					wantStory(t, sw, c, tt.want)
					wantState(t, c, call.StateEnded)
				})
			})
		}
	}
}
