package call_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// outcome is an effect that does nothing for a second and reports kind.
func outcome(kind call.OutcomeKind) call.Effect {
	return calltest.EffectFunc(func(ctx context.Context, _ *call.Call) (call.Outcome, error) {
		select {
		case <-time.After(time.Second):
			return call.Outcome{Kind: kind}, nil
		case <-ctx.Done():
			return call.Outcome{}, context.Cause(ctx)
		}
	})
}

// TestSteps: done lets the next step run; anything else, or the end of the
// steps, goes to the planner.
func TestSteps(t *testing.T) {
	tests := map[string]struct {
		steps []call.Step
		kind  call.OutcomeKind
		after time.Duration
		path  string
	}{
		"all done":   {[]call.Step{step("good"), step("good")}, call.OutcomeDone, 2 * time.Second, "good=done good=done"},
		"first busy": {[]call.Step{step("bad"), step("good")}, call.OutcomeBusy, time.Second, "bad=busy"},
		"last busy":  {[]call.Step{step("good"), step("bad")}, call.OutcomeBusy, 2 * time.Second, "good=done bad=busy"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var told []call.Outcome
				var log bytes.Buffer
				all := calltest.Effects{"good": outcome(call.OutcomeDone), "bad": outcome(call.OutcomeBusy)}
				sw := calltest.New(t, all, outcomes(&told, tt.steps...), func(cfg *call.Config) {
					cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
				})
				_, c := sw.Call(t, invite)
				pass(time.Minute)
				if len(told) != 2 || told[1].Kind != tt.kind || told[1].Branch != "1" {
					t.Errorf("planner was told %+v", told)
				}
				ended, _ := sw.Ended(c.ID())
				if d := ended.At.Sub(c.Info().Started); d != tt.after {
					t.Errorf("took %v", d)
				}
				line := log.String()
				if strings.Count(line, "\n") != 1 {
					t.Errorf("the story is not one line: %q", line)
				}
				for _, part := range []string{"call ended", string(c.ID()), "from=101", "dialled=102", tt.path, "cause=normal", "duration=" + tt.after.String()} {
					if !strings.Contains(line, part) {
						t.Errorf("story lacks %q: %s", part, line)
					}
				}
			})
		})
	}
}

// TestOneScriptAtATime (rule 4): the next script starts only after the one
// before has returned, however slow it is to notice, and a stopped script can
// not drive the call any more.
func TestOneScriptAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var running, most atomic.Int32
		var cause, late error
		slow := calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			<-ctx.Done()
			cause = context.Cause(ctx)
			time.Sleep(5 * time.Second)
			late = c.Answer(context.WithoutCancel(ctx))
			return call.Outcome{Kind: call.OutcomeBusy}, nil
		})
		next := calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			return echoing(ctx, c)
		})
		sw := calltest.New(t, calltest.Effects{"slow": slow, "next": next}, calltest.Steps(step("slow")))
		caller, c := sw.Call(t, invite)
		pass(time.Second)
		if err := c.Redirect(step("next")); err != nil {
			t.Fatal(err)
		}
		pass(4 * time.Second)
		if got := c.Info().Step; got != "slow" {
			t.Errorf("step %q while the old script runs", got)
		}
		pass(2 * time.Second)
		if got := c.Info().Step; got != "next" || caller.Hears() != "echo" {
			t.Errorf("step %q, caller hears %q", got, caller.Hears())
		}
		if cause != call.ErrRedirected || late != call.ErrRedirected || most.Load() != 1 {
			t.Errorf("cause %v, late ask %v, %d scripts at once", cause, late, most.Load())
		}
	})
}

// TestRedirect in every state: what happens to the legs and who hears what.
func TestRedirect(t *testing.T) {
	tests := map[string]struct {
		first  string
		after  time.Duration
		callee string
		state  call.State
	}{
		"from a script": {"echo", time.Second, "", call.StateScripted},
		"while ringing": {"ring", time.Second, "hangup cancelled", call.StateRinging},
		"while talking": {"ring", 5 * time.Second, "hangup normal", call.StateTalking},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sw := calltest.New(t, effects(calltest.Effects{"other": outcome(call.OutcomeBusy)}), calltest.Steps(step(tt.first)))
				sw.Dialer.Set(2, calltest.Answers(3*time.Second))
				caller, c := sw.Call(t, invite)
				pass(tt.after)
				wantState(t, c, tt.state)
				if err := c.Redirect(step("other")); err != nil {
					t.Fatal(err)
				}
				pass(0)
				if c.Info().Step != "other" || caller.Hears() != "" || len(c.Info().Legs) != 1 {
					t.Errorf("caller hears %q: %+v", caller.Hears(), c.Info())
				}
				if tt.callee != "" {
					wantVerbs(t, sw.Dialer.Legs()[0], tt.callee)
				}
				caller.HangUp()
				pass(0)
				if err := c.Redirect(step("other")); err != call.ErrEnded {
					t.Errorf("redirect of an ended call: %v", err)
				}
			})
		})
	}
}

// TestRedirectEnding: a call that is ending, not ended, refuses as well.
func TestRedirectEnding(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")))
		caller, c := sw.Call(t, invite)
		caller.OnHangup = func(l *calltest.Leg, cause call.Cause) { time.AfterFunc(time.Second, func() { l.Leave(cause, false) }) }
		pass(0)
		c.Hangup(call.CauseForbidden)
		pass(0)
		wantState(t, c, call.StateEnding)
		if err := c.Redirect(step("echo")); err != call.ErrEnded {
			t.Errorf("redirect: %v", err)
		}
	})
}

// TestFaults: a fault in one call, wherever it happens, ends that call with
// CauseInternal, is counted, and leaves the others alone.
func TestFaults(t *testing.T) {
	boom := func(context.Context, *call.Call) (call.Outcome, error) { panic("boom") }
	wrong := func(context.Context, *call.Call) (call.Outcome, error) { return call.Outcome{}, errors.New("wrong") }
	askPanics := func(ctx context.Context, c *call.Call) (call.Outcome, error) {
		return c.Ring(ctx, call.RingSpec{Extension: 666})
	}
	tests := map[string]struct {
		effects        calltest.Effects
		plan           func(call.Invite) call.Planner
		panics, faults uint64
	}{
		"script panics":      {calltest.Effects{"x": calltest.EffectFunc(boom)}, calltest.Steps(step("x")), 1, 0},
		"script fails":       {calltest.Effects{"x": calltest.EffectFunc(wrong)}, calltest.Steps(step("x")), 0, 1},
		"no such effect":     {nil, calltest.Steps(step("x")), 0, 1},
		"dialer panics":      {calltest.Effects{"x": calltest.EffectFunc(askPanics)}, calltest.Steps(step("x")), 1, 0},
		"plan panics":        {nil, func(call.Invite) call.Planner { panic("boom") }, 1, 0},
		"planner panics":     {nil, func(call.Invite) call.Planner { return calltest.PlannerFunc(nil) }, 1, 0},
		"planner is no plan": {nil, func(call.Invite) call.Planner { return nil }, 1, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				all := effects(tt.effects)
				plan := func(inv call.Invite) call.Planner {
					if inv.Dialled == "good" {
						return calltest.Steps(step("echo"))(inv)
					}
					return tt.plan(inv)
				}
				sw := calltest.New(t, all, plan)
				sw.Dialer.Set(666, func(*calltest.Leg) { panic("boom") })
				good, _ := sw.Call(t, call.Invite{Client: 1, Dialled: "good"})
				caller, c := sw.Call(t, invite)
				pass(0)
				if ended, ok := sw.Ended(c.ID()); !ok || ended.Cause != call.CauseInternal {
					t.Errorf("ended %+v", ended)
				}
				wantVerbs(t, caller, "hangup internal")
				if s := sw.Stats(); s.Panics != tt.panics || s.Faults != tt.faults || s.Active != 1 {
					t.Errorf("stats %+v", s)
				}
				if good.Hears() != "echo" {
					t.Error("another call is disturbed")
				}
			})
		})
	}
}

// TestHangupPanics: a leg that panics when it is hung up keeps no call alive
// and does not keep the other legs from being hung up.
func TestHangupPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		caller, callee, c := talking(t, sw)
		caller.OnHangup = func(*calltest.Leg, call.Cause) { panic("boom") }
		c.Hangup(call.CauseForbidden)
		pass(0)
		if ended, ok := sw.Ended(c.ID()); !ok || ended.Cause != call.CauseForbidden {
			t.Errorf("ended %+v", ended)
		}
		if !callee.Gone() || sw.Stats().Panics != 1 || sw.Stats().Abandoned != 1 {
			t.Errorf("callee gone %v, stats %+v", callee.Gone(), sw.Stats())
		}
	})
}

// TestPlay waits for the sounds, can be given up, and loops until then.
func TestPlay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var took time.Duration
		playing := calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			began := time.Now()
			if err := c.Play(ctx, []string{"a", "b"}, false); err != nil {
				return call.Outcome{}, err
			}
			took = time.Since(began)
			limited, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			if err := c.Play(limited, []string{"music"}, true); err != context.DeadlineExceeded {
				t.Errorf("loop ended with %v", err)
			}
			<-ctx.Done()
			return call.Outcome{}, context.Cause(ctx)
		})
		sw := calltest.New(t, calltest.Effects{"play": playing}, calltest.Steps(step("play")))
		caller, _ := sw.Call(t, invite)
		hears := func(after time.Duration, want string) {
			t.Helper()
			if pass(after); caller.Hears() != want {
				t.Errorf("caller hears %q, want %q", caller.Hears(), want)
			}
		}
		hears(time.Second, "play a b")
		hears(2*time.Second, "loop music")
		hears(time.Minute, "")
		if took != 2*calltest.SoundLength {
			t.Errorf("play took %v", took)
		}
	})
}

// TestAsksOfStrangers: only the ctx of the call's present script may drive it.
func TestAsksOfStrangers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var other context.Context
		keep := calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			other = ctx
			<-ctx.Done()
			return call.Outcome{}, context.Cause(ctx)
		})
		sw := calltest.New(t, effects(calltest.Effects{"keep": keep}), calltest.Steps(step("keep")))
		_, first := sw.Call(t, invite)
		pass(0)
		ofFirst := other
		_, second := sw.Call(t, invite)
		pass(0)
		if err := second.Echo(t.Context()); err != call.ErrNotScript {
			t.Errorf("no script: %v", err)
		}
		if err := second.Echo(ofFirst); err != call.ErrNotScript {
			t.Errorf("another call's script: %v", err)
		}
		if err := first.Echo(ofFirst); err != nil {
			t.Errorf("its own script: %v", err)
		}
		if err := first.End(ofFirst, call.CauseBusy); err != nil {
			t.Errorf("end: %v", err)
		}
		pass(0)
		if err := first.End(ofFirst, call.CauseBusy); err != nil {
			t.Errorf("end of an ended call: %v", err)
		}
		if err := first.Answer(context.WithoutCancel(ofFirst)); err != call.ErrEnded {
			t.Errorf("answer in an ended call: %v", err)
		}
	})
}

// TestAskWhileTalking: a script that goes on although its ring was answered can
// not spoil the talk, and its outcome is not taken for the talk's.
func TestAskWhileTalking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var during error
		var told []call.Outcome
		meddling := calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
			if _, err := ringing(ctx, c); err != nil {
				return call.Outcome{}, err
			}
			during = c.Echo(ctx)
			<-ctx.Done()
			return call.Outcome{Kind: call.OutcomeBusy}, nil
		})
		sw := calltest.New(t, calltest.Effects{"ring": meddling}, outcomes(&told, step("ring")))
		_, callee, c := talking(t, sw)
		if during != call.ErrBusy {
			t.Errorf("echo while talking: %v", during)
		}
		callee.HangUp()
		pass(0)
		if len(told) != 2 || told[1].Kind != call.OutcomeTalkEnded {
			t.Errorf("planner was told %+v", told)
		}
		if _, ok := sw.Ended(c.ID()); !ok {
			t.Error("call has not ended")
		}
	})
}

// TestStory: one line says what the call did, with how long the caller was
// connected, and nothing of an ended call waits for a timer any more.
func TestStory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var log bytes.Buffer
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")), func(cfg *call.Config) {
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		caller, callee, c := talking(t, sw)
		pass(time.Minute - time.Second)
		callee.HangUp()
		pass(0)
		for _, part := range []string{`steps="ring=answered talk"`, "answered=1m0s", "by=" + string(callee.ID()), "cause=normal"} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("story lacks %s: %s", part, log.String())
			}
		}
		if !caller.Gone() || c.TimersRun() {
			t.Error("a timer of the ended call runs")
		}
	})
}
