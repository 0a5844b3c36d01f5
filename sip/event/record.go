package event

import (
	"errors"
	"iter"
	"time"

	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/store"
)

// Bounds of an expiry (function-keys.md 4.11): a shorter wish is refused, a
// longer one shortened.
const (
	MinExpires = time.Minute
	MaxExpires = time.Hour
)

// Reserve is how many CSeq and version numbers of NOTIFYs are reserved on disk
// at once, so that a NOTIFY costs no write.
const Reserve = 1000

// Record is what the store keeps of a subscription: enough to go on after a
// restart without the phone noticing.
type Record struct {
	// ID is our tag of the dialog, 96 random and checked bits.
	ID string `json:"id"`
	// Package and EventID are the Event header, Type the body type agreed on.
	Package string   `json:"package"`
	EventID string   `json:"event_id,omitempty"`
	Type    string   `json:"type"`
	Watcher Watcher  `json:"watcher"`
	Of      Resource `json:"of"`

	// The dialog (RFC 3261 section 12). Local and Remote are From and To of a
	// NOTIFY with their tags, User stands in our Contact.
	CallID    string   `json:"call_id"`
	RemoteTag string   `json:"remote_tag"`
	Local     string   `json:"local"`
	Remote    string   `json:"remote"`
	Target    string   `json:"target"`
	Routes    []string `json:"routes,omitempty"`
	User      string   `json:"user"`
	RemoteSeq int64    `json:"remote_seq"`
	// Reserved is the highest CSeq that may have been sent. The version of a
	// document is the CSeq of its NOTIFY less one.
	Reserved uint32 `json:"reserved"`

	// Flow is the one the last SUBSCRIBE came on, Binding the registration that
	// came over it, empty without one.
	Flow    location.Flow `json:"flow"`
	Binding string        `json:"binding,omitempty"`

	Since   time.Time `json:"since"`
	Expires time.Time `json:"expires"`
	Granted int       `json:"granted"` // seconds, of the last SUBSCRIBE
}

// Left is how long a stored subscription may live from now: until its expiry,
// and never longer than what was granted, should the clock have gone back (L6).
func (r *Record) Left(now time.Time) time.Duration {
	return min(r.Expires.Sub(now), time.Duration(r.Granted)*time.Second)
}

// Store keeps subscriptions; NewStore meets it over the live space of the store.
type Store interface {
	// Records yields every stored record, once, when the edge opens.
	Records() iter.Seq2[Record, error]
	// Put and Delete never wait, keep the order of calls and call done once when
	// the write is durable; done may be nil.
	Put(r Record, done func(error))
	Delete(id string, done func(error))
}

// recordVersion is the form of a stored Record.
const recordVersion = 1

type table struct {
	space *store.Space
	rows  *store.Table[Record]
}

// NewStore keeps subscriptions in a space, by our tag.
func NewStore(sp *store.Space) Store {
	return &table{space: sp, rows: store.NewTable[Record](sp, store.Subscriptions, recordVersion)}
}

// Records implements Store.
func (t *table) Records() iter.Seq2[Record, error] { return rows(t.rows) }

// rows yields what stands in a table.
func rows[T any](t *store.Table[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		enough := errors.New("the reader has seen enough")
		err := t.Each(store.Range{}, func(row store.Row[T]) error {
			if !yield(row.Value, nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			var none T
			yield(none, err)
		}
	}
}

// Put implements Store.
func (t *table) Put(r Record, done func(error)) {
	t.space.Submit(func(tx *store.Tx) error { return t.rows.In(tx).Put(store.Str(r.ID), r) }, done)
}

// Delete implements Store.
func (t *table) Delete(id string, done func(error)) {
	t.space.Submit(func(tx *store.Tx) error { return t.rows.In(tx).Delete(store.Str(id)) }, done)
}
