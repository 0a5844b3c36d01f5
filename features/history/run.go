package history

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// Run writes until ctx ends; then it takes in what has been published by that
// time, waits until all of it is durable and returns. Calls that have not ended
// then stay in the journal. The error is that of Recover.
func (h *History) Run(ctx context.Context) error {
	defer h.sub.Close()
	if _, err := h.Recover(context.WithoutCancel(ctx)); err != nil { // what was published must be written even so
		return err
	}
	next := time.Now().Add(refreshEvery)
	for ctx.Err() == nil {
		h.readUntil(ctx, next)
		now := time.Now()
		if !now.Before(next) {
			h.refresh()
			next = now.Add(refreshEvery)
		}
		h.enter(now)
		if !h.flushAt.IsZero() && !now.Before(h.flushAt) {
			h.flush()
		}
	}
	h.sub.Close()
	for more := true; more; {
		var events []*call.Event
		events, more = h.sub.Gather(context.Background(), 0) // ends: the subscription is closed
		h.take(events)
	}
	h.refresh()
	h.enter(time.Now())
	h.flush()
	h.pending.Wait()
	return nil
}

// readUntil takes in the events of a while; of none if it is time for the next
// refresh or flush, or ctx ends.
func (h *History) readUntil(ctx context.Context, next time.Time) {
	if !h.flushAt.IsZero() && h.flushAt.Before(next) {
		next = h.flushAt
	}
	ctx, cancel := context.WithDeadline(ctx, next)
	defer cancel()
	events, _ := h.sub.Gather(ctx, gap)
	h.take(events)
}

// take takes events in and notes what they make due. Events of calls that began
// before New, or have ended, are not ours.
func (h *History) take(events []*call.Event) {
	if len(events) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ev := range events {
		r := h.open[ev.Call]
		switch {
		case r == nil && ev.Kind == call.EventStarted:
			r = begin(*ev)
			h.open[ev.Call] = r
			h.due(r)
		case r == nil:
		case ev.Kind == call.EventEnded:
			r.apply(*ev)
			h.end(r)
		default:
			was := r.answered
			r.apply(*ev)
			if r.answered != was || ev.Kind == call.EventAnswered && !r.first.IsZero() {
				h.due(r)
			}
		}
	}
}

// due puts a call on the list of those whose journal entry is to be written.
func (h *History) due(r *running) {
	if !r.due {
		r.due = true
		h.dirty = append(h.dirty, r)
	}
}

// end makes the record of a call that has ended. Its journal entry stays until
// the record is durable.
func (h *History) end(r *running) {
	rec := r.record(r.over, h.opts.Extension)
	delete(h.open, r.id)
	h.closing[r.id] = &rec
	h.ended = append(h.ended, &rec)
	if h.flushAt.IsZero() {
		h.flushAt = r.over.Add(gather)
	}
}

// refresh makes the journal entries of all calls due.
func (h *History) refresh() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.open {
		h.due(r)
	}
}

// enter writes the journal entries that are due, as of now.
func (h *History) enter(now time.Time) {
	for due := range slices.Chunk(h.dirty, maxGroup) {
		recs := make([]*Record, len(due))
		for i, r := range due {
			at := now
			if !r.over.IsZero() {
				at = r.over // it stands in the journal until its record is durable
			}
			rec := r.record(at, h.opts.Extension)
			recs[i], r.due = &rec, false
		}
		h.write(h.live, h.journal, recs, func([]*Record) {})
	}
	clear(h.dirty)
	h.dirty = h.dirty[:0]
}

// flush sends the gathered records to the store, which makes few commits of
// them, and lets their journal entries go when they are durable.
func (h *History) flush() {
	for recs := range slices.Chunk(h.ended, maxGroup) {
		h.addMessages(recs)
		h.write(h.records, h.calls, recs, h.recorded)
	}
	h.ended, h.flushAt = nil, time.Time{}
}

// addMessages puts the signalling into records, which others may be reading: it
// is new records that have it.
func (h *History) addMessages(recs []*Record) {
	if h.opts.Messages == nil {
		return
	}
	for i, rec := range recs {
		full := rec.withMessages(h.opts.Messages)
		recs[i] = &full
		h.mu.Lock()
		h.closing[full.CallUUID] = &full
		h.mu.Unlock()
	}
}

// recorded counts durable records and forgets their journal entries. Should that
// fail, the next start finds the records and forgets the entries then.
func (h *History) recorded(recs []*Record) {
	h.mu.Lock()
	for _, rec := range recs {
		delete(h.closing, rec.CallUUID)
	}
	h.mu.Unlock()
	h.written.Add(uint64(len(recs)))
	h.pending.Add(1)
	h.live.Submit(func(tx *store.Tx) error {
		for _, rec := range recs {
			if err := h.journal.In(tx).Delete(key(rec.CallUUID)); err != nil {
				return err
			}
		}
		return nil
	}, func(error) { h.pending.Done() })
}

// put writes a record; one that is too large goes without its sequence.
func put(rows store.Rows[Record], rec *Record) error {
	err := rows.Put(key(rec.CallUUID), *rec)
	if errors.Is(err, store.ErrTooLarge) {
		small := *rec
		small.Left += len(rec.Events) + len(rec.Trace)
		small.Events, small.Trace, small.CDR = nil, nil, slices.Clone(rec.CDR)
		for i := range small.CDR {
			small.CDR[i].Messages = nil
		}
		err = rows.Put(key(rec.CallUUID), small)
	}
	return err
}

// write writes records together; each by itself if that fails. good hears that
// they are durable. It waits while too many groups are on their way.
func (h *History) write(sp *store.Space, table *store.Table[Record], recs []*Record, good func([]*Record)) {
	h.slots <- struct{}{}
	h.pending.Add(1)
	for {
		busy := false // ErrBusy is told from within Submit
		sp.Submit(putAll(table, recs), func(err error) {
			if errors.Is(err, store.ErrBusy) {
				busy = true
				return
			}
			h.done(sp, table, recs, good, err)
			<-h.slots
		})
		if !busy {
			return
		}
		<-time.After(busyWait) // the store has made room by then
	}
}

func putAll(table *store.Table[Record], recs []*Record) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		for _, rec := range recs {
			if err := put(table.In(tx), rec); err != nil {
				return err
			}
		}
		return nil
	}
}

// done hears what became of a group, which has h.pending. One of several that
// the store cannot take must not keep the others back.
func (h *History) done(sp *store.Space, table *store.Table[Record], recs []*Record, good func([]*Record), err error) {
	defer h.pending.Done()
	switch {
	case err == nil:
		good(recs)
	case len(recs) > 1:
		for one := range slices.Chunk(recs, 1) {
			h.pending.Add(1)
			sp.Submit(putAll(table, one), func(err error) { h.done(sp, table, one, good, err) })
		}
	default:
		h.failed.Add(1)
		h.opts.Logger.Error("call record not written", "call", recs[0].CallUUID, "err", err)
	}
}
