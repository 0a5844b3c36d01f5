package call_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestCrossingTransfers plays random rounds: parties transfer each other blindly,
// attended and by keys, take each other's place, hang up and are handed over, from
// several goroutines. No leg may be lost or be in two calls, no call may stay, and
// everybody who asked for a transfer hears at most one end of it.
func TestCrossingTransfers(t *testing.T) {
	rounds := crossingRounds
	if testing.Short() {
		rounds /= 10
	}
	first := *seedFlag
	if first == 0 {
		first = rand.Uint64()
	}
	transferred, failed := 0, 0
	for i := range rounds {
		seed := first + uint64(i)
		if !t.Run("", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sw := crossTransfers(t, rand.New(rand.NewPCG(seed, 1)))
				for _, ev := range sw.Events("") {
					if ev.Kind == call.EventTransferred {
						transferred++
					}
				}
				failed += int(sw.Stats().Refused[call.RefusedHandover])
			})
		}) {
			t.Fatalf("again with -seed %d; the scheduler has its say, too", seed)
		}
	}
	t.Logf("%d rounds from seed %d: %d transferred, %d refused", rounds, first, transferred, failed)
	if transferred < rounds/4 {
		t.Error("the rounds do not test what they are for")
	}
}

// crossTransfers is one round.
func crossTransfers(t *testing.T, rng *rand.Rand) *calltest.Switch {
	sw := calltest.New(t, transferEffects{}, planTransfers)
	sw.Dialer.Set(1, calltest.Answers(0))
	sw.Dialer.Set(2, calltest.Answers(0))
	sw.Dialer.Set(3, calltest.Answers(time.Duration(rng.IntN(4))*time.Millisecond), calltest.AnswersLate())
	sw.Dialer.Set(4, calltest.Fails(time.Duration(rng.IntN(4))*time.Millisecond, call.CauseBusy))
	dialled := []string{"102", "102", "103", "104", "*43"}
	var legs, late legList
	for i := range 2 + rng.IntN(3) {
		from := call.Party{Extension: int64(i + 1), Number: "10" + string(rune('1'+i))}
		leg, _ := sw.Call(t, call.Invite{Client: 1, From: from, Dialled: dialled[rng.IntN(len(dialled))]})
		legs.add(leg)
	}
	pass(time.Duration(rng.IntN(4)) * time.Millisecond)
	legs.add(sw.Dialer.Legs()...)
	for range 3 {
		acts := make([]func(), 2+rng.IntN(8))
		for i := range acts {
			acts[i] = transferAct(t, rng, sw, legs.list, &late)
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
		pass(time.Duration(rng.IntN(3)) * time.Millisecond)
	}
	pass(10 * time.Second)
	wantLegsOnce(t, sw, callsOf(sw))
	for range 4 { // a leg that hangs up may have somebody called back
		for _, leg := range slices.Concat(legs.list, late.list, sw.Dialer.Legs()) {
			leg.HangUp()
		}
		pass(2 * time.Second)
	}
	wantAllEnded(t, sw, callsOf(sw))
	return sw
}

// legList is a list of legs that several goroutines may make longer.
type legList struct {
	mu   sync.Mutex
	list []*calltest.Leg
}

func (l *legList) add(legs ...*calltest.Leg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, legs...)
}

// callsOf are the calls that have not ended.
func callsOf(sw *calltest.Switch) []*call.Call {
	var calls []*call.Call
	for _, info := range sw.CallsOf(invite.Client) {
		if c, ok := sw.Get(info.Ref.ID); ok {
			calls = append(calls, c)
		}
	}
	return calls
}

// transferAct draws something that a party does.
func transferAct(t *testing.T, rng *rand.Rand, sw *calltest.Switch, legs []*calltest.Leg, late *legList) func() {
	a, b := legs[rng.IntN(len(legs))], legs[rng.IntN(len(legs))]
	to := []string{"101", "102", "103", "104", "*43"}[rng.IntN(5)]
	switch rng.IntN(16) {
	case 0, 1:
		return a.HangUp
	case 2:
		return a.Hold
	case 3:
		return a.Resume
	case 4, 5:
		return func() { a.Press("*2" + to + "#") }
	case 6:
		return func() { a.Press("#1" + to + "#") }
	case 7:
		return func() { a.Press("##") }
	case 8:
		return func() { a.Refer(call.Refer{To: to, Consult: true}) }
	case 9, 10:
		inv := call.Invite{Client: 1, From: call.Party{Extension: 9}, Replaces: &call.Replaced{Leg: a.ID()}}
		return func() {
			leg, _ := sw.Call(t, inv)
			late.add(leg)
		}
	case 11:
		return func() { handOver(sw, a, b) }
	case 12, 13:
		return func() { a.Refer(call.Refer{Leg: b.ID()}) }
	}
	return func() { a.Refer(call.Refer{To: to}) }
}

func handOver(sw *calltest.Switch, a, b *calltest.Leg) {
	from, ok := sw.CallOf(a.ID())
	to, found := sw.CallOf(b.ID())
	if ok && found {
		from.Handover(a.ID(), to)
	}
}
