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
		seq := 0
		publish := func(n int) {
			for range n {
				seq++
				bus.Publish(call.Event{Seq: seq})
			}
		}
		publish(3) // for a reader that comes later: at once
		done := make(chan struct{})
		// Ends when the subscription is closed.
		go func() {
			defer close(done)
			for {
				events, ok := sub.Gather(context.Background(), gap, time.Time{})
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
		pass(0)
		publish(2) // within the gap
		pass(time.Millisecond)
		publish(5)
		pass(gap)
		pass(time.Second)
		publish(1) // at once again
		pass(0)
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
		if events, ok := sub.Gather(ctx, time.Minute, time.Time{}); ok || len(events) != 0 {
			t.Errorf("%d events, %v", len(events), ok)
		}
		for range 3 {
			bus.Publish(call.Event{})
		}
		if _, ok := sub.Next(t.Context()); !ok {
			t.Error("no first event")
		}
		if events, ok := sub.Gather(t.Context(), time.Minute, time.Time{}); !ok || len(events) != 2 {
			t.Errorf("%d events after the first, %v", len(events), ok)
		}
		bus.Publish(call.Event{})
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if events, ok := sub.Gather(ctx, time.Minute, time.Time{}); ok || len(events) != 1 {
			t.Errorf("%d events when ctx ended, %v", len(events), ok)
		}
	})
}

// TestGatherUntil: with nothing to tell Gather comes back at its time, but not
// sooner than gap after it last did.
func TestGatherUntil(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const gap = 20 * time.Millisecond
		bus := call.NewBus()
		sub := bus.Subscribe("x")
		defer sub.Close()
		for _, tt := range []struct{ until, want time.Duration }{
			{time.Second, time.Second}, {0, gap}, {-time.Minute, gap}, {gap / 2, gap}, {3 * gap, 3 * gap},
		} {
			began := time.Now()
			events, ok := sub.Gather(t.Context(), gap, began.Add(tt.until))
			if d := time.Since(began); d != tt.want || !ok || len(events) != 0 {
				t.Errorf("until %v: %d events, %v after %v, want %v", tt.until, len(events), ok, d, tt.want)
			}
		}
	})
}

// TestEventsReturn: an event that every subscriber is done with makes room for the
// next one, and none before that.
func TestEventsReturn(t *testing.T) {
	bus := call.NewBus()
	fast, slow := bus.Subscribe("fast"), bus.Subscribe("slow")
	seq, read := 0, 0
	turn := func(s *call.Subscription) []*call.Event {
		events, _ := s.Gather(t.Context(), 0, time.Time{})
		return events
	}
	for range 100 {
		for range 10 {
			seq++
			bus.Publish(call.Event{Seq: seq, Dialled: "102"})
		}
		turn(fast)
		if seq%30 != 0 {
			continue
		}
		for _, ev := range turn(slow) {
			if read++; ev.Seq != read || ev.Dialled != "102" {
				t.Fatalf("the slow one reads %d, want %d", ev.Seq, read)
			}
		}
	}
	slow.Close()
	if raceEnabled {
		return // its pools forget on purpose
	}
	if n := testing.AllocsPerRun(1000, func() {
		bus.Publish(call.Event{Seq: 1})
		turn(fast)
	}); n > 0 {
		t.Errorf("an event costs %v allocations", n)
	}
}
