package reglog

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call/actor"
	"github.com/cordpair/cordpair/store"
)

// Status is what an extension became.
type Status string

// The statuses.
const (
	On  Status = "on"  // the first registration came
	Off Status = "off" // the last one went
)

// Entry is an element of reg_status_log.
type Entry struct {
	Date   dialplan.Stamp `json:"date_gmt" doc:"when, UTC"`
	Status Status         `json:"status" enum:"on,off" doc:"on: the phone came online; off: it went offline"`
	Name   string         `json:"short_ext_name" doc:"name of the extension inside the client"`
	// Extension is the id; it is not part of the answer.
	Extension int64 `json:"-"`
}

// row is an entry as it is stored.
type row struct {
	Number    int64     `json:"n"`
	Client    int64     `json:"client"`
	Extension int64     `json:"extension"`
	Group     int64     `json:"group,omitempty"` // of the extension at that time
	Name      string    `json:"name"`
	Online    bool      `json:"online,omitempty"`
	At        time.Time `json:"at"`
}

func (r row) entry() Entry {
	e := Entry{Date: dialplan.StampOf(r.At), Status: Off, Name: r.Name, Extension: r.Extension}
	if r.Online {
		e.Status = On
	}
	return e
}

// Change is something that happened to the registrations of an extension.
type Change struct {
	Client, Extension int64
	// Group is the extension's group, 0 without one.
	Group int64
	// Name is the extension's name inside the client: "101".
	Name string
	Type dialplan.Type
	// Wanted is the client's reg_status_log.
	Wanted bool
	// Added: a registration came; otherwise one went.
	Added bool
	// Left is the number of registrations the extension has after the change.
	Left int
	At   time.Time
}

// worth reports whether a change belongs into the log.
func (c Change) worth() bool {
	if !c.Wanted || c.Type != dialplan.TypePhone {
		return false
	}
	if c.Added {
		return c.Left == 1
	}
	return c.Left == 0
}

// Options of a Log.
type Options struct {
	// Retention is how long entries are kept; 0: 13 months of 31 days.
	Retention time.Duration
	// Logger takes what goes wrong; nil: slog.Default().
	Logger *slog.Logger
}

const (
	defaultRetention = 13 * 31 * 24 * time.Hour
	maxQueue         = 64 << 10 // entries on their way to Run: a lost line takes all phones of a site away at once
)

// Stats are the counters of a Log since New.
type Stats struct {
	// Queued is the number of entries that are not written yet.
	Queued int
	// Written counts durable entries, Lost those that found the queue full or
	// that the store refused for good, Removed those that became too old.
	Written, Lost, Removed uint64
}

// Log is the registration log of all clients.
type Log struct {
	opts   Options
	space  *store.Space
	rows   *store.Table[row]
	box    *actor.Mailbox[row]
	queued atomic.Int64

	written, lost, removed atomic.Uint64
}

// Indexes of the rows; each ends with the time and the number.
const (
	byClient    = "client"
	byGroup     = "group"
	byExtension = "extension"
)

// New returns the log in the store's records space, which may open later.
func New(db *store.DB, opts Options) *Log {
	if opts.Retention <= 0 {
		opts.Retention = defaultRetention
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	index := func(name string, owner func(row) int64) store.Index[row] {
		return store.Index[row]{Name: name, Keys: func(r row) []store.Key {
			if owner(r) == 0 {
				return nil
			}
			return []store.Key{store.Join(store.Int(owner(r)), store.Time(r.At), store.Int(r.Number))}
		}}
	}
	return &Log{
		opts: opts, space: db.Records(), box: actor.New[row](maxQueue),
		rows: store.NewTable(db.Records(), store.RegLog, 1,
			index(byClient, func(r row) int64 { return r.Client }),
			index(byGroup, func(r row) int64 { return r.Group }),
			index(byExtension, func(r row) int64 { return r.Extension }),
		),
	}
}

// Note takes a change in if it belongs into the log. It never waits.
func (l *Log) Note(c Change) {
	if !c.worth() {
		return
	}
	l.queued.Add(1)
	if !l.box.Push(row{Client: c.Client, Extension: c.Extension, Group: c.Group, Name: c.Name, Online: c.Added, At: c.At.UTC().Round(0)}) {
		l.queued.Add(-1)
		l.lost.Add(1)
	}
}

// Stats returns the counters.
func (l *Log) Stats() Stats {
	return Stats{Queued: int(l.queued.Load()), Written: l.written.Load(), Lost: l.lost.Load(), Removed: l.removed.Load()}
}
