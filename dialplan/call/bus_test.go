package call_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

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

// TestGather: what comes close together comes at once, in order, and nothing is
// kept back: not by ctx, not by Close, not from Next.
func TestGather(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const gap = 20 * time.Millisecond
		bus := call.NewBus()
		sub := bus.Subscribe("x")
		var batches []int
		last := 0
		done := make(chan struct{})
		// Ends when the subscription is closed.
		go func() {
			defer close(done)
			for {
				events, ok := sub.Gather(context.Background(), gap)
				for _, ev := range events {
					if ev.Seq != last+1 {
						t.Errorf("%d after %d", ev.Seq, last)
					}
					last = ev.Seq
				}
				if !ok {
					return
				}
				batches = append(batches, len(events))
			}
		}()
		seq := 0
		publish := func(n int) {
			for range n {
				seq++
				bus.Publish(call.Event{Seq: seq})
			}
			pass(0)
		}
		publish(3) // at once
		publish(2) // within the gap
		pass(time.Millisecond)
		publish(5)
		pass(gap)
		pass(time.Second)
		publish(1) // at once again
		publish(4)
		sub.Close() // does not wait for the gap to pass
		began := time.Now()
		<-done
		if d := time.Since(began); d != 0 {
			t.Errorf("closed after %v", d)
		}
		if want := []int{3, 7, 1, 4}; !slices.Equal(batches, want) || last != seq || sub.Depth() != 0 {
			t.Errorf("batches %v, want %v; %d of %d, depth %d", batches, want, last, seq, sub.Depth())
		}
	})
}

// TestGatherCtx: ctx ends the waiting, and what is there is returned with it.
func TestGatherCtx(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bus := call.NewBus()
		sub := bus.Subscribe("x")
		defer sub.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if events, ok := sub.Gather(ctx, time.Minute); ok || len(events) != 0 {
			t.Errorf("%d events, %v", len(events), ok)
		}
		for range 3 {
			bus.Publish(call.Event{})
		}
		if _, ok := sub.Next(t.Context()); !ok {
			t.Error("no first event")
		}
		if events, ok := sub.Gather(t.Context(), time.Minute); !ok || len(events) != 2 {
			t.Errorf("%d events after the first, %v", len(events), ok)
		}
		bus.Publish(call.Event{})
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if events, ok := sub.Gather(ctx, time.Minute); ok || len(events) != 1 {
			t.Errorf("%d events when ctx ended, %v", len(events), ok)
		}
	})
}
