package call_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// seedFlag repeats the rounds of a failure.
var seedFlag = flag.Uint64("seed", 0, "first seed of the random rounds, 0 for any")

// crossingRounds is how many random rounds the test below plays.
const crossingRounds = 2000

// TestCrossingHandovers plays random rounds: calls hand each other's legs over,
// crosswise and in circles, from several goroutines, while parties hang up,
// hold, answer late and calls are redirected or ended. No leg may be lost (its
// events reach nobody), be in two calls, or survive its call; no actor may stay.
func TestCrossingHandovers(t *testing.T) {
	rounds := crossingRounds
	if testing.Short() {
		rounds /= 10
	}
	first := *seedFlag
	if first == 0 {
		first = rand.Uint64()
	}
	var seen tally
	for i := range rounds {
		seed := first + uint64(i)
		if !t.Run("", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { crossing(t, rand.New(rand.NewPCG(seed, 0)), &seen) })
		}) {
			t.Fatalf("again with -seed %d; the scheduler has its say, too", seed)
		}
	}
	t.Logf("%d rounds from seed %d: %+v", rounds, first, seen)
	if seen.moved < rounds/2 || seen.refused < rounds/10 {
		t.Error("the rounds do not test what they are for")
	}
}

// tally counts what happened in all rounds.
type tally struct{ moved, refused int }

// crossing is one round.
func crossing(t *testing.T, rng *rand.Rand, seen *tally) {
	sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
	sw.Dialer.Set(2, calltest.Answers(time.Duration(rng.IntN(3))*time.Millisecond), calltest.AnswersLate())
	var calls []*call.Call
	var legs []*calltest.Leg
	for range 2 + rng.IntN(3) {
		leg, c := sw.Call(t, invite)
		calls, legs = append(calls, c), append(legs, leg)
	}
	pass(time.Duration(rng.IntN(4)) * time.Millisecond)
	legs = append(legs, sw.Dialer.Legs()...)
	acts := make([]func(), 4+rng.IntN(12))
	for i := range acts {
		acts[i] = act(rng, sw, calls, legs)
	}
	half := len(acts) / 2
	for _, some := range [][]func(){acts[:half], acts[half:]} {
		// Ends when it has done its share of the acts.
		go func() {
			for _, f := range some {
				f()
			}
		}()
	}
	pass(time.Second)
	wantLegsOnce(t, sw, calls)
	for _, leg := range legs {
		leg.HangUp()
	}
	pass(time.Second)
	wantAllEnded(t, sw, calls)
	seen.refused += int(sw.Stats().Refused[call.RefusedHandover])
	for _, ev := range sw.Events("") {
		if ev.Kind == call.EventJoined {
			seen.moved++ // twice for each move
		}
	}
}

// act draws something that happens to the calls of a round.
func act(rng *rand.Rand, sw *calltest.Switch, calls []*call.Call, legs []*calltest.Leg) func() {
	c, to := calls[rng.IntN(len(calls))], calls[rng.IntN(len(calls))]
	leg := legs[rng.IntN(len(legs))]
	switch rng.IntN(20) {
	case 0:
		return leg.HangUp
	case 1:
		return func() { c.Hangup(call.CauseForbidden) }
	case 2:
		return func() { _ = c.Redirect(step("echo")) } // an ended call refuses
	case 3:
		return leg.Hold
	case 4:
		return leg.Resume
	case 5:
		return leg.PickUp
	case 6:
		return func() {
			if c, ok := sw.CallOf(leg.ID()); ok {
				c.HangupLeg(leg.ID(), call.CauseNormal)
			}
		}
	}
	// Whoever has the leg by now is asked to hand it over.
	return func() {
		for _, from := range calls {
			if has(from, leg) {
				from.Handover(leg.ID(), to)
			}
		}
	}
}

// wantLegsOnce: every leg that is not gone is in exactly one call, and is found
// there.
func wantLegsOnce(t *testing.T, sw *calltest.Switch, calls []*call.Call) {
	t.Helper()
	owners := map[call.LegID]int{}
	for _, c := range calls {
		if c.Info().State == call.StateEnded {
			continue
		}
		for _, l := range c.Info().Legs {
			owners[l.ID]++
			if of, ok := sw.CallOf(l.ID); !ok || of != c {
				t.Errorf("a leg is not found in its call")
			}
		}
	}
	for _, l := range sw.Dialer.Legs() {
		want := 1
		if l.Gone() {
			want = 0
		}
		if owners[l.ID()] != want {
			t.Errorf("a leg (gone: %v) is in %d calls", l.Gone(), owners[l.ID()])
		}
	}
}

// wantAllEnded: nothing is left, and every leg began once and ended once.
func wantAllEnded(t *testing.T, sw *calltest.Switch, calls []*call.Call) {
	t.Helper()
	count := map[string]int{}
	for _, ev := range sw.Events("") {
		if ev.Kind == call.EventLegStarted || ev.Kind == call.EventLegEnded {
			count[fmt.Sprint(ev.Kind, " ", ev.Leg)]++
		}
		if ev.Kind == call.EventLegStarted {
			count[fmt.Sprint(call.EventLegEnded, " ", ev.Leg)] += 0
		}
	}
	for what, n := range count {
		if n != 1 {
			t.Errorf("%s: %d times", what, n)
		}
	}
	for _, c := range calls {
		if _, ok := sw.Ended(c.ID()); !ok {
			t.Errorf("a call is %v with %+v", c.Info().State, c.Info().Legs)
		}
	}
	if n := sw.SeatedLegs(); n != 0 {
		t.Errorf("%d legs are still listed", n)
	}
	if s := sw.Stats(); s.Active != 0 || s.Panics != 0 || s.Faults != 0 || s.Abandoned != 0 {
		t.Errorf("stats %+v", s)
	}
}

// TestNoEventLost: digits pressed without a pause, while their leg moves on and
// on and every call it leaves ends at once, all arrive, in whatever call.
func TestNoEventLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		on := calltest.PlannerFunc(func(call.Situation, call.Outcome) call.Decision {
			return call.Decision{Steps: []call.Step{step("echo")}}
		})
		sw := calltest.New(t, effects(), func(call.Invite) call.Planner { return on }, func(cfg *call.Config) { cfg.MailboxCap = 1 << 20 })
		leg, c := sw.Call(t, invite)
		pass(0)
		pressed := 0
		for range 200 {
			other, next := sw.Call(t, invite)
			pass(0)
			var keys sync.WaitGroup
			keys.Go(func() {
				for range 50 {
					leg.Press("1")
					pressed++
				}
			})
			c.Handover(leg.ID(), next)
			keys.Wait()
			pass(0)
			other.HangUp()
			c = next
		}
		leg.HangUp()
		pass(time.Second)
		got := 0
		for _, ev := range sw.Events("") {
			if ev.Kind == call.EventDigit {
				got++
			}
		}
		if got != pressed || sw.Len() != 0 {
			t.Errorf("%d digits of %d, %d calls left", got, pressed, sw.Len())
		}
	})
}
