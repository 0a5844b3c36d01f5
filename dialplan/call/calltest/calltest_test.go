package calltest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestExample is the package's example: one call from ring to hang-up.
func TestExample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring := calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			return c.Ring(ctx, call.RingSpec{Extension: 2, From: c.Caller()})
		})
		sw := calltest.New(t, calltest.Effects{"ring": ring}, calltest.Steps(call.Step{Name: "ring"}))
		sw.Dialer.Set(2, calltest.Answers(3*time.Second))
		caller, c := sw.Call(t, call.Invite{Client: 1, From: call.Party{Number: "101"}, Dialled: "102"})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		callee := sw.Dialer.Legs()[0]
		if caller.Hears() != string(callee.ID()) {
			t.Errorf("caller hears %q", caller.Hears())
		}
		caller.HangUp()
		synctest.Wait()
		if ended, ok := sw.Ended(c.ID()); !ok || ended.Cause != call.CauseNormal || !callee.Told("hangup normal") {
			t.Errorf("ended %+v", ended)
		}
	})
}

// TestMedia: one source at a time, and whoever waits for a Play hears of it
// exactly once.
func TestMedia(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []error
		done := func(err error) { told = append(told, err) }
		a, b := calltest.NewLeg(call.Party{}), calltest.NewLeg(call.Party{})
		a.Media().Play([]string{"x", "y"}, false, done)
		time.Sleep(2 * calltest.SoundLength)
		synctest.Wait()
		if a.Hears() != "" || len(told) != 1 || told[0] != nil {
			t.Errorf("hears %q, told %v", a.Hears(), told)
		}
		a.Media().Play([]string{"x"}, false, done)
		calltest.Mixer{}.Join(a.Media(), b.Media())
		time.Sleep(2 * calltest.SoundLength)
		if a.Hears() != string(b.ID()) || b.Hears() != string(a.ID()) || len(told) != 2 || !errors.Is(told[1], calltest.ErrReplaced) {
			t.Errorf("a hears %q, b hears %q, told %v", a.Hears(), b.Hears(), told)
		}
		a.Media().Play([]string{"x"}, true, done)
		time.Sleep(time.Hour)
		if a.Hears() != "loop x" || b.Hears() != string(a.ID()) {
			t.Errorf("a hears %q, b hears %q", a.Hears(), b.Hears())
		}
		a.Media().Echo()
		if a.Hears() != "echo" || len(told) != 3 {
			t.Errorf("a hears %q, told %v", a.Hears(), told)
		}
	})
}

// TestLegEndsOnce: whatever is said after a leg has left is not heard.
func TestLegEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sw := calltest.New(t, calltest.Effects{}, calltest.Steps(call.Step{Name: "none"}))
		caller, c := sw.Call(t, call.Invite{Client: 1})
		synctest.Wait() // there is no such effect, so it has ended
		caller.HangUp()
		caller.Press("1")
		synctest.Wait()
		n := 0
		for _, ev := range sw.Events(c.ID()) {
			if ev.Kind == call.EventLegEnded {
				n++
			}
		}
		if n != 1 || !caller.Told("hangup internal") {
			t.Errorf("%d ends, told %q", n, caller.Verbs())
		}
	})
}

// TestSetClock: the time of day differs, and what lies between two readings does not.
func TestSetClock(t *testing.T) {
	for _, d := range []time.Duration{time.Hour, -time.Hour, 10 * 365 * 24 * time.Hour, -10 * 365 * 24 * time.Hour} {
		before := time.Now()
		after := calltest.SetClock(before.Add(time.Minute), d)
		if got := after.Sub(before); got != time.Minute {
			t.Errorf("%v: %v between", d, got)
		}
		if got := after.Round(0).Sub(before.Round(0)); got != time.Minute+d {
			t.Errorf("%v: the wall shows %v more", d, got)
		}
	}
}
