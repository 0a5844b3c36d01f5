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
	used sync.Pool                       // of *shared that all have read
}

// shared is an event in the queues of its subscribers. The last of them that is
// done with it makes it free for another event.
type shared struct {
	Event
	readers atomic.Int32 // who are not done
}

// NewBus returns a bus without subscribers.
func NewBus() *Bus {
	b := &Bus{}
	b.subs.Store(&[]*Subscription{})
	return b
}

// Publish hands an event to every subscriber. From any goroutine.
func (b *Bus) Publish(ev Event) { b.publish(&ev) }

// publish is Publish of an event that stays the publisher's.
func (b *Bus) publish(ev *Event) {
	subs := *b.subs.Load()
	if len(subs) == 0 {
		return
	}
	e, ok := b.used.Get().(*shared)
	if !ok {
		e = &shared{}
	}
	e.Event = *ev
	e.readers.Store(int32(len(subs)))
	for _, s := range subs {
		s.depth.Add(1)
		if !s.box.Push(e) {
			s.depth.Add(-1)
			b.done(e)
		}
	}
}

// done is told by each subscriber of an event that it will not look at it again.
func (b *Bus) done(e *shared) {
	if e.readers.Add(-1) == 0 {
		e.Event = Event{}
		b.used.Put(e)
	}
}

// Subscribe returns a subscription to everything published from now on. Name
// appears in metrics. The subscriber must read or Close it.
func (b *Bus) Subscribe(name string) *Subscription {
	s := &Subscription{bus: b, name: name, box: actor.New[*shared](0)}
	s.box.Keep(usualBatch)
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

// usualBatch is how many events a busy switch has for a reader at a time.
const usualBatch = 1024

// Subscription is one subscriber's queue. Next and Gather belong to one
// goroutine, the other methods to any.
type Subscription struct {
	bus   *Bus
	name  string
	box   *actor.Mailbox[*shared]
	depth atomic.Int64

	clock    *time.Timer // reader only, of Gather
	gathered time.Time   // reader only: when Gather last returned
	batch    []*shared   // reader only: what was taken
	events   []*Event    // reader only: batch as Gather returns it
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
			ev := s.batch[s.at].Event
			s.at++
			s.depth.Add(-1)
			return ev, true
		}
		if !s.wait(ctx, time.Time{}) {
			return Event{}, false
		}
		s.take()
	}
}

// Gather waits for an event and returns all that are there, in order; but not
// sooner than gap after it last returned, so that what comes close together comes
// at once and a busy switch wakes its readers a few times a second and not at every
// event. With nothing to tell it comes back when until has come, unless that is
// zero. It returns false, and what is there nevertheless, when ctx ends; and
// when the subscription is closed and everything before that has been read. The
// list and the events are valid until the next call, when other events take their
// place; they belong to all subscribers and must not be changed.
func (s *Subscription) Gather(ctx context.Context, gap time.Duration, until time.Time) (events []*Event, ok bool) {
	ok = true
	if early := gap - time.Since(s.gathered); early > 0 && !s.box.Closed() {
		ok = s.pause(ctx, early) // and then, most often, there is no need to wait
	}
	if ok && s.at == len(s.batch) {
		ok = s.wait(ctx, until)
	}
	if s.at == len(s.batch) {
		s.take()
	}
	s.events = s.events[:0]
	for _, e := range s.batch[s.at:] {
		s.events = append(s.events, &e.Event)
	}
	s.at = len(s.batch)
	s.depth.Add(-int64(len(s.events)))
	s.gathered = time.Now()
	return s.events, ok
}

// alarm is a channel that fires after d, until the next alarm; those who ask for it
// stop the clock.
func (s *Subscription) alarm(d time.Duration) <-chan time.Time {
	if s.clock == nil {
		s.clock = time.NewTimer(d)
	} else {
		s.clock.Reset(d)
	}
	return s.clock.C
}

// pause waits while others publish; false if ctx ends before that.
func (s *Subscription) pause(ctx context.Context, d time.Duration) bool {
	over := s.alarm(d)
	defer s.clock.Stop()
	select {
	case <-over:
		return true
	case <-s.box.Done():
		return true
	case <-ctx.Done():
		return false
	}
}

// take fetches what was published, and lets go of what it fetched before.
func (s *Subscription) take() {
	for _, e := range s.batch {
		s.bus.done(e)
	}
	s.batch, s.at = s.box.TakeAll(s.batch), 0
}

// wait waits until there is something to take, or until has come; false if ctx ends
// before that, or the subscription is closed and empty.
func (s *Subscription) wait(ctx context.Context, until time.Time) bool {
	var late <-chan time.Time
	for {
		closed := s.box.Closed() // before looking: what was pushed before it is in the box
		if !s.box.Empty() {
			return true
		}
		if closed {
			return false
		}
		if late == nil && !until.IsZero() {
			d := time.Until(until)
			if d <= 0 {
				return true
			}
			late = s.alarm(d)
			defer s.clock.Stop()
		}
		select {
		case <-s.box.Wake():
		case <-late:
			return true
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
