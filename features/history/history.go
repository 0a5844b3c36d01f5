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
	maxGroup     = 32  // rows written together
	maxPending   = 128 // groups on their way to the disk
	busyWait     = 20 * time.Millisecond
	// gap is how often Run looks at events at most, so that it wakes a few times a
	// second and the state of many calls goes into the journal at once.
	gap = 20 * time.Millisecond
	// gather is how long the record of an ended call waits for others, so that
	// one sync of the disk serves them all. Until then its journal entry stands.
	gather = 200 * time.Millisecond
	// maxBacklog is the number of events not read above which the History is full.
	maxBacklog = 1 << 15
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
	// Pending is the number of groups of writes on their way to the disk.
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
	briefs  *store.Table[brief] // the same rows
	sub     *call.Subscription

	recovered atomic.Bool

	mu      sync.Mutex // guards what follows; not held over I/O
	open    map[call.ID]*running
	closing map[call.ID]*Record // ended, not durable yet

	// Run only
	ended   []*Record  // of calls that have ended, not yet on their way
	dirty   []*running // journal entries due
	flushAt time.Time  // when the ended go; zero while there is none

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
	calls, briefs := tables(db.Records())
	return &History{
		opts: opts, records: db.Records(), live: db.Live(), sub: bus.Subscribe("history"),
		open: make(map[call.ID]*running), closing: make(map[call.ID]*Record), slots: make(chan struct{}, maxPending),
		journal: store.NewTable[Record](db.Live(), store.Journal, recordVersion), calls: calls, briefs: briefs,
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
	if err := h.calls.Upgrade(ctx); err != nil {
		return 0, fmt.Errorf("history: %w", err)
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
			if err := put(h.calls.In(tx), &row.Value); err != nil {
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

// Stats reads the counters.
func (h *History) Stats() Stats {
	return Stats{Backlog: h.sub.Depth(), Pending: len(h.slots), Written: h.written.Load(), Failed: h.failed.Load()}
}

// Full reports whether the disk does not keep up with the calls: new ones should
// be refused until it does, for what waits is kept in memory.
func (h *History) Full() bool { return h.sub.Depth() >= maxBacklog }
