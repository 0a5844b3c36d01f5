package feed

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/actor"
	"github.com/cordpair/cordpair/store"
)

const (
	// gather is how long the events of calls gather before they are taken in, unread
	// the same while nobody reads, and linger how long those who wait for events are
	// left to wait for more.
	gather    = 10 * time.Millisecond
	unread    = 50 * time.Millisecond
	linger    = 10 * time.Millisecond
	trimEvery = time.Minute
	// After so many events others may run.
	someEvents = 32
)

// Options of a Feed.
type Options struct {
	// Events and Bytes are the most that a client's ring holds; 0: 1,024 events
	// and 1 MiB, by a rough account.
	Events, Bytes int
	// Keep is how long it holds them; 0: 15 minutes.
	Keep time.Duration
	// GiveWay lets others run who should not wait for long work: it is called after
	// every few events; nil does nothing.
	GiveWay func()
}

func (o Options) withDefaults() Options {
	if o.Events <= 0 {
		o.Events = 1024
	}
	if o.Bytes <= 0 {
		o.Bytes = 1 << 20
	}
	if o.Keep <= 0 {
		o.Keep = 15 * time.Minute
	}
	if o.GiveWay == nil {
		o.GiveWay = func() {}
	}
	return o
}

// Stats are the figures of a Feed.
type Stats struct {
	Clients int // that have had an event or a reader in this life
	Readers int // open
	Kept    int // events in the rings
	Bytes   int // of them, roughly
	// Events counts those since New; Lost those without a number, which happens
	// only if the store refuses writes for millions of events.
	Events, Lost uint64
	// Backlog is the number of call events published and not yet taken in.
	Backlog int
}

// Feed holds the last events of all clients.
type Feed struct {
	opts    Options
	sub     *call.Subscription
	numbers numbers
	wakes   *actor.Mailbox[*ring]
	ended   chan struct{} // closed when Run has ended

	mu    sync.RWMutex
	rings map[int64]*ring // one that was made stays, for its numbers

	calls map[call.ID]*conversation // Run only

	readers      atomic.Int64
	events, lost atomic.Uint64
}

// New returns a Feed that has subscribed to the bus: nothing published from now
// on is missed. It takes a block of ids from the store, in one commit of the
// config space. Its owner must call Run, once.
func New(db *store.DB, bus *call.Bus, opts Options) (*Feed, error) {
	f := newFeed(db, opts, blockBits)
	if err := f.numbers.begin(); err != nil {
		return nil, err
	}
	f.sub = bus.Subscribe("feed")
	return f, nil
}

func newFeed(db *store.DB, opts Options, bits uint) *Feed {
	return &Feed{
		opts: opts.withDefaults(), numbers: numbers{space: db.Config(), bits: bits},
		wakes: actor.New[*ring](0), // at most one entry for every ring
		ended: make(chan struct{}), rings: make(map[int64]*ring), calls: make(map[call.ID]*conversation),
	}
}

// Run takes in what the calls say and wakes readers until ctx ends; then it
// takes in what has been published by that time, lets the readers know and
// returns.
func (f *Feed) Run(ctx context.Context) {
	var waking sync.WaitGroup
	waking.Go(func() { f.wakeReaders(ctx) }) // ends with ctx
	f.takeCalls(ctx)
	waking.Wait()
	close(f.ended)
}

// takeCalls takes in what the calls say.
func (f *Feed) takeCalls(ctx context.Context) {
	for f.takeSome(ctx, f.pace()) {
	}
	f.sub.Close()
	for f.takeSome(context.Background(), 0) { // ends: the subscription is closed
	}
}

// pace is how long events may gather now.
func (f *Feed) pace() time.Duration {
	if f.readers.Load() == 0 {
		return unread
	}
	return gather
}

func (f *Feed) takeSome(ctx context.Context, gap time.Duration) bool {
	events, ok := f.sub.Gather(ctx, gap, time.Time{})
	for i, ev := range events {
		if i%someEvents == someEvents-1 {
			f.opts.GiveWay()
		}
		f.take(ev)
	}
	return ok
}

// wakeReaders wakes those who wait at rings that have something new, and lets go
// of what is too old.
func (f *Feed) wakeReaders(ctx context.Context) {
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	var due []*ring
	for {
		select {
		case <-ctx.Done():
			return
		case <-trim.C:
			f.trim(time.Now().Add(-f.opts.Keep))
		case <-f.wakes.Wake():
			pause(ctx, linger)
			due = f.wakes.TakeAll(due)
			for _, r := range due {
				r.wake()
			}
		}
	}
}

// pause waits for a moment.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// append numbers an event and keeps it.
func (f *Feed) append(client int64, it *item) {
	r := f.ring(client)
	it.kept = time.Now()
	r.mu.Lock()
	if !f.numbers.may(r.next) {
		r.mu.Unlock()
		f.lost.Add(1)
		return
	}
	r.push(it, f.opts.Events, f.opts.Bytes)
	wake := r.waiting != nil && !r.due
	r.due = r.due || wake
	r.mu.Unlock()
	f.events.Add(1)
	if wake {
		f.wakes.Push(r)
	}
}

// ring returns the ring of a client.
func (f *Feed) ring(client int64) *ring {
	f.mu.RLock()
	r := f.rings[client]
	f.mu.RUnlock()
	if r != nil {
		return r
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r = f.rings[client]; r == nil {
		r = &ring{next: f.numbers.first}
		f.rings[client] = r
	}
	return r
}

// all returns the rings there are.
func (f *Feed) all() []*ring {
	f.mu.RLock()
	defer f.mu.RUnlock()
	list := make([]*ring, 0, len(f.rings))
	for _, r := range f.rings {
		list = append(list, r)
	}
	return list
}

func (f *Feed) trim(before time.Time) {
	for _, r := range f.all() {
		r.trim(before)
	}
}

func (f *Feed) hasEnded() bool {
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

// Stats returns the figures.
func (f *Feed) Stats() Stats {
	s := Stats{Readers: int(f.readers.Load()), Events: f.events.Load(), Lost: f.lost.Load(), Backlog: f.sub.Depth()}
	for _, r := range f.all() {
		r.mu.Lock()
		s.Clients, s.Kept, s.Bytes = s.Clients+1, s.Kept+r.n, s.Bytes+r.bytes
		r.mu.Unlock()
	}
	return s
}
