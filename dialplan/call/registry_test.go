package call_test

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestStartRefused: above MaxCalls, or while the switch drains, the leg stays
// the giver's: nobody has touched it.
func TestStartRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")), func(cfg *call.Config) { cfg.MaxCalls = 2 })
		caller, _ := sw.Call(t, invite)
		sw.Call(t, invite)
		third := calltest.NewLeg(invite.From)
		if _, err := sw.Start(third, invite); !errors.Is(err, call.ErrOverload) {
			t.Errorf("third call: %v", err)
		}
		caller.HangUp()
		pass(0)
		if _, err := sw.Start(third, invite); err != nil {
			t.Errorf("after one has ended: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := sw.Drain(ctx); err != context.Canceled {
			t.Errorf("drain: %v", err)
		}
		fourth := calltest.NewLeg(invite.From)
		if _, err := sw.Start(fourth, invite); !errors.Is(err, call.ErrDraining) {
			t.Errorf("while draining: %v", err)
		}
		wantVerbs(t, fourth)
		s := sw.Stats()
		if s.Refused[call.RefusedOverload] != 1 || s.Refused[call.RefusedDraining] != 1 || s.Started != 3 || s.Active != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestEmergencyAboveMaxCalls (F8): emergency calls find room where others do not, up
// to a bound, and take none away from the others.
func TestEmergencyAboveMaxCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")), func(cfg *call.Config) {
			cfg.MaxCalls = 1
			cfg.Emergency = func(client int64, number string) bool { return client == 1 && number == "112" }
		})
		emergency := call.Invite{Client: 1, From: invite.From, Dialled: "112"}
		first, _ := sw.Call(t, emergency)
		if _, err := sw.Start(calltest.NewLeg(invite.From), invite); !errors.Is(err, call.ErrOverload) {
			t.Errorf("a call above MaxCalls: %v", err)
		}
		foreign := call.Invite{Client: 2, From: invite.From, Dialled: "112"}
		if _, err := sw.Start(calltest.NewLeg(invite.From), foreign); !errors.Is(err, call.ErrOverload) {
			t.Errorf("a client that has another number: %v", err)
		}
		for range call.EmergencyCalls {
			sw.Call(t, emergency)
		}
		if _, err := sw.Start(calltest.NewLeg(invite.From), emergency); !errors.Is(err, call.ErrOverload) {
			t.Errorf("above the bound: %v", err)
		}
		first.HangUp()
		pass(0)
		sw.Call(t, emergency)
	})
}

// TestEmergencyIsDialledUrgently (O2): so are its further legs, and no others.
func TestEmergencyIsDialledUrgently(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")), func(cfg *call.Config) {
			cfg.Emergency = func(_ int64, number string) bool { return number == "112" }
		})
		for _, number := range []string{"112", "102"} {
			sw.Call(t, call.Invite{Client: 1, From: invite.From, Dialled: number})
			pass(0)
		}
		targets := sw.Dialer.Targets()
		if len(targets) != 2 || !targets[0].Urgent || targets[1].Urgent {
			t.Errorf("dialled %+v", targets)
		}
	})
}

// TestDrain waits for the last call, however often it is asked.
func TestDrain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		caller, _, _ := talking(t, sw)
		second, _, _ := talking(t, sw)
		began := time.Now()
		time.AfterFunc(time.Minute, caller.HangUp)
		time.AfterFunc(30*time.Second, second.HangUp)
		errs := make(chan error, 3)
		for range 3 {
			go func() { errs <- sw.Drain(t.Context()) }() // ends with the last call
		}
		short, cancel := context.WithTimeoutCause(t.Context(), time.Second, call.ErrDraining)
		defer cancel()
		if err := sw.Drain(short); err != call.ErrDraining {
			t.Errorf("impatient drain: %v", err)
		}
		for range 3 {
			if err := <-errs; err != nil {
				t.Errorf("drain: %v", err)
			}
		}
		if d := time.Since(began); d != time.Minute {
			t.Errorf("drained after %v", d)
		}
		if err := sw.Drain(t.Context()); err != nil {
			t.Errorf("drain of nothing: %v", err)
		}
	})
}

// TestEndAll ends every call in every state with the cause; Close waits until
// the slowest leg has reported.
func TestEndAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		caller, callee, _ := talking(t, sw)
		sw.Dialer.Set(2, calltest.Rings())
		second, _ := sw.Call(t, invite)
		pass(time.Second)
		callee.OnHangup = func(l *calltest.Leg, cause call.Cause) {
			time.AfterFunc(3*time.Second, func() { l.Leave(cause, false) })
		}
		began := time.Now()
		sw.EndAll(call.CauseShutdown)
		sw.Close()
		if d := time.Since(began); d != 3*time.Second {
			t.Errorf("closed after %v", d)
		}
		for _, l := range append(sw.Dialer.Legs(), caller, second) {
			if !l.Told("hangup shutdown") || !l.Gone() {
				t.Errorf("a leg was told %q", l.Verbs())
			}
		}
		if n := sw.Stats().Ended[call.CauseShutdown]; n != 2 {
			t.Errorf("%d ended", n)
		}
	})
}

// TestSilentLeg: a leg that never reports its end holds up its call for
// LingerLimit and no longer; the same goes for a script that ignores its ctx.
func TestSilentLeg(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		deaf := calltest.EffectFunc(func(context.Context, *call.Call) (call.Outcome, error) {
			<-release
			return call.Outcome{}, nil
		})
		sw := calltest.New(t, calltest.Effects{"deaf": deaf}, calltest.Steps(step("deaf")))
		caller, c := sw.Call(t, invite)
		caller.OnHangup = func(*calltest.Leg, call.Cause) {}
		pass(0)
		c.Hangup(call.CauseForbidden)
		pass(call.LingerLimit - time.Second)
		wantState(t, c, call.StateEnding)
		pass(time.Second)
		wantStory(t, sw, c, "started leg-started leg-ended(forbidden) ended(forbidden)")
		if s := sw.Stats(); s.Abandoned != 2 || s.Active != 0 {
			t.Errorf("stats %+v", s)
		}
		caller.Leave(call.CauseNormal, true) // too late to matter
		close(release)
	})
}

// TestInfo is found by id, and shows the call without asking it (rule 8): also
// while its loop is busy.
func TestInfo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		sw.Dialer.Set(2, calltest.Rings())
		caller, c := sw.Call(t, invite)
		if info := c.Info(); info.State > call.StateRinging || len(info.Legs) == 0 {
			t.Errorf("at first: %+v", info)
		}
		pass(time.Second)
		gate := make(chan struct{})
		c.Stall(gate)
		got, ok := sw.Get(c.ID())
		if !ok || got != c || sw.Len() != 1 || len(sw.CallsOf(1)) != 1 || sw.CallsOf(1)[0] != c.Info() || len(sw.CallsOf(2)) != 0 {
			t.Error("call is not listed")
		}
		info := c.Info()
		if info.Ref != c.Ref() || info.Ref.Node != "test" || info.Client != 1 || info.State != call.StateRinging ||
			info.Caller != invite.From || info.Dialled != "102" || info.Step != "ring" || !info.Answered.IsZero() || info.Seq != 4 {
			t.Errorf("info %+v", info)
		}
		if len(info.Legs) != 2 || info.Legs[0].ID != caller.ID() || info.Legs[0].State != call.LegWaiting || info.Legs[1].Direction != call.Outbound {
			t.Errorf("legs %+v", info.Legs)
		}
		if !regexp.MustCompile(`^[0-9A-F]{32}$`).MatchString(string(c.ID())) {
			t.Errorf("id %q", c.ID())
		}
		close(gate)
		caller.HangUp()
		pass(0)
		if _, ok := sw.Get(c.ID()); ok || sw.Len() != 0 {
			t.Error("an ended call is listed")
		}
		if info := c.Info(); info.State != call.StateEnded || info.Cause != call.CauseNormal || len(info.Legs) != 0 {
			t.Errorf("at last: %+v", info)
		}
	})
}

// TestOverload (rule 2): a call whose mailbox is full ends with CauseOverload,
// and no other. What must not be lost, such as the ends of its legs, is not.
func TestOverload(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")), func(cfg *call.Config) { cfg.MailboxCap = 50 })
		caller, callee, c := talking(t, sw)
		_, _, other := talking(t, sw)
		gate := make(chan struct{})
		c.Stall(gate)
		pass(0)
		for range 200 {
			caller.Press("1")
		}
		c.Hangup(call.CauseNormal)
		if err := c.Redirect(step("echo")); err != call.ErrEnded {
			t.Errorf("redirect: %v", err)
		}
		callee.HangUp()
		close(gate)
		pass(0)
		ended, ok := sw.Ended(c.ID())
		if !ok || ended.Cause != call.CauseOverload || !caller.Told("hangup overload") {
			t.Errorf("ended %+v, caller told %q", ended, caller.Verbs())
		}
		wantState(t, other, call.StateTalking)
		s := sw.Stats()
		if s.Refused[call.RefusedMailbox] != 2 || s.MailboxDepth != 52 || s.Ended[call.CauseOverload] != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestPostToEnded: what is asked of an ended call is refused and counted.
func TestPostToEnded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")))
		caller, c := sw.Call(t, invite)
		caller.HangUp()
		pass(0)
		c.Hangup(call.CauseNormal)
		if err := c.Redirect(step("echo")); err != call.ErrEnded {
			t.Errorf("redirect: %v", err)
		}
		caller.Hold() // reaches nobody
		pass(0)
		if n := sw.Stats().Refused[call.RefusedEnded]; n != 2 {
			t.Errorf("%d counted", n)
		}
	})
}

// TestEndWhileStarting: whoever finds a call that is just being started cannot
// come before its beginning.
func TestEndWhileStarting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")))
		done := make(chan struct{})
		var ender sync.WaitGroup
		ender.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					sw.EndAll(call.CauseShutdown)
				}
			}
		})
		var legs []*calltest.Leg
		for range 300 {
			leg := calltest.NewLeg(invite.From)
			if _, err := sw.Start(leg, invite); err != nil {
				t.Fatal(err)
			}
			legs = append(legs, leg)
		}
		close(done)
		ender.Wait()
		sw.EndAll(call.CauseShutdown)
		pass(time.Second)
		for _, leg := range legs {
			if !leg.Gone() {
				t.Fatal("a leg was left")
			}
		}
		if s := sw.Stats(); s.Panics != 0 || s.Abandoned != 0 || s.Active != 0 {
			t.Errorf("%+v", s)
		}
	})
}
