package calltest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/cordpair/cordpair/dialplan/call"
)

// EffectFunc is an effect made of a function.
type EffectFunc func(ctx context.Context, c *call.Call) (call.Outcome, error)

// Run calls f.
func (f EffectFunc) Run(ctx context.Context, c *call.Call) (call.Outcome, error) { return f(ctx, c) }

// Effects finds effects by the name of the step.
type Effects map[string]call.Effect

// Effect returns an error for a name that is not there.
func (e Effects) Effect(s call.Step) (call.Effect, error) {
	effect, ok := e[s.Name]
	if !ok {
		return nil, fmt.Errorf("no effect %q", s.Name)
	}
	return effect, nil
}

// PlannerFunc is a planner made of a function.
type PlannerFunc func(in call.Situation, last call.Outcome) call.Decision

// Next calls f.
func (f PlannerFunc) Next(in call.Situation, last call.Outcome) call.Decision { return f(in, last) }

// Steps returns a plan that runs steps and ends the call with the cause of the
// last outcome, or CauseNormal.
func Steps(steps ...call.Step) func(call.Invite) call.Planner {
	return func(call.Invite) call.Planner {
		return PlannerFunc(func(_ call.Situation, last call.Outcome) call.Decision {
			if last.Kind == call.OutcomeBegin {
				return call.Decision{Steps: steps}
			}
			return call.Decision{Cause: last.Cause}
		})
	}
}

// Switch is a call registry on fakes that records every event.
type Switch struct {
	*call.Registry
	Dialer *Dialer
	Bus    *call.Bus

	mu     sync.Mutex
	events []call.Event
}

// New returns a switch, to be made inside the test's bubble. At the end of the
// test it is closed, and the test fails if a call is left. Change may adapt the
// configuration before the switch is made.
func New(t testing.TB, effects call.Effects, plan func(call.Invite) call.Planner, change ...func(*call.Config)) *Switch {
	t.Helper()
	sw := &Switch{Dialer: &Dialer{}, Bus: call.NewBus()}
	cfg := call.Config{
		Node: "test", Dialer: sw.Dialer, Mixer: Mixer{}, Effects: effects, Plan: plan, Bus: sw.Bus,
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&cfg)
	}
	sw.Registry = call.NewRegistry(cfg)
	sub := sw.Bus.Subscribe("calltest")
	recorded := make(chan struct{})
	// Ends when the subscription is closed at the end of the test.
	go func() {
		defer close(recorded)
		sw.record(sub)
	}()
	t.Cleanup(func() {
		sw.Close()
		sub.Close()
		<-recorded
		if n := sw.Len(); n != 0 {
			t.Errorf("%d calls are left", n)
		}
	})
	return sw
}

func (sw *Switch) record(sub *call.Subscription) {
	for {
		ev, ok := sub.Next(context.Background())
		if !ok {
			return
		}
		sw.mu.Lock()
		sw.events = append(sw.events, ev)
		sw.mu.Unlock()
	}
}

// Call starts a call from a new caller's leg.
func (sw *Switch) Call(t testing.TB, inv call.Invite) (*Leg, *call.Call) {
	t.Helper()
	leg := NewLeg(inv.From)
	c, err := sw.Start(leg, inv)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return leg, c
}

// Events returns what has been published so far, of one call or with "" of all.
func (sw *Switch) Events(id call.ID) []call.Event {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	var events []call.Event
	for _, ev := range sw.events {
		if id == "" || ev.Call == id {
			events = append(events, ev)
		}
	}
	return events
}

// Ended returns the event that ended a call; false if it has not ended.
func (sw *Switch) Ended(id call.ID) (call.Event, bool) {
	for _, ev := range sw.Events(id) {
		if ev.Kind == call.EventEnded {
			return ev, true
		}
	}
	return call.Event{}, false
}
