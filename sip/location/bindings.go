package location

import (
	"iter"
	"log/slog"
	"time"
)

// Config of Bindings.
type Config struct {
	Node  string // this node's name, written into every binding
	Store Store  // nil: nothing outlives the process
	// MinExpires, MaxExpires and DefaultExpires bound what is granted; zero
	// means 30 s, 1 h and 1 h. Longer wishes get MaxExpires.
	MinExpires, MaxExpires, DefaultExpires time.Duration
	// MaxContacts per extension; zero means 10 (S5, S13).
	MaxContacts int
	// SuspendFor is how long a phone whose connection is lost may take to come
	// back; zero means 60 s (L5).
	SuspendFor time.Duration
	// Events is told what happens, in order for each extension, outside any
	// lock, from whichever goroutine caused it. It must not wait. May be nil.
	Events func(Event)
	Logger *slog.Logger // nil: slog.Default()
}

// Store keeps records. It is written by this package's needs; NewStore meets it
// over the live space of the store.
type Store interface {
	// Records yields every stored record, once, at Open.
	Records() iter.Seq2[Record, error]
	// Commit stores r, or deletes it when it holds no binding at all, and calls
	// done once when that is durable. It never waits and keeps the order of
	// calls. done may be nil.
	Commit(r Record, done func(error))
}

// Bindings are the bindings of this node.
type Bindings struct{}

// Open loads what is stored and starts the goroutine that lets bindings end.
// Bindings over UDP can be used at once; those over streams are suspended.
func Open(cfg Config) (*Bindings, error) { return &Bindings{}, nil }

// Close writes what is still to be written and ends the goroutine. It returns
// when both are done.
func (b *Bindings) Close() error { return nil }

// Lookup appends the current bindings of an extension to dst: highest q first,
// among equals the latest refreshed first. Suspended ones are included, marked.
func (b *Bindings) Lookup(extension int64, now time.Time, dst []Binding) []Binding { return dst }

// Registrations is what the HTTP API shows: the current bindings, or with
// registered false the last ones the extension had.
func (b *Bindings) Registrations(extension int64, now time.Time) (list []Binding, registered bool) {
	return nil, false
}

// Remove ends the binding with the given registration id, or all of an extension
// when id is empty. It reports whether there was one; then done is called once
// when that is durable.
func (b *Bindings) Remove(extension int64, id string, now time.Time, done func(error)) bool {
	return false
}

// Forget removes everything known about an extension that no longer exists.
func (b *Bindings) Forget(extension int64, now time.Time, done func(error)) {}

// FlowClosed suspends the bindings of a lost stream connection.
func (b *Bindings) FlowClosed(conn uint64, now time.Time) {}

// Len is the number of current bindings of the node.
func (b *Bindings) Len() int { return 0 }
