package history

import (
	"context"
	"errors"
	"maps"
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
		h.enter(now, refreshSome)
		h.keepMessages(now)
		h.flush(now)
	}
	h.sub.Close()
	for more := true; more; {
		var events []*call.Event
		events, more = h.sub.Gather(context.Background(), 0) // ends: the subscription is closed
		h.take(events)
	}
	h.refresh()
	h.enter(time.Now(), len(h.old))
	h.flush(time.Now().Add(gather))
	h.pending.Wait()
	h.enter(time.Now(), 0)
	return nil
}

// readUntil takes in the events of a while; of none if it is time for the next
// refresh or flush, or ctx ends.
func (h *History) readUntil(ctx context.Context, next time.Time) {
	if len(h.ended) > 0 && h.ended[0].due.Before(next) {
		next = h.ended[0].due
	}
	if len(h.left) > 0 && h.left[0].due.Before(next) {
		next = h.left[0].due
	}
	if soon := time.Now().Add(gap); len(h.old) > 0 && soon.Before(next) {
		next = soon
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
			h.leaves(r, ev)
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
	r.remember(&rec)
	delete(h.open, r.id)
	h.closing[r.id] = &rec
	h.ended = append(h.ended, ended{&rec, r.over.Add(gather)})
}

// refresh turns the journal over to another file, into which the entries of all
// calls are to be written before the file before goes.
func (h *History) refresh() {
	if len(h.old) > 0 {
		return // still at it
	}
	if err := h.journal.Turn(); err != nil {
		h.journalErr(err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.old = slices.AppendSeq(h.old, maps.Keys(h.open))
	h.old = slices.AppendSeq(h.old, maps.Keys(h.closing))
	if len(h.old) == 0 {
		h.old = append(h.old, "") // nobody: the file before goes all the same
	}
}

// enter writes the journal entries that are due, as of now, some of those to be
// refreshed, and that others are not needed any more.
func (h *History) enter(now time.Time, some int) {
	h.sheet.Reset()
	for _, r := range h.dirty {
		h.note(r, now)
		r.due = false
	}
	clear(h.dirty)
	h.dirty = h.dirty[:0]
	refreshed := h.old[:min(some, len(h.old))]
	for _, id := range refreshed {
		h.renew(id, now)
	}
	h.old = h.old[len(refreshed):]
	h.mu.Lock()
	durable := h.durable
	h.durable = nil
	h.mu.Unlock()
	for _, id := range durable {
		h.sheet.Delete(string(id))
	}
	err := h.journal.Write(&h.sheet)
	if err == nil && len(refreshed) > 0 && len(h.old) == 0 {
		err = h.journal.Retire()
	}
	h.journalErr(err)
}

// note puts the entry of a call on the sheet, as of now or of its end: it stands in
// the journal until its record is durable.
func (h *History) note(r *running, now time.Time) {
	if !r.over.IsZero() {
		now = r.over
	}
	rec := r.record(now, h.opts.Extension)
	h.noteRecord(&rec)
}

func (h *History) noteRecord(rec *Record) {
	if err := h.sheet.Put(string(rec.CallUUID), rec.appendEntry); err != nil {
		h.opts.Logger.Error("journal entry not written", "call", rec.CallUUID, "err", err)
	}
}

// renew puts the entry of a call on the sheet that has no durable record yet.
func (h *History) renew(id call.ID, now time.Time) {
	h.mu.Lock()
	r, rec := h.open[id], h.closing[id]
	h.mu.Unlock()
	switch {
	case r != nil:
		h.note(r, now)
	case rec != nil:
		h.noteRecord(rec)
	}
}

// journalErr says that the journal cannot be written, or nil that it can: once. The
// calls go on.
func (h *History) journalErr(err error) {
	if err != nil && !h.mute {
		h.opts.Logger.Error("journal of calls cannot be written", "err", err)
	}
	h.mute = err != nil
}

// flush sends the records that are due by now to the store, which syncs the disk
// for many of them: a few at a time, so that no call waits for all of a moment's.
func (h *History) flush(now time.Time) {
	n := 0
	for n < len(h.ended) && !h.ended[n].due.After(now) {
		n++
	}
	for some := range slices.Chunk(h.ended[:n], maxGroup) {
		recs := make([]*Record, len(some))
		for i, e := range some {
			recs[i] = e.rec
		}
		h.addMessages(recs)
		h.write(recs)
	}
	h.ended = slices.Delete(h.ended, 0, n)
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

// recorded counts durable records. Their journal entries go with the next sheet;
// should the process not live to write it, the next start finds the records.
func (h *History) recorded(recs []*Record) {
	h.mu.Lock()
	for _, rec := range recs {
		delete(h.closing, rec.CallUUID)
		h.durable = append(h.durable, rec.CallUUID)
	}
	h.mu.Unlock()
	h.written.Add(uint64(len(recs)))
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

// write writes records together; each by itself if that fails. It waits while too
// many groups are on their way.
func (h *History) write(recs []*Record) {
	h.slots <- struct{}{}
	h.pending.Add(1)
	for {
		busy := false // ErrBusy is told from within Submit
		h.records.SubmitLate(h.putAll(recs), func(err error) {
			if errors.Is(err, store.ErrBusy) {
				busy = true
				return
			}
			h.done(recs, err)
			<-h.slots
		})
		if !busy {
			return
		}
		<-time.After(busyWait) // the store has made room by then
	}
}

func (h *History) putAll(recs []*Record) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		for _, rec := range recs {
			if err := put(h.calls.In(tx), rec); err != nil {
				return err
			}
		}
		return nil
	}
}

// done hears what became of a group, which has h.pending. One of several that
// the store cannot take must not keep the others back.
func (h *History) done(recs []*Record, err error) {
	defer h.pending.Done()
	switch {
	case err == nil:
		h.recorded(recs)
	case len(recs) > 1:
		for one := range slices.Chunk(recs, 1) {
			h.pending.Add(1)
			h.records.SubmitLate(h.putAll(one), func(err error) { h.done(one, err) })
		}
	default:
		h.failed.Add(1)
		h.opts.Logger.Error("call record not written", "call", recs[0].CallUUID, "err", err)
	}
}
