package call

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/dialplan/call/actor"
)

// Bus carries the events of all calls to those who project them: records,
// webhooks, lamps. A publisher never waits and nothing is dropped: each
// subscriber has a queue of its own, whose Depth is to be watched. Each
// subscriber sees the events of one call in the order of their Seq.
type Bus struct {
	mu   sync.Mutex
	subs atomic.Pointer[[]*Subscription] // replaced as a whole under mu
}

// NewBus returns a bus without subscribers.
func NewBus() *Bus {
	b := &Bus{}
	b.subs.Store(&[]*Subscription{})
	return b
}

// Publish hands an event to every subscriber. From any goroutine.
func (b *Bus) Publish(ev Event) {
	subs := *b.subs.Load()
	if len(subs) == 0 {
		return
	}
	shared := ev // by all subscribers, none of whom gets to write to it
	for _, s := range subs {
		if s.box.Push(&shared) {
			s.depth.Add(1)
		}
	}
}

// Subscribe returns a subscription to everything published from now on. Name
// appears in metrics. The subscriber must read or Close it.
func (b *Bus) Subscribe(name string) *Subscription {
	s := &Subscription{bus: b, name: name, box: actor.New[*Event](0)}
	b.change(func(subs []*Subscription) []*Subscription { return append(subs, s) })
	return s
}

// Subscriptions returns the open subscriptions, for metrics.
func (b *Bus) Subscriptions() []*Subscription {
	return append([]*Subscription(nil), *b.subs.Load()...)
}

// change replaces the list of subscriptions by a changed copy.
func (b *Bus) change(f func([]*Subscription) []*Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	subs := f(b.Subscriptions())
	b.subs.Store(&subs)
}

// Subscription is one subscriber's queue. Next and Gather belong to one
// goroutine, the other methods to any.
type Subscription struct {
	bus   *Bus
	name  string
	box   *actor.Mailbox[*Event]
	depth atomic.Int64

	clock    *time.Timer // reader only, of Gather
	gathered time.Time   // reader only: when Gather last returned events
	batch    []*Event    // reader only
	at       int         // reader only: the next of batch
}

// Name is the name given to Subscribe.
func (s *Subscription) Name() string { return s.name }

// Depth is the number of events published and not yet read.
func (s *Subscription) Depth() int { return int(s.depth.Load()) }

// Next returns the next event, waiting for it. It returns false when ctx ends,
// or when the subscription is closed and everything before that has been read.
func (s *Subscription) Next(ctx context.Context) (Event, bool) {
	for {
		if s.at < len(s.batch) {
			ev := s.batch[s.at]
			s.at++
			s.depth.Add(-1)
			return *ev, true
		}
		if !s.wait(ctx) {
			return Event{}, false
		}
		s.take()
	}
}

// Gather waits for an event and returns all that are there, in order; but not
// sooner than gap after it last did, so that what comes close together comes at
// once and a busy switch wakes its readers a few times a second and not at every
// event. It returns false, and what is there nevertheless, when ctx ends; and
// when the subscription is closed and everything before that has been read. The
// list is valid until the next call; the events belong to all subscribers and
// must not be changed.
func (s *Subscription) Gather(ctx context.Context, gap time.Duration) (events []*Event, ok bool) {
	ok = s.at < len(s.batch) || s.wait(ctx)
	if early := gap - time.Since(s.gathered); ok && early > 0 && !s.box.Closed() {
		ok = s.pause(ctx, early)
	}
	if s.at == len(s.batch) {
		s.take()
	}
	events, s.at = s.batch[s.at:], len(s.batch)
	s.depth.Add(-int64(len(events)))
	if len(events) > 0 {
		s.gathered = time.Now()
	}
	return events, ok
}

// pause waits while others publish; false if ctx ends before that.
func (s *Subscription) pause(ctx context.Context, d time.Duration) bool {
	if s.clock == nil {
		s.clock = time.NewTimer(d)
	} else {
		s.clock.Reset(d)
	}
	defer s.clock.Stop()
	select {
	case <-s.clock.C:
		return true
	case <-s.box.Done():
		return true
	case <-ctx.Done():
		return false
	}
}

// take fetches what was published.
func (s *Subscription) take() { s.batch, s.at = s.box.TakeAll(s.batch), 0 }

// wait waits until there is something to take; false if ctx ends before that, or
// the subscription is closed and empty.
func (s *Subscription) wait(ctx context.Context) bool {
	for {
		closed := s.box.Closed() // before looking: what was pushed before it is in the box
		if !s.box.Empty() {
			return true
		}
		if closed {
			return false
		}
		select {
		case <-s.box.Wake():
		case <-ctx.Done():
			return false
		}
	}
}

// Close ends the subscription: nothing published afterwards is seen; what was
// published before can still be read.
func (s *Subscription) Close() {
	s.bus.change(func(subs []*Subscription) []*Subscription {
		for i, other := range subs {
			if other == s {
				return append(subs[:i], subs[i+1:]...)
			}
		}
		return subs
	})
	s.box.Close()
}
