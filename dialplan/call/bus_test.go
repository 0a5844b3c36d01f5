package call_test

import (
	"context"
	"sync"
	"testing"

	"github.com/cordpair/cordpair/dialplan/call"
)

// TestBus: nothing is dropped for a subscriber that is slow, order is kept per
// publisher, and what was published before Close can still be read.
func TestBus(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const publishers, each = 4, 1000
		bus := call.NewBus()
		bus.Publish(call.Event{Client: 99}) // nobody listens yet
		sub, other := bus.Subscribe("slow"), bus.Subscribe("gone")
		other.Close()
		var all sync.WaitGroup
		for p := range int64(publishers) {
			all.Go(func() {
				for i := range each {
					bus.Publish(call.Event{Client: p, Seq: i})
				}
			})
		}
		all.Wait()
		if d := sub.Depth(); d != publishers*each || other.Depth() != 0 {
			t.Errorf("depth %d, of the closed one %d", d, other.Depth())
		}
		if subs := bus.Subscriptions(); len(subs) != 1 || subs[0].Name() != "slow" {
			t.Errorf("subscriptions %v", subs)
		}
		sub.Close()
		bus.Publish(call.Event{Client: 99}) // after Close
		next := map[int64]int{}
		for range publishers * each {
			ev, ok := sub.Next(t.Context())
			if !ok || ev.Seq != next[ev.Client] {
				t.Fatalf("got %+v, %v; want seq %d", ev, ok, next[ev.Client])
			}
			next[ev.Client]++
		}
		if ev, ok := sub.Next(t.Context()); ok || sub.Depth() != 0 {
			t.Errorf("after all: %+v, depth %d", ev, sub.Depth())
		}
	})
}

// TestBusWaits: Next waits for an event, for Close, for its ctx.
func TestBusWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bus := call.NewBus()
		sub := bus.Subscribe("x")
		got := make(chan bool)
		next := func(ctx context.Context) {
			_, ok := sub.Next(ctx) // ends with an event, ctx or the subscription
			got <- ok
		}
		go next(t.Context())
		pass(0)
		bus.Publish(call.Event{})
		if !<-got {
			t.Error("event was not seen")
		}
		ctx, cancel := context.WithCancel(t.Context())
		go next(ctx)
		pass(0)
		cancel()
		if <-got {
			t.Error("event after ctx has ended")
		}
		go next(t.Context())
		pass(0)
		sub.Close()
		sub.Close()
		if <-got {
			t.Error("event after Close")
		}
	})
}
