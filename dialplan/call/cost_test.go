package call_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features"
)

// bench is a registry with the real plan and the real steps. Its legs and its dialer
// do nothing and cost nothing, so what is measured is the call's.
type bench struct {
	calls *call.Registry
	sub   *call.Subscription
	inv   call.Invite
	idle  []idleLeg  // of calls that stay
	used  [2]idleLeg // of those that come and go
	taken int
	dial  [1]call.Leg
}

// newBench is a bench with legs for so many calls that stay.
func newBench(tb testing.TB, calls int) *bench {
	tb.Helper()
	client := dialplan.DefaultClient()
	client.ID, client.Name, client.Prefix, client.Domain = 1, "Example", "0001", "sip.example.org"
	rows := dialplan.Rows{Client: client}
	for i := range 2 {
		x := dialplan.DefaultExtension()
		x.ID, x.ClientID, x.Name = int64(i+1), 1, fmt.Sprintf("0001*%d", 101+i)
		rows.Extensions = append(rows.Extensions, dialplan.Row{Extension: x, Phone: dialplan.DefaultPhone()})
	}
	view, err := dialplan.Compile(rows)
	if err != nil {
		tb.Fatal(err)
	}
	b := &bench{idle: make([]idleLeg, 2*calls), inv: call.Invite{Client: 1, Dialled: "102"}}
	b.inv.From, _ = view.Party(1)
	for i := range b.idle {
		b.idle[i].id = call.LegID(fmt.Sprintf("%032x", i))
	}
	b.used[0].id, b.used[1].id = "caller", "callee"
	bus := call.NewBus()
	b.sub = bus.Subscribe("bench")
	b.calls = call.NewRegistry(call.Config{
		Node: "bench", Dialer: b, Mixer: b, Effects: features.New(), Bus: bus, MaxCalls: 1 << 20,
		Plan:   func(inv call.Invite) call.Planner { return dialplan.Plan(view, dialplan.Facts{Invite: inv}) },
		Logger: slog.New(slog.DiscardHandler),
	})
	return b
}

// leg is the next one: callers and called in turn.
func (b *bench) leg() *idleLeg {
	b.taken++
	if b.taken <= len(b.idle) {
		return &b.idle[b.taken-1]
	}
	l := &b.used[(b.taken-1)%2]
	*l = idleLeg{id: l.id}
	return l
}

// Dial makes a leg.
func (b *bench) Dial(owner *call.Call, _ call.Target) ([]call.Leg, call.Cause) {
	l := b.leg()
	l.Attach(owner)
	b.dial[0] = l
	return b.dial[:], ""
}

// Join does nothing.
func (b *bench) Join(_, _ call.Media) {}

// answered is a call from 101 to 102 that was answered, and its caller.
func (b *bench) answered(tb testing.TB) (*call.Call, *idleLeg) {
	caller := b.leg()
	c, err := b.calls.Start(caller, b.inv)
	if err != nil {
		tb.Fatal(err)
	}
	callee := b.dial[0].(*idleLeg)
	callee.Emit(call.LegEvent{Leg: callee.id, Kind: call.LegRinging})
	callee.Emit(call.LegEvent{Leg: callee.id, Kind: call.LegAnswered})
	caller.Emit(call.LegEvent{Leg: caller.id, Kind: call.LegAnswered}) // the ACK
	return c, caller
}

// read takes what was published, as those who make records do.
func (b *bench) read() int {
	events, _ := b.sub.Gather(context.Background(), 0, time.Time{})
	return len(events)
}

// call is a whole call: started, ringing, answered, hung up by the caller. It returns
// how many events it had.
func (b *bench) call(tb testing.TB) int {
	_, caller := b.answered(tb)
	caller.leave(call.LegEvent{Remote: true})
	return b.read()
}

func (b *bench) close() {
	b.calls.Close()
	b.sub.Close()
}

// idleLeg is a leg that does as it is told and costs nothing.
type idleLeg struct {
	call.Line
	id    call.LegID
	stats call.MediaStats
}

func (l *idleLeg) leave(ev call.LegEvent) {
	ev.Leg, ev.Kind, ev.Cause, ev.Stats = l.id, call.LegGone, call.CauseNormal, &l.stats
	l.Emit(ev)
}

func (l *idleLeg) ID() call.LegID          { return l.id }
func (l *idleLeg) Party() call.Party       { return call.Party{Extension: 2, Number: "102"} }
func (l *idleLeg) Media() call.Media       { return idleMedia{} }
func (l *idleLeg) Stats() call.MediaStats  { return l.stats }
func (l *idleLeg) Ring(bool)               {}
func (l *idleLeg) Answer()                 {}
func (l *idleLeg) Connected(call.Party)    {}
func (l *idleLeg) Forwarded()              {}
func (l *idleLeg) Inform(call.Information) {}
func (l *idleLeg) Referred(call.Progress)  {}
func (l *idleLeg) Hangup(call.Cause)       { l.leave(call.LegEvent{}) }

type idleMedia struct{}

func (idleMedia) Play([]string, bool, func(error)) {}
func (idleMedia) Echo()                            {}
func (idleMedia) Quiet()                           {}

// TestCostOfCall: a call from phone to phone, with its plan and its events, allocates
// no more than it does.
func TestCostOfCall(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := newBench(t, 0)
	defer b.close()
	if n := b.call(t); n != 15 {
		t.Errorf("%d events", n)
	}
	if n := b.calls.Len(); n != 0 {
		t.Errorf("%d calls are left", n)
	}
	if n := testing.AllocsPerRun(500, func() { b.call(t) }); n > 15 {
		t.Errorf("%v allocations", n)
	}
}
