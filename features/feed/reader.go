package feed

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

var (
	// ErrBehind says that a reader was so slow that events it had to get are
	// gone. It gets nothing more; a new one is told what it missed.
	ErrBehind = errors.New("reader fell behind")
	// ErrClosed says that the feed has ended.
	ErrClosed = errors.New("feed has ended")
)

// maxBatch is the most events that Next looks at, and so returns, at a time.
const maxBatch = 256

// Reader is a place in the stream of a client. It belongs to one goroutine.
type Reader struct {
	feed    *Feed
	ring    *ring
	filter  Filter
	next    ID // the first event it has not looked at
	started bool
	behind  bool
	closed  bool
}

// Read returns a reader of the events of a client that follow after, the id of
// the last one known; with 0, of those from now on. If some of them are not kept
// any more, or after was never given in this life, its first event is a KindGap.
// Close it when done.
func (f *Feed) Read(client int64, after ID, filter Filter) *Reader {
	r := &Reader{feed: f, ring: f.ring(client), filter: filter, next: after + 1}
	r.ring.join() // before its place is taken: from here on nothing is skipped
	if after == 0 {
		r.ring.mu.Lock()
		r.next, r.started = r.ring.next, true
		r.ring.mu.Unlock()
	}
	f.readers.Add(1)
	return r
}

// Next returns the next events, at least one and at most 256, waiting for them.
// Errors: ErrBehind, ErrClosed once everything has been read, that of ctx.
func (r *Reader) Next(ctx context.Context) ([]Event, error) {
	for {
		ended := r.feed.hasEnded() // before looking: what was there by then is read
		events, wait, err := r.take()
		switch {
		case err != nil || len(events) > 0:
			return events, err
		case wait == nil:
			continue // nothing wanted so far, and there is more
		case ended:
			return nil, ErrClosed
		}
		select {
		case <-wait:
		case <-r.feed.ended:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// At is the id up to which the reader has looked at everything, wanted or not: a
// Last-Event-ID that keeps a reader of rare events from beginning far behind.
func (r *Reader) At() ID { return r.next - 1 }

// Close ends the reader. Closing twice does nothing.
func (r *Reader) Close() {
	if !r.closed {
		r.closed = true
		r.ring.leave(time.Now().Add(r.feed.opts.Keep))
		r.feed.readers.Add(-1)
	}
}

// take returns what there is; or where to wait for more if it is at the end.
func (r *Reader) take() ([]Event, <-chan struct{}, error) {
	gap, items, wait := r.look()
	if r.behind {
		return nil, nil, ErrBehind
	}
	events := gap
	for _, it := range items {
		events = append(events, it.event()) // JSON is made without the lock
	}
	return events, wait, nil
}

// look moves the reader on.
func (r *Reader) look() (gap []Event, items []*item, wait <-chan struct{}) {
	ring := r.ring
	ring.mu.Lock()
	defer ring.mu.Unlock()
	first := ring.first()
	switch {
	case !r.started:
		gap = r.begin(first)
	case r.next < first:
		r.behind = true
	}
	if r.behind {
		return nil, nil, nil
	}
	for end := min(ring.next, r.next+maxBatch-ID(len(gap))); r.next < end; r.next++ {
		if it := ring.at(r.next); r.filter.wants(it) {
			items = append(items, it)
		}
	}
	if r.next == ring.next {
		wait = ring.wait()
	}
	return gap, items, wait
}

// begin finds the place of a reader that resumes. The lock of the ring is held.
func (r *Reader) begin(first ID) []Event {
	r.started = true
	from := r.next
	switch {
	case r.next > r.ring.next:
		from = 0 // of another life: nobody knows what it missed
	case r.next >= first:
		return nil
	}
	r.next = first
	return []Event{gapEvent(from, first-1)}
}

func gapEvent(from, to ID) Event {
	raw, _ := json.Marshal(struct { // two numbers always marshal
		From ID `json:"from"`
		To   ID `json:"to"`
	}{from, to})
	return Event{to, KindGap, raw}
}
