package reglog

import (
	"errors"
	"fmt"
	"time"

	"github.com/cordpair/cordpair/store"
)

// Query says which entries to list: those of an extension, else of a group, else
// of a client. Client must always be given and match.
type Query struct {
	Client int64
	// Extension and Group narrow it down; 0: all. The group is the one the
	// extension was in at the time.
	Extension, Group int64
	// From and To bound the time: From <= Date < To; the zero time is no bound.
	From, To    time.Time
	OldestFirst bool
	Limit       int          // 0 means all
	After       store.Cursor // where the page before ended
}

// ErrNoClient says that a Query names no client.
var ErrNoClient = errors.New("no client given")

// List returns entries, newest first, and the cursor of the next page, empty if
// there is none. A group or extension of another client has no entries.
func (l *Log) List(q Query) ([]Entry, store.Cursor, error) {
	if q.Client == 0 {
		return nil, "", fmt.Errorf("reglog: %w", ErrNoClient)
	}
	page, err := l.rows.List(q.within())
	if err != nil {
		return nil, "", fmt.Errorf("reglog: %w", err)
	}
	entries := make([]Entry, 0, len(page.Rows))
	for _, r := range page.Rows {
		if q.wants(r.Value) {
			entries = append(entries, r.Value.entry())
		}
	}
	return entries, page.Next, nil
}

// within is where the entries that are wanted lie.
func (q Query) within() store.Range {
	rg := store.Range{Index: byClient, Prefix: store.Int(q.Client), Reverse: !q.OldestFirst, Limit: q.Limit, After: q.After}
	switch {
	case q.Extension != 0:
		rg.Index, rg.Prefix = byExtension, store.Int(q.Extension)
	case q.Group != 0:
		rg.Index, rg.Prefix = byGroup, store.Int(q.Group)
	}
	if !q.From.IsZero() {
		rg.From = store.Join(rg.Prefix, store.Time(q.From))
	}
	if !q.To.IsZero() {
		rg.To = store.Join(rg.Prefix, store.Time(q.To))
	}
	return rg
}

// wants: ids of groups and extensions are given once, so this only guards
// against a caller who mixes two clients.
func (q Query) wants(r row) bool {
	return r.Client == q.Client && (q.Group == 0 || r.Group == q.Group)
}
