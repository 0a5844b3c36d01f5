package call_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// invite is the call of all these tests.
var invite = call.Invite{Client: 1, From: call.Party{Extension: 1, Number: "101"}, Dialled: "102"}

// ringing is an effect that rings extension 2, for at most 20 s.
var ringing = calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
	return c.Ring(ctx, call.RingSpec{Branch: "1", Extension: 2, From: c.Caller(), Timeout: 20 * time.Second})
})

// echoing answers and echoes until told to stop.
var echoing = calltest.EffectFunc(func(ctx context.Context, c *call.Call) (call.Outcome, error) {
	if err := c.Answer(ctx); err != nil {
		return call.Outcome{}, err
	}
	if err := c.Echo(ctx); err != nil {
		return call.Outcome{}, err
	}
	<-ctx.Done()
	return call.Outcome{}, context.Cause(ctx)
})

// effects of all these tests; more can be added to a copy.
func effects(more ...calltest.Effects) calltest.Effects {
	all := calltest.Effects{"ring": ringing, "echo": echoing}
	for _, m := range more {
		for name, e := range m {
			all[name] = e
		}
	}
	return all
}

func step(name string) call.Step { return call.Step{Name: name, Branch: "1"} }

// bubble runs a test in virtual time; a goroutine left behind fails it.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// pass lets virtual time pass and everything settle.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// story puts the events of a call on one line: kinds without their prefix, with
// the cause where there is one.
func story(events []call.Event) string {
	var words []string
	for _, ev := range events {
		_, word, _ := strings.Cut(string(ev.Kind), ".")
		if strings.HasPrefix(string(ev.Kind), "leg.") {
			word = "leg-" + word
		}
		if ev.Cause != "" {
			word += fmt.Sprintf("(%s)", ev.Cause)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// wantStory compares the events of a call and checks their numbering.
func wantStory(t *testing.T, sw *calltest.Switch, c *call.Call, want string) {
	t.Helper()
	events := sw.Events(c.ID())
	if got := story(events); got != want {
		t.Errorf("events\n got %s\nwant %s", got, want)
	}
	for i, ev := range events {
		if ev.Seq != i+1 || ev.Call != c.ID() || ev.Client != 1 || ev.At.IsZero() {
			t.Errorf("event %d is %+v", i, ev)
		}
	}
}

func wantVerbs(t *testing.T, l *calltest.Leg, want ...string) {
	t.Helper()
	if got := l.Verbs(); strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("leg %.4s… was told %q, want %q", l.Party().Number, got, want)
	}
}

func wantState(t *testing.T, c *call.Call, want call.State) {
	t.Helper()
	if got := c.Info().State; got != want {
		t.Errorf("call is %v, want %v", got, want)
	}
}

// outcomes is a plan that runs the same steps once and then records what it is
// told, ending the call.
func outcomes(told *[]call.Outcome, steps ...call.Step) func(call.Invite) call.Planner {
	return func(call.Invite) call.Planner {
		return calltest.PlannerFunc(func(_ call.Situation, last call.Outcome) call.Decision {
			*told = append(*told, last)
			if last.Kind == call.OutcomeBegin {
				return call.Decision{Steps: steps}
			}
			return call.Decision{Cause: last.Cause}
		})
	}
}
