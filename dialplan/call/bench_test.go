package call_test

import (
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// benchSwitch is a registry without anybody who listens.
func benchSwitch(plan func(call.Invite) call.Planner) (*call.Registry, *calltest.Dialer) {
	d := &calltest.Dialer{}
	return call.NewRegistry(call.Config{
		Dialer: d, Mixer: calltest.Mixer{}, Effects: effects(), Plan: plan,
		Logger: slog.New(slog.DiscardHandler), MaxCalls: 1 << 20,
	}), d
}

// until waits for something the loops bring about.
func until(b *testing.B, ok func() bool) {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			b.Fatal("timeout")
		}
	}
}

// BenchmarkIdleCall measures what a call costs while two parties talk: memory
// of loop, timer, snapshot and seats, with the fake legs taken off; and
// goroutines.
func BenchmarkIdleCall(b *testing.B) {
	const calls = 10000
	for b.Loop() {
		r, d := benchSwitch(calltest.Steps(step("ring")))
		d.Set(2, (*calltest.Leg).PickUp)
		goroutines, before := runtime.NumGoroutine(), memory()
		legs := make([]*calltest.Leg, calls)
		for i := range legs {
			legs[i] = calltest.NewLeg(invite.From)
		}
		fake := memory() - before
		for _, leg := range legs {
			if _, err := r.Start(leg, invite); err != nil {
				b.Fatal(err)
			}
		}
		until(b, func() bool {
			for _, info := range r.CallsOf(invite.Client) {
				if info.State != call.StateTalking {
					return false
				}
			}
			return true
		})
		time.Sleep(100 * time.Millisecond) // scripts return
		b.ReportMetric(float64(memory()-before-2*fake)/calls, "B/call")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/calls, "goroutines/call")
		runtime.KeepAlive(legs)
		r.Close()
	}
}

// memory is what heap and stacks hold now.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestCostOfReading: a picture of a call is there for the taking, and an event
// costs its own memory and nothing else.
func TestCostOfReading(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("echo")), func(cfg *call.Config) { cfg.MailboxCap = 1 << 20 })
		caller, c := sw.Call(t, invite)
		pass(0)
		gate := make(chan struct{})
		c.Stall(gate)
		pass(0)
		if n := testing.AllocsPerRun(100, func() { _ = c.Info() }); n != 0 {
			t.Errorf("Info: %v allocations", n)
		}
		if n := testing.AllocsPerRun(1000, func() { caller.Emit(call.LegEvent{Kind: call.LegDigit}) }); n > 1 {
			t.Errorf("Emit: %v allocations", n)
		}
		close(gate)
	})
}
