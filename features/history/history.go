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
	sp      *store.Space
	journal *store.Table[Record]
	calls   *store.Table[Record]
	sub     *call.Subscription

	recovered atomic.Bool
	open      map[call.ID]*running // Run only

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
	sp := db.Records()
	return &History{
		opts: opts, sp: sp, sub: bus.Subscribe("history"),
		open: make(map[call.ID]*running), slots: make(chan struct{}, maxPending),
		journal: store.NewTable[Record](sp, store.Journal, 1),
		calls: store.NewTable(sp, store.Calls, 1, store.Index[Record]{Name: byTime, Keys: func(r Record) []store.Key {
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
		err = h.sp.Update(func(tx *store.Tx) error {
			for _, row := range page.Rows {
				if err := h.finish(tx, row.Value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return n, fmt.Errorf("history: recover: %w", err)
		}
		n += len(page.Rows)
	}
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
		if now := time.Now(); !now.Before(next) {
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
	h.refresh(time.Now())
	h.pending.Wait()
	return nil
}

// readUntil takes events in until it is time for the next refresh or ctx ends.
func (h *History) readUntil(ctx context.Context, next time.Time) {
	ctx, cancel := context.WithDeadline(ctx, next)
	defer cancel()
	for ctx.Err() == nil {
		ev, ok := h.sub.Next(ctx)
		if !ok {
			return
		}
		h.take(ev)
	}
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
		rec := r.record(ev.At, h.opts.Extension)
		h.submit(rec.CallUUID, func(tx *store.Tx) error { return h.finish(tx, rec) }, &h.written)
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
	h.submit(rec.CallUUID, func(tx *store.Tx) error { return put(h.journal.In(tx), rec) }, nil)
}

// finish puts the final record in the place of the journal entry.
func (h *History) finish(tx *store.Tx, rec Record) error {
	if err := put(h.calls.In(tx), rec); err != nil {
		return err
	}
	return h.journal.In(tx).Delete(key(rec.CallUUID))
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
// their way. good, if not nil, counts it when it is durable.
func (h *History) submit(id call.ID, fn func(*store.Tx) error, good *atomic.Uint64) {
	h.slots <- struct{}{}
	h.pending.Add(1)
	for {
		busy := false // ErrBusy is told from within Submit
		h.sp.Submit(fn, func(err error) {
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

func (h *History) done(id call.ID, err error, good *atomic.Uint64) {
	switch {
	case err != nil:
		h.failed.Add(1)
		h.opts.Logger.Error("call record not written", "call", id, "err", err)
	case good != nil:
		good.Add(1)
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
