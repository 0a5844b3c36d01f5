//go:build !race

package history

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store/storetest"
)

// TestAllocations: a call from one phone to another, from its first event to the row
// of its record, takes a handful of objects.
func TestAllocations(t *testing.T) {
	h := New(storetest.Open(t), call.NewBus(), Options{})
	defer h.sub.Close()
	if err := h.journal.Turn(); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	var events []*call.Event
	for i, ev := range []call.Event{
		{Kind: call.EventStarted, Leg: "a", Party: alice, Dialled: "102"},
		{Kind: call.EventLegStarted, Leg: "a", Party: alice, Direction: call.Inbound},
		{Kind: call.EventDecided, Trace: &call.TraceEntry{At: at, Kind: call.TraceNumber, Name: "102"}},
		{Kind: call.EventLegStarted, Leg: "b", Party: bob, Direction: call.Outbound},
		{Kind: call.EventRinging, Leg: "b", Party: bob},
		{Kind: call.EventAnswered, Leg: "b", Party: bob},
		{Kind: call.EventAnswered, Leg: "a", Party: alice},
		{Kind: call.EventLegEnded, Leg: "a", Party: alice, Cause: call.CauseNormal, Remote: true, Stats: &call.MediaStats{PacketsReceived: 50}},
		{Kind: call.EventLegEnded, Leg: "b", Party: bob, Cause: call.CauseNormal, Stats: &call.MediaStats{PacketsReceived: 50}},
		{Kind: call.EventEnded, Cause: call.CauseNormal, By: "a"},
	} {
		ev.Call, ev.Client, ev.Seq, ev.At = "X", 7, i+1, at
		events = append(events, &ev)
	}
	var g group
	n := testing.AllocsPerRun(100, func() {
		h.take(events)
		h.enter(at, 0)
		h.render(&g, h.ended[0].r)
		clear(h.closing)
		h.ended = h.ended[:0]
		g = group{calls: g.calls[:0], rows: g.rows[:0], ends: g.ends[:0], spots: g.spots[:0]}
	})
	if n > 6 {
		t.Errorf("%v objects", n)
	}
}
