package call_test

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestTakeOver: a new caller takes the place of a party that talks, or of a phone
// that rings.
func TestTakeOver(t *testing.T) {
	eachSide(t, func(x *transfers, old, other *calltest.Leg) {
		d, c := x.sw.Call(x, call.Invite{Client: 1, From: call.Party{Extension: 4, Number: "104"}, Replaces: &call.Replaced{Leg: old.ID()}})
		pass(0)
		x.wantTalk(d, other)
		wantVerbs(x.T, d, "answer")
		if !old.Gone() || x.call(d) != x.first || c.Info().State != call.StateEnded {
			x.Errorf("old gone %v", old.Gone())
		}
		d.HangUp()
	})
	inTransfers(t, func(x *transfers) {
		x.sw.Dialer.Set(3, calltest.Rings(), calltest.Rings())
		caller, first := x.sw.Call(x, call.Invite{Client: 1, From: call.Party{Extension: 4, Number: "104"}, Dialled: "103"})
		pass(time.Second)
		ringing := x.last()
		d, _ := x.sw.Call(x, call.Invite{Client: 1, From: call.Party{Extension: 5, Number: "105"}, Replaces: &call.Replaced{Leg: ringing.ID()}})
		pass(0)
		x.wantTalk(caller, d)
		if !ringing.Told("hangup answered_elsewhere") || x.call(d) != first {
			t.Errorf("told %q", ringing.Verbs())
		}
		d.HangUp()
		x.a.HangUp()
	})
}

func TestTakeOverRefused(t *testing.T) {
	inTransfers(t, func(x *transfers) {
		for _, inv := range []call.Invite{
			{Client: 1, Replaces: &call.Replaced{Leg: "nobody"}},
			{Client: 2, Replaces: &call.Replaced{Leg: x.a.ID()}},
		} {
			d, c := x.sw.Call(x, inv)
			pass(0)
			if end, _ := x.sw.Ended(c.ID()); end.Cause != call.CauseNoCall || !d.Told("hangup no_call") {
				t.Errorf("ended %+v", end)
			}
		}
		x.wantTalk(x.a, x.b)
		x.a.HangUp()
	})
}

// TestBlindByKeys: the party that presses hears a tone and its peer music.
func TestBlindByKeys(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		by.Press("##1")
		pass(0)
		if by.Hears() != "play beep" || other.Hears() != "loop music" {
			x.Errorf("hear %q and %q", by.Hears(), other.Hears())
		}
		by.Press("103#")
		pass(time.Second)
		if other.Hears() != "loop ringback" {
			x.Errorf("hears %q", other.Hears())
		}
		pass(4 * time.Second)
		x.wantTalk(other, x.last())
		pass(2 * time.Second)
		if !by.Gone() {
			x.Error("the transferor is left")
		}
		other.HangUp()
	})
}

// TestBlindBySpeedDial: code and number are pressed at once, before anything could
// gather them.
func TestBlindBySpeedDial(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		by.Press("#1103#")
		pass(5 * time.Second)
		x.wantTalk(other, x.last())
		other.HangUp()
	})
}

// TestKeysGivenUp: no number, or a pause within the code, and the talk goes on.
func TestKeysGivenUp(t *testing.T) {
	for _, keys := range []string{"#1", "#1#", "*2#"} {
		eachSide(t, func(x *transfers, by, other *calltest.Leg) {
			by.Press(keys)
			pass(7 * time.Second)
			x.wantTalk(by, other)
			by.Press("#")
			pass(2 * time.Second)
			by.Press("1")
			pass(0)
			x.wantTalk(by, other)
			by.HangUp()
		})
	}
}

// TestKeysPartyLeaves: whoever hangs up while a number is entered ends the call.
func TestKeysPartyLeaves(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		by.Press("#110")
		pass(0)
		other.HangUp()
		pass(0)
		if !by.Gone() {
			x.Error("who pressed is left")
		}
	})
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		by.Press("#110")
		pass(0)
		by.HangUp()
		pass(0)
		if !other.Gone() {
			x.Error("who waited is left")
		}
	})
}

// consulting has a party press *2 and a number.
func (x *transfers) consulting(by *calltest.Leg) *calltest.Leg {
	by.Press("*2")
	pass(2 * time.Second)
	by.Press("103#")
	pass(time.Second)
	return x.last()
}

func TestConsult(t *testing.T) {
	for _, when := range []string{"talking", "ringing"} {
		t.Run(when, func(t *testing.T) {
			eachSide(t, func(x *transfers, by, other *calltest.Leg) {
				c := x.consulting(by)
				if other.Hears() != "loop music" || by.Hears() != "loop ringback" {
					x.Errorf("hear %q and %q", other.Hears(), by.Hears())
				}
				if when == "talking" {
					pass(5 * time.Second)
					x.wantTalk(by, c)
				}
				second := x.call(c)
				by.HangUp()
				pass(0)
				if when == "ringing" {
					if other.Hears() != "loop ringback" {
						x.Errorf("hears %q", other.Hears())
					}
					pass(5 * time.Second)
				}
				x.wantTalk(other, c)
				if x.call(c) != second || x.first.Info().State != call.StateEnded {
					x.Error("not in the call it was transferred to")
				}
				c.HangUp()
			})
		})
	}
}

// TestConsultComesBack: by code, or because the target does not answer or hangs up.
func TestConsultComesBack(t *testing.T) {
	for _, why := range []string{"code while ringing", "code while talking", "target rejects", "target hangs up"} {
		t.Run(why, func(t *testing.T) {
			eachSide(t, func(x *transfers, by, other *calltest.Leg) {
				c := x.consulting(by)
				if why == "code while talking" || why == "target hangs up" {
					pass(5 * time.Second)
				}
				switch why {
				case "target rejects":
					c.Leave(call.CauseRejected, true)
				case "target hangs up":
					c.HangUp()
				default:
					by.Press("##")
				}
				pass(0)
				x.wantTalk(by, other)
				if !c.Gone() || x.call(by) != x.first {
					x.Error("not back")
				}
				other.HangUp()
			})
		})
	}
}

// TestConsultWithoutOther: the party that waits hangs up, and the consultation is
// a call like any other.
func TestConsultWithoutOther(t *testing.T) {
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		c := x.consulting(by)
		other.HangUp()
		pass(5 * time.Second)
		x.wantTalk(by, c)
		by.HangUp()
		pass(0)
		if !c.Gone() {
			x.Error("the target is left")
		}
	})
	eachSide(t, func(x *transfers, by, other *calltest.Leg) {
		c := x.consulting(by)
		other.HangUp()
		pass(0)
		c.Leave(call.CauseBusy, true)
		pass(0)
		if !by.Gone() {
			x.Error("who consulted is left")
		}
	})
}

// TestWaitingRedirected: a conversation that waits can be given something else to
// do; the transfer goes on without it.
func TestWaitingRedirected(t *testing.T) {
	inTransfers(t, func(x *transfers) {
		x.sw.Dialer.Set(3, calltest.Fails(time.Second, call.CauseBusy))
		x.a.Refer(call.Refer{To: "103"})
		pass(0)
		if err := x.first.Redirect(step("echo")); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Second)
		if x.a.Hears() != "echo" || !x.a.Told("referred failed cancelled") {
			t.Errorf("hears %q, told %q", x.a.Hears(), x.a.Verbs())
		}
		x.wantTalk(x.b, x.last()) // called back
		x.a.HangUp()
		x.b.HangUp()
	})
}
