package call_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// numbers are those of the parties a leg was told of.
func numbers(l *calltest.Leg) (list []string) {
	for _, p := range l.Parties() {
		list = append(list, p.Number)
	}
	return list
}

// TestConnectedParty: a caller learns once whom it rings and talks with; one that
// takes over learns it then, and so does the other.
func TestConnectedParty(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var told []call.Outcome
		sw := calltest.New(t, effects(), outcomes(&told, step("ring")))
		caller, callee, c := talking(t, sw)
		if got := numbers(caller); !slices.Equal(got, []string{"2"}) {
			t.Errorf("caller was told of %q", got)
		}
		if got := numbers(callee); got != nil {
			t.Errorf("the callee was told of %q, which its call began with", got)
		}
		other, _, c2 := talking(t, sw)
		c2.Handover(other.ID(), c)
		pass(0)
		caller.HangUp()
		pass(0)
		if got := numbers(other); !slices.Equal(got, []string{"2", "2"}) && !slices.Equal(got, []string{"2"}) {
			t.Errorf("who took over was told of %q", got)
		}
		callee.HangUp()
		pass(time.Minute)
	})
}

// TestRedirected: the first contact that sends the call on decides; the others
// stop, and the planner learns where it goes.
func TestRedirected(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var told []call.Outcome
		sw := calltest.New(t, effects(), outcomes(&told, step("ring")))
		sw.Dialer.Set(2, calltest.Rings(), calltest.Rings())
		_, c := sw.Call(t, invite)
		pass(time.Second)
		sw.Dialer.Legs()[1].Redirect("103", call.DivertDeflection)
		pass(0)
		if len(told) != 2 || told[1].Kind != call.OutcomeRedirected || told[1].To != "103" || told[1].Why != call.DivertDeflection {
			t.Fatalf("planner was told %+v", told)
		}
		if !sw.Dialer.Legs()[0].Told("hangup redirected") {
			t.Errorf("the other contact was told %q", sw.Dialer.Legs()[0].Verbs())
		}
		if ended, _ := sw.Ended(c.ID()); ended.Cause == "" {
			t.Error("the call goes on")
		}
	})
}

// TestInform: what a phone has for its peer reaches it, and nobody while there is
// none.
func TestInform(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var told []call.Outcome
		sw := calltest.New(t, effects(), outcomes(&told, step("ring")))
		caller, callee, _ := talking(t, sw)
		caller.Report(call.Information{Type: "text/plain", Body: []byte("hello")})
		callee.Report(call.Information{Type: "text/plain", Body: []byte("there")})
		pass(0)
		if !callee.Told("inform text/plain hello") || !caller.Told("inform text/plain there") {
			t.Errorf("told %q and %q", caller.Verbs(), callee.Verbs())
		}
		caller.HangUp()
		pass(time.Minute)
	})
}
