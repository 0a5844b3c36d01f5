package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

const (
	refreshEvery = 10 * time.Second
	// refreshSome is how many journal entries are refreshed at a time, so that no
	// call waits for thousands.
	refreshSome = 64
	maxGroup    = 16  // rows written together
	maxPending  = 512 // groups on their way to the disk
	// After so many events, entries and rows others may run.
	someEvents, someEntries, someRows = 32, 16, 4
	// maxRow is the largest row of a record, with room for what the store adds.
	maxRow   = store.MaxRow - 64
	busyWait = 20 * time.Millisecond
	// gap is how often Run looks at events at most, so that it wakes a few times a
	// second and the state of many calls goes into the journal at once.
	gap = 40 * time.Millisecond
	// gather is how long the record of an ended call waits for the last messages of
	// its legs. Until it is durable the journal entry stands.
	gather = 200 * time.Millisecond
	// collect is how long it waits then for the records of others, with which it
	// shares a commit and the places in the lists.
	collect = 60 * time.Millisecond
	// maxBacklog is the number of events not read above which the History is full.
	maxBacklog = 1 << 15
	// maxFailed is the number of records the store would not take above which the
	// History is full. They are kept for the journal, so that the next start can
	// write them.
	maxFailed = 4096
)

// Options of a History.
type Options struct {
	// Extension describes an extension as it is now; the zero Extension if
	// there is none. Called from any goroutine, it must be quick; nil leaves the names out of records.
	Extension func(client, id int64) Extension
	// Messages returns the signalling of a leg as far as the edge kept it, also
	// for a while after the leg's end: it is asked when the record is written, a
	// fraction of a second later. Called from any goroutine; nil leaves the
	// messages out.
	Messages func(call.LegID) []call.Message
	// GiveWay lets others run who should not wait for long work: it is called about
	// once in a tenth of a millisecond of it; nil does nothing.
	GiveWay func()
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
	// reading while Pending is at its cap, so a slow disk shows here.
	Backlog int
	// Pending is the number of groups of records on their way to the disk.
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
	live    *store.Space
	journal *store.Daybook       // of calls without a durable record
	before  *store.Table[Record] // the journal of earlier releases
	calls   *store.Table[Record]
	briefs  *store.Table[brief] // the same rows
	rows    *store.Table[row]   // the same rows
	blocks  *store.Table[row]   // where they stand in lists
	sub     *call.Subscription

	recovered atomic.Bool

	mu      sync.Mutex // guards what follows; not held over I/O
	open    map[call.ID]*running
	closing map[call.ID]*running // ended, their records not durable yet
	durable []call.ID            // whose journal entries may go
	last    map[int64]call.ID    // by client, the call that ended last

	// Run only
	ended []ended    // calls that have, by time
	left  []left     // legs that have left theirs, by time
	dirty []*running // journal entries due
	old   []call.ID  // those that stand in the file before only
	sheet store.Sheet
	pen   writer
	rec   Record // that is being written
	mute  bool   // the journal cannot be written, which was said

	signed time.Time // when the journal had the last sign of life

	slots           chan struct{} // one for every pending group
	pending         sync.WaitGroup
	written, failed atomic.Uint64
}

// New returns a History that has subscribed to the bus: nothing published from
// now on is missed. Its owner must call Run.
func New(db *store.DB, bus *call.Bus, opts Options) *History {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.GiveWay == nil {
		opts.GiveWay = func() {}
	}
	records := db.Records()
	return &History{
		opts: opts, records: records, live: db.Live(), sub: bus.Subscribe("history"),
		open: make(map[call.ID]*running), closing: make(map[call.ID]*running), last: make(map[int64]call.ID), slots: make(chan struct{}, maxPending),
		journal: db.Daybook(), before: store.NewTable[Record](db.Live(), store.Journal, recordVersion),
		calls:  store.NewTable[Record](records, store.Calls, recordVersion),
		briefs: store.NewTable[brief](records, store.Calls, recordVersion),
		rows:   store.NewTable[row](records, store.Calls, recordVersion),
		blocks: store.NewTable[row](records, store.CallPlaces, blockVersion),
	}
}

// ended is a call whose record is not on its way yet.
type ended struct {
	r   *running
	due time.Time // then it may go
}

func key(id call.ID) store.Key { return store.Str(string(id)) }

// Recover makes records of the calls that a killed process left in the journal
// and returns how many there were. It needs the records space open and runs once,
// before Run, which otherwise does it itself.
func (h *History) Recover(ctx context.Context) (n int, err error) {
	if h.recovered.Load() {
		return 0, nil
	}
	placed := func(tx *store.Tx, _ store.Key, rec Record) error { return h.putPlaces(tx, &rec) }
	if err := h.calls.UpgradeWith(ctx, placed); err != nil {
		return 0, fmt.Errorf("history: %w", err)
	}
	rows, err := h.journalled()
	if err != nil {
		return 0, fmt.Errorf("history: recover: %w", err)
	}
	for some := range slices.Chunk(rows, 64) {
		if err := ctx.Err(); err != nil {
			return n, fmt.Errorf("history: recover: %w", err)
		}
		made, err := h.closeJournal(some)
		if err != nil {
			return n, fmt.Errorf("history: recover: %w", err)
		}
		n += made
	}
	if err := errors.Join(h.forgetBefore(rows), h.journal.Turn()); err != nil {
		return n, fmt.Errorf("history: recover: %w", err)
	}
	if err := h.journal.Retire(); err != nil {
		return n, fmt.Errorf("history: recover: %w", err)
	}
	h.recovered.Store(true)
	return n, nil
}

// journalled are the entries of the journal, and of that of earlier releases.
func (h *History) journalled() ([]store.Row[Record], error) {
	page, err := h.before.List(store.Range{})
	if err != nil {
		return nil, err
	}
	entries, err := h.journal.Entries()
	if err != nil {
		return nil, err
	}
	rows := page.Rows
	sign := lastSign(entries)
	for id, entry := range entries {
		var rec Record
		if err := parseEntry(&rec, call.ID(id), entry, sign, h.opts.Extension); err != nil {
			h.opts.Logger.Error("journal entry cannot be read", "call", id, "err", err)
			continue
		}
		rows = append(rows, store.Row[Record]{Key: key(rec.CallUUID), Value: rec})
	}
	return rows, nil
}

// closeJournal makes records of journal entries, except where the record got
// through before the process was killed. It may be cut off anywhere and run again.
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
			if err := h.putRecord(tx, &row.Value); err != nil {
				return err
			}
			made++
		}
		return nil
	})
	return made, err
}

// forgetBefore empties the journal of earlier releases, whose entries are among
// rows.
func (h *History) forgetBefore(rows []store.Row[Record]) error {
	for some := range slices.Chunk(rows, 64) {
		err := h.live.Update(func(tx *store.Tx) error {
			for _, row := range some {
				if err := h.before.In(tx).Delete(row.Key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Stats reads the counters.
func (h *History) Stats() Stats {
	return Stats{Backlog: h.sub.Depth(), Pending: len(h.slots), Written: h.written.Load(), Failed: h.failed.Load()}
}

// Full reports whether the disk does not keep up with the calls, or has failed too
// many: new ones should be refused, for what waits is kept in memory.
func (h *History) Full() bool { return h.sub.Depth() >= maxBacklog || h.failed.Load() >= maxFailed }
