package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

const (
	refreshEvery = 10 * time.Second
	maxPending   = 4096 // writes on their way to the disk
	busyWait     = 20 * time.Millisecond
	// gather is how long the record of an ended call waits for others, so that
	// one sync of the disk serves them all. Until then its journal entry stands.
	gather = 200 * time.Millisecond
)

// Options of a History.
type Options struct {
	// Extension describes an extension as it is now; the zero Extension if
	// there is none. Called by Run only; nil leaves the names out of records.
	Extension func(client, id int64) Extension
	// Logger takes what goes wrong; nil: slog.Default().
	Logger *slog.Logger
}

// Extension is what a record remembers of the owner of a leg.
type Extension struct {
	Name  string // prefix*name@domain
	Type  string // phone, ivr, queue, fax, conference
	Group int64  // 0 without one
}

// Stats are the counters of a History since New.
type Stats struct {
	// Backlog is the number of events published and not yet read. Run stops
	// reading while Pending is at its cap of 4096, so a slow disk shows here.
	Backlog int
	// Pending is the number of writes on their way to the disk.
	Pending int
	// Written counts final records that are durable, Failed writes that the
	// store refused for good.
	Written, Failed uint64
}

// History writes the records of calls and finds them again. Run belongs to one
// goroutine, the other methods to any.
type History struct {
	opts    Options
	records *store.Space
	live    *store.Space // the journal: safe from a killed process without a sync
	journal *store.Table[Record]
	calls   *store.Table[Record]
	sub     *call.Subscription

	recovered atomic.Bool
	// Run only
	open    map[call.ID]*running
	ended   []Record  // of calls that have ended, not yet on their way
	flushAt time.Time // when they go; zero while there is none

	slots           chan struct{} // one for every pending write
	pending         sync.WaitGroup
	written, failed atomic.Uint64
}

// byTime finds the records of a client by the time of their beginning.
const byTime = "client_time"

// New returns a History that has subscribed to the bus: nothing published from
// now on is missed. Its owner must call Run.
func New(db *store.DB, bus *call.Bus, opts Options) *History {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	return &History{
		opts: opts, records: db.Records(), live: db.Live(), sub: bus.Subscribe("history"),
		open: make(map[call.ID]*running), slots: make(chan struct{}, maxPending),
		journal: store.NewTable[Record](db.Live(), store.Journal, 1),
		calls: store.NewTable(db.Records(), store.Calls, 1, store.Index[Record]{Name: byTime, Keys: func(r Record) []store.Key {
			return []store.Key{store.Join(store.Int(r.Client), store.Time(r.InitTime.Time))}
		}}),
	}
}

func key(id call.ID) store.Key { return store.Str(string(id)) }

// Recover makes records of the calls that a killed process left in the journal
// and returns how many there were. It needs the records space open and runs once,
// before Run, which otherwise does it itself.
func (h *History) Recover(ctx context.Context) (n int, err error) {
	if h.recovered.Load() {
		return 0, nil
	}
	for {
		page, err := h.journal.List(store.Range{Limit: 64})
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return n, fmt.Errorf("history: recover: %w", err)
		}
		if len(page.Rows) == 0 {
			h.recovered.Store(true)
			return n, nil
		}
		made, err := h.closeJournal(page.Rows)
		if err != nil {
			return n, fmt.Errorf("history: recover: %w", err)
		}
		n += made
	}
}

// closeJournal makes records of journal entries, except where the record got
// through before the process was killed, and then forgets the entries. It may
// be cut off anywhere and run again.
func (h *History) closeJournal(rows []store.Row[Record]) (made int, err error) {
	err = h.records.Update(func(tx *store.Tx) error {
		made = 0
		for _, row := range rows {
			switch _, err := h.calls.In(tx).Get(row.Key); {
			case err == nil:
				continue
			case !errors.Is(err, store.ErrNotFound):
				return err
			}
			if err := put(h.calls.In(tx), row.Value); err != nil {
				return err
			}
			made++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return made, h.live.Update(func(tx *store.Tx) error {
		for _, row := range rows {
			if err := h.journal.In(tx).Delete(row.Key); err != nil {
				return err
			}
		}
		return nil
	})
}

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
		if !h.flushAt.IsZero() && !now.Before(h.flushAt) {
			h.flush()
		}
		if !now.Before(next) {
			h.refresh(now)
			next = now.Add(refreshEvery)
		}
	}
	h.sub.Close()
	for {
		ev, ok := h.sub.Next(context.Background()) // ends: the subscription is closed
		if !ok {
			break
		}
		h.take(ev)
	}
	h.flush()
	h.refresh(time.Now())
	h.pending.Wait()
	return nil
}

// readUntil takes events in until it is time for the next refresh or flush, or
// ctx ends.
func (h *History) readUntil(ctx context.Context, next time.Time) {
	if !h.flushAt.IsZero() && h.flushAt.Before(next) {
		next = h.flushAt
	}
	ctx, cancel := context.WithDeadline(ctx, next)
	defer cancel()
	for ctx.Err() == nil {
		none := h.flushAt.IsZero()
		ev, ok := h.sub.Next(ctx)
		if !ok {
			return
		}
		h.take(ev)
		if none && !h.flushAt.IsZero() {
			return // there is a nearer end now
		}
	}
}

// flush sends the gathered records to the store, which makes few commits of
// them, and lets each journal entry go when its record is durable.
func (h *History) flush() {
	for _, rec := range h.ended {
		h.submit(h.records, rec.CallUUID, func(tx *store.Tx) error { return put(h.calls.In(tx), rec) }, h.recorded)
	}
	h.ended, h.flushAt = nil, time.Time{}
}

// recorded counts a durable record and forgets its journal entry. Should that
// fail, the next start finds the record and forgets it then.
func (h *History) recorded(id call.ID) {
	h.written.Add(1)
	h.pending.Add(1)
	h.live.Submit(func(tx *store.Tx) error { return h.journal.In(tx).Delete(key(id)) }, func(error) { h.pending.Done() })
}

// take takes one event in and writes what it makes due. Events of calls that
// began before New, or have ended, are not ours.
func (h *History) take(ev call.Event) {
	r := h.open[ev.Call]
	switch {
	case r == nil && ev.Kind == call.EventStarted:
		r = begin(ev)
		h.open[ev.Call] = r
		h.enter(r, ev.At)
	case r == nil:
	case ev.Kind == call.EventEnded:
		r.apply(ev)
		delete(h.open, ev.Call)
		h.ended = append(h.ended, r.record(ev.At, h.opts.Extension))
		if h.flushAt.IsZero() {
			h.flushAt = time.Now().Add(gather)
		}
	default:
		was := r.answered
		r.apply(ev)
		if r.answered != was || ev.Kind == call.EventAnswered && !r.first.IsZero() {
			h.enter(r, ev.At)
		}
	}
}

// refresh writes the journal entries of all calls. The store makes few commits
// of them.
func (h *History) refresh(now time.Time) {
	for _, r := range h.open {
		h.enter(r, now)
	}
}

// enter writes the journal entry of a call as of now.
func (h *History) enter(r *running, now time.Time) {
	rec := r.record(now, h.opts.Extension)
	h.submit(h.live, rec.CallUUID, func(tx *store.Tx) error { return put(h.journal.In(tx), rec) }, nil)
}

// put writes a record; one that is too large goes without its sequence.
func put(rows store.Rows[Record], rec Record) error {
	err := rows.Put(key(rec.CallUUID), rec)
	if errors.Is(err, store.ErrTooLarge) {
		rec.Left += len(rec.Events) + len(rec.Trace)
		rec.Events, rec.Trace = nil, nil
		err = rows.Put(key(rec.CallUUID), rec)
	}
	return err
}

// submit hands a write to the store in order, waiting while too many are on
// their way. good, if not nil, hears that it is durable.
func (h *History) submit(sp *store.Space, id call.ID, fn func(*store.Tx) error, good func(call.ID)) {
	h.slots <- struct{}{}
	h.pending.Add(1)
	for {
		busy := false // ErrBusy is told from within Submit
		sp.Submit(fn, func(err error) {
			if errors.Is(err, store.ErrBusy) {
				busy = true
				return
			}
			h.done(id, err, good)
		})
		if !busy {
			return
		}
		time.Sleep(busyWait)
	}
}

func (h *History) done(id call.ID, err error, good func(call.ID)) {
	switch {
	case err != nil:
		h.failed.Add(1)
		h.opts.Logger.Error("call record not written", "call", id, "err", err)
	case good != nil:
		good(id)
	}
	<-h.slots
	h.pending.Done()
}

// Stats reads the counters.
func (h *History) Stats() Stats {
	return Stats{Backlog: h.sub.Depth(), Pending: len(h.slots), Written: h.written.Load(), Failed: h.failed.Load()}
}

// Get returns the record of a call that has ended, or store.ErrNotFound.
func (h *History) Get(id call.ID) (Record, error) {
	rec, err := h.calls.Get(key(id))
	if err != nil {
		return rec, fmt.Errorf("history: call %s: %w", id, err)
	}
	return rec, nil
}

// Query says which records to list.
type Query struct {
	Client int64
	// From and To bound the beginning of the call: From <= InitTime < To. The
	// zero time is no bound.
	From, To time.Time
	// OldestFirst turns the order round; it is newest first otherwise.
	OldestFirst bool
	// Limit is the most records on a page; 0 means all.
	Limit int
	// After is the cursor the page before returned.
	After store.Cursor
}

// List returns the records of a client and the cursor of the next page, empty if
// there is none.
func (h *History) List(q Query) ([]Record, store.Cursor, error) {
	client := store.Int(q.Client)
	rg := store.Range{Index: byTime, Prefix: client, Reverse: !q.OldestFirst, Limit: q.Limit, After: q.After}
	if !q.From.IsZero() {
		rg.From = store.Join(client, store.Time(q.From))
	}
	if !q.To.IsZero() {
		rg.To = store.Join(client, store.Time(q.To))
	}
	page, err := h.calls.List(rg)
	if err != nil {
		return nil, "", fmt.Errorf("history: %w", err)
	}
	recs := make([]Record, len(page.Rows))
	for i, row := range page.Rows {
		recs[i] = row.Value
	}
	return recs, page.Next, nil
}
