package call_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// points wraps everything a call calls and lets something happen at the nth
// time that anything is called: inside the loop, inside a script, or between
// two moments of virtual time.
type points struct {
	at     int64
	happen func()
	n      atomic.Int64
}

func (p *points) point() {
	if p.n.Add(1) == p.at {
		p.happen()
	}
}

type pointDialer struct {
	*points
	call.Dialer
}

func (d pointDialer) Dial(owner *call.Call, to call.Target) ([]call.Leg, call.Cause) {
	d.point()
	defer d.point()
	return d.Dialer.Dial(owner, to)
}

type pointMixer struct{ *points }

func (m pointMixer) Join(a, b call.Media) {
	m.point()
	calltest.Mixer{}.Join(a, b)
	m.point()
}

type pointEffects struct {
	*points
	call.Effects
}

func (e pointEffects) Effect(s call.Step) (call.Effect, error) {
	e.point()
	effect, err := e.Effects.Effect(s)
	return calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
		e.point()
		defer e.point()
		return effect.Run(ctx, c)
	}), err
}

// announce plays a sound of a second.
var announce = calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
	return call.Outcome{Kind: call.OutcomeDone}, c.Play(ctx, []string{"hello"}, false)
})

// fullPlan announces, rings, and after the talk echoes to who stayed.
func fullPlan(p *points) func(call.Invite) call.Planner {
	return func(call.Invite) call.Planner {
		return calltest.PlannerFunc(func(_ call.Situation, last call.Outcome) call.Decision {
			p.point()
			defer p.point()
			switch last.Kind {
			case call.OutcomeBegin:
				return call.Decision{Steps: []call.Step{step("announce"), step("ring")}}
			case call.OutcomeTalkEnded:
				return call.Decision{Steps: []call.Step{step("echo")}}
			}
			return call.Decision{Cause: last.Cause}
		})
	}
}

// fullCall is a call with everything in it. It returns false if it was over
// before the point was reached.
func fullCall(t *testing.T, at int64, event string) bool {
	p := &points{at: at}
	sw := calltest.New(t, nil, fullPlan(p), func(cfg *call.Config) {
		cfg.Dialer = pointDialer{p, cfg.Dialer}
		cfg.Mixer = pointMixer{p}
		cfg.Effects = pointEffects{p, effects(calltest.Effects{"announce": announce})}
	})
	sw.Dialer.Set(2, calltest.Fails(time.Second, call.CauseBusy), calltest.EarlyThenAnswers(2*time.Second), calltest.AnswersLate())
	caller := calltest.NewLeg(invite.From)
	var c atomic.Pointer[call.Call]
	p.happen = func() { happen(event, sw, caller, c.Load()) }
	started, err := sw.Start(caller, invite)
	if err != nil {
		t.Fatal(err)
	}
	c.Store(started)
	for i := range 16 {
		pass(500 * time.Millisecond)
		p.point()
		switch legs := sw.Dialer.Legs(); {
		case i == 8:
			caller.Hold()
		case i == 10:
			caller.Resume()
		case i == 12 && len(legs) > 1:
			legs[1].HangUp()
		}
	}
	caller.HangUp()
	for _, l := range sw.Dialer.Legs() {
		l.HangUp()
	}
	pass(time.Second)
	wantAllEnded(t, sw, []*call.Call{started})
	for i, ev := range sw.Events("") {
		if ev.Seq != i+1 {
			t.Errorf("event %d has number %d", i, ev.Seq)
		}
	}
	return p.n.Load() >= at
}

// happen does to the call what the row says. It may be inside the loop, so
// nothing here waits.
func happen(event string, sw *calltest.Switch, caller *calltest.Leg, c *call.Call) {
	switch event {
	case "caller hangs up":
		caller.HangUp()
	case "callees hang up":
		for _, l := range sw.Dialer.Legs() {
			l.HangUp()
		}
	case "callees answer":
		for _, l := range sw.Dialer.Legs() {
			l.PickUp()
		}
	case "all end":
		sw.EndAll(call.CauseShutdown)
	case "redirect":
		if c != nil {
			go func() { _ = c.Redirect(step("echo")) }() // ends with the loop's answer
		}
	}
}

// TestEveryPoint lets each event happen at every point of a call with a script,
// a ring, early media, a talk, a hold and a script after it. Whatever happens
// when, every leg ends, once, and nothing is left.
func TestEveryPoint(t *testing.T) {
	for _, event := range []string{"caller hangs up", "callees hang up", "callees answer", "all end", "redirect"} {
		t.Run(event, func(t *testing.T) {
			n, reached := int64(1), true
			for ; reached; n++ {
				t.Run(fmt.Sprint(n), func(t *testing.T) {
					bubble(t, func(t *testing.T) { reached = fullCall(t, n, event) })
				})
			}
			if n < 20 {
				t.Errorf("only %d points", n)
			}
		})
	}
}
