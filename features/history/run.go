package history

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
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
		events, more = h.sub.Gather(context.Background(), 0, time.Time{}) // ends: the subscription is closed
		h.take(events)
	}
	h.refresh()
	h.enter(time.Now(), len(h.old))
	h.flush(time.Now().Add(gather + collect))
	h.pending.Wait()
	h.enter(time.Now(), 0)
	return nil
}

// readUntil takes in the events of a while; of none if it is time for the next
// refresh or flush, or ctx ends. It lasts gap at least, whatever is due: behind it
// the journal is written.
func (h *History) readUntil(ctx context.Context, next time.Time) {
	if len(h.ended) > 0 && h.ended[0].due.Add(collect).Before(next) {
		next = h.ended[0].due.Add(collect)
	}
	if len(h.left) > 0 && h.left[0].due.Before(next) {
		next = h.left[0].due
	}
	if sign := h.signed.Add(signEvery); sign.Before(next) && h.signs() {
		next = sign
	}
	if len(h.old) > 0 {
		next = time.Now()
	}
	events, _ := h.sub.Gather(ctx, gap, next)
	h.take(events)
}

// take takes events in and notes what they make due. Events of calls that began
// before New, or have ended, are not ours.
func (h *History) take(events []*call.Event) {
	for some := range slices.Chunk(events, someEvents) {
		h.takeSome(some)
		h.opts.GiveWay()
	}
}

func (h *History) takeSome(events []*call.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ev := range events {
		r := h.open[ev.Call]
		switch {
		case r == nil && ev.Kind == call.EventStarted:
			r = begin(ev)
			h.open[ev.Call] = r
			h.due(r)
		case r == nil:
		case ev.Kind == call.EventEnded:
			r.apply(ev)
			h.end(r)
		default:
			was := r.answered
			r.apply(ev)
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

// end notes that a call has ended. Its journal entry stays until its record is
// durable.
func (h *History) end(r *running) {
	delete(h.open, r.id)
	h.closing[r.id] = r
	h.last[r.client] = r.id
	h.ended = append(h.ended, ended{r, r.over.Add(gather)})
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
	h.sign(now)
	for i, r := range h.dirty {
		if i%someEntries == someEntries-1 {
			h.opts.GiveWay()
		}
		h.note(r, now)
		r.due = false
	}
	clear(h.dirty)
	h.dirty = h.dirty[:0]
	refreshed := h.old[:min(some, len(h.old))]
	for i, id := range refreshed {
		if i%someEntries == someEntries-1 {
			h.opts.GiveWay()
		}
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

// note puts what is new of a call on the sheet.
func (h *History) note(r *running, now time.Time) {
	if r.noted == 0 {
		h.noteAll(r, now)
		return
	}
	h.sheet.Append(string(r.id), entryHead+r.noted, r.tale.b[r.noted:])
	r.noted = len(r.tale.b)
}

// noteAll puts the entry of a call on the sheet, as of now. It stands in the journal
// until the record is durable.
func (h *History) noteAll(r *running, now time.Time) {
	// It cannot fail.
	_ = h.sheet.Put(string(r.id), func(b []byte) ([]byte, error) { return r.appendEntry(b, now), nil })
	r.noted = len(r.tale.b)
}

// renew puts the entry of a call on the sheet that has no durable record yet.
func (h *History) renew(id call.ID, now time.Time) {
	h.mu.Lock()
	r := cmp.Or(h.open[id], h.closing[id])
	h.mu.Unlock()
	if r != nil {
		h.noteAll(r, now)
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
