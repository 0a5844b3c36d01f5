package call_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// held stops a call between what do posts to it and all that comes later, until go
// on is called.
func held(c *call.Call, do func()) (goOn func()) {
	before, after := make(chan struct{}), make(chan struct{})
	c.Stall(before)
	synctest.Wait()
	do()
	c.Stall(after)
	close(before)
	synctest.Wait()
	return func() { close(after); synctest.Wait() }
}

// TestAttendedTargetHangsUpMeanwhile: the conversation that was to take the
// transferee ends when it has said yes. The transferor hears of it and does not wait.
func TestAttendedTargetHangsUpMeanwhile(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		by2, c, _ := x.talk(by.Party(), "103")
		goOn := held(x.first, func() { by.Refer(call.Refer{Leg: by2.ID()}) })
		c.HangUp()
		by2.HangUp()
		goOn()
		pass(3 * time.Second)
		if !by.Told("referred failed no_call") || !by.Gone() || !other.Gone() {
			x.Errorf("told %q, gone %v and %v", by.Verbs(), by.Gone(), other.Gone())
		}
	})
}

// TestReturnCrossesTheEnd: both conversations end while the party is offered back.
func TestReturnCrossesTheEnd(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		x.sw.Dialer.Set(4, calltest.Fails(time.Second, call.CauseBusy))
		by.Refer(call.Refer{To: "104"})
		gate := make(chan struct{})
		x.first.Stall(gate)
		by.HangUp()
		pass(2 * time.Second)                               // the offer is behind that
		other.OnHangup = func(*calltest.Leg, call.Cause) {} // takes its time
		x.call(other).Hangup(call.CauseShutdown)
		pass(0)
		close(gate)
		pass(0)
		other.HangUp()
	})
}

// TestReturnOfSomebodyPromised: the party cannot go back because it has gone
// elsewhere, so nobody waits for it.
func TestReturnOfSomebodyPromised(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		_, c, elsewhere := x.talk(call.Party{Extension: 9, Number: "109"}, "103")
		x.sw.Dialer.Set(4, calltest.Fails(time.Second, call.CauseBusy))
		by.Refer(call.Refer{To: "104"})
		pass(0)
		gate := make(chan struct{})
		elsewhere.Stall(gate)
		x.call(other).Handover(other.ID(), elsewhere)
		pass(1500 * time.Millisecond)
		close(gate)
		pass(3 * time.Second)
		if !by.Told("referred failed busy") || !by.Gone() || x.call(other) != elsewhere {
			x.Errorf("told %q", by.Verbs())
		}
		c.HangUp()
		other.HangUp()
	})
}

// TestReferWhileSomebodyComes: one transfer or handover at a time.
func TestReferWhileSomebodyComes(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		_, c, second := x.talk(call.Party{Extension: 9, Number: "109"}, "103")
		goOn := held(second, func() { second.Handover(c.ID(), x.first) })
		by.Refer(call.Refer{To: "104"})
		pass(0)
		goOn()
		pass(0)
		x.wantTalk(by, other)
		if !by.Told("referred failed rejected") || x.call(c) != x.first {
			x.Errorf("told %q", by.Verbs())
		}
		by.HangUp()
		pass(0)
		x.wantTalk(other, c)
		c.HangUp()
	})
}

// TestCodeInVain: a transfer by keys that cannot be done leaves the talk as it was.
func TestCodeInVain(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		_, c, second := x.talk(call.Party{Extension: 9, Number: "109"}, "103")
		by.Press("#1")
		pass(time.Second)
		second.Handover(c.ID(), x.first) // waits beside the talk
		pass(0)
		by.Press("104#")
		pass(0)
		x.wantTalk(by, other)
		by.HangUp()
		c.HangUp()
	})
}
