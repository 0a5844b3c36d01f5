package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

// Action is what was done to something.
type Action string

// The actions.
const (
	Create Action = "create"
	Change Action = "change"
	Delete Action = "delete"
)

// Entry is one change.
type Entry struct {
	// Number counts the changes of this switch: 1, 2, 3 …
	Number int64          `json:"number" doc:"number of the change, the order of the log"`
	At     dialplan.Stamp `json:"at" doc:"when, by the clock of the switch, UTC"`
	By     Actor          `json:"by" doc:"who made the change, and from where"`
	// Client is whose configuration it is, 0 for the switch's own.
	Client int64  `json:"client_id" doc:"client whose configuration was changed"`
	What   string `json:"what" doc:"kind of resource: client, extension, user …"`
	ID     string `json:"id" doc:"id of the resource"`
	Action Action `json:"action" enum:"create,change,delete" doc:"what was done"`
	// Before and After are JSON objects, for a change only with the fields that
	// differ; secrets show as "***". Before is absent from a creation, After
	// from a deletion.
	Before json.RawMessage `json:"before,omitempty" doc:"the fields before the change, secrets masked"`
	After  json.RawMessage `json:"after,omitempty" doc:"the fields after the change, secrets masked"`
}

// Write says what Append has to write down.
type Write struct {
	Client int64
	What   string
	ID     string
	// Before and After are the resource as a value that marshals to a JSON
	// object; nil Before is a creation, nil After a deletion.
	Before, After any
	// Secrets are the JSON names of secrets that were set. A store.Secret shows
	// nothing in JSON, so nothing else would tell that it changed.
	Secrets []string
}

// ErrNothing says that a Write has neither a before nor an after.
var ErrNothing = errors.New("neither created nor deleted")

// Log is the log of a store.
type Log struct {
	entries *store.Table[Entry]
}

// How entries are found otherwise than by number.
const (
	byClient  = "client"
	bySubject = "subject"
)

// New returns the log of a store.
func New(db *store.DB) *Log {
	return &Log{store.NewTable(db.Config(), store.Audit, 1,
		store.Index[Entry]{Name: byClient, Keys: func(e Entry) []store.Key {
			return []store.Key{store.Join(store.Int(e.Client), store.Int(e.Number))}
		}},
		store.Index[Entry]{Name: bySubject, Keys: func(e Entry) []store.Key {
			return []store.Key{store.Join(store.Str(e.What), store.Str(e.ID), store.Int(e.Number))}
		}},
	)}
}

// Append writes an entry in the transaction of the change, which is one of the
// config space; who made it stands in ctx. A change that changes nothing and
// sets no secret leaves no entry. Errors: ErrNothing, what does not marshal to
// an object, and those of the store.
func (l *Log) Append(ctx context.Context, tx *store.Tx, w Write) error {
	e, err := entry(w)
	if err != nil || e == nil {
		return err
	}
	if e.Number, err = tx.NextID(store.Audit); err != nil {
		return err
	}
	e.At, e.By = dialplan.StampOf(time.Now()), By(ctx)
	return l.entries.In(tx).Put(store.Int(e.Number), *e)
}

// entry is what is to be written of w; nil if nothing has changed.
func entry(w Write) (*Entry, error) {
	before, err := object(w.Before)
	if err != nil {
		return nil, err
	}
	after, err := object(w.After)
	if err != nil {
		return nil, err
	}
	e := &Entry{Client: w.Client, What: w.What, ID: w.ID, Action: Change}
	switch {
	case before == nil && after == nil:
		return nil, fmt.Errorf("audit: %s %s: %w", w.What, w.ID, ErrNothing)
	case before == nil:
		e.Action = Create
	case after == nil:
		e.Action = Delete
	default:
		before, after = diff(before, after)
	}
	for _, name := range w.Secrets {
		if after != nil {
			after[name] = mask
		}
		if before != nil {
			before[name] = mask
		}
	}
	if len(before) == 0 && len(after) == 0 && e.Action == Change {
		return nil, nil
	}
	return e, e.fill(before, after)
}

// fill sets the sides that there are.
func (e *Entry) fill(before, after map[string]any) (err error) {
	if e.Action != Create {
		if e.Before, err = side(before); err != nil {
			return err
		}
	}
	if e.Action != Delete {
		e.After, err = side(after)
	}
	return err
}

// Query says which entries to list.
type Query struct {
	Client int64  // 0: of all clients and of the switch itself
	What   string // empty: everything
	ID     string // with What; empty: all of them
	// From and To bound the time: From <= At < To; the zero time is no bound.
	From, To    time.Time
	OldestFirst bool
	Limit       int          // 0: 100
	After       store.Cursor // where the page before ended
}

const (
	defaultLimit = 100
	// maxLooked bounds the work of one page when most entries are not wanted.
	maxLooked = 10_000
)

// errStop ends a walk early; it never leaves the package.
var errStop = errors.New("stop")

// List returns entries in the order of their numbers, newest first, and the
// cursor of the next page, empty if there is none. A page may hold less than
// Limit, even nothing, and have a next one. The error wraps store.ErrBadKey for
// a cursor that List never gave.
func (l *Log) List(q Query) (list []Entry, next store.Cursor, err error) {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	rg, err := q.within()
	if err != nil {
		return nil, "", err
	}
	looked, last := 0, int64(0)
	err = l.entries.Each(rg, func(row store.Row[Entry]) error {
		if len(list) == q.Limit || looked == maxLooked {
			next = store.Cursor(strconv.FormatInt(last, 10))
			return errStop
		}
		looked, last = looked+1, row.Value.Number
		if q.wants(row.Value) {
			list = append(list, row.Value)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, "", fmt.Errorf("audit: %w", err)
	}
	return list, next, nil
}

// within is where the entries that are wanted lie.
func (q Query) within() (store.Range, error) {
	rg := store.Range{Reverse: !q.OldestFirst}
	switch {
	case q.What != "" && q.ID != "":
		rg.Index, rg.Prefix = bySubject, store.Join(store.Str(q.What), store.Str(q.ID))
	case q.Client != 0:
		rg.Index, rg.Prefix = byClient, store.Int(q.Client)
	}
	if q.After == "" {
		return rg, nil
	}
	n, err := strconv.ParseInt(string(q.After), 10, 64)
	if err != nil || n <= 0 {
		return rg, fmt.Errorf("audit: cursor: %w", store.ErrBadKey)
	}
	if q.OldestFirst {
		rg.From = store.Join(rg.Prefix, store.Int(n+1))
	} else {
		rg.To = store.Join(rg.Prefix, store.Int(n))
	}
	return rg, nil
}

// wants reports whether an entry is one of those asked for.
func (q Query) wants(e Entry) bool {
	switch {
	case q.Client != 0 && e.Client != q.Client,
		q.What != "" && e.What != q.What,
		q.ID != "" && e.ID != q.ID,
		!q.From.IsZero() && e.At.Before(q.From),
		!q.To.IsZero() && !e.At.Before(q.To):
		return false
	}
	return true
}
