package location

import (
	"fmt"
	"iter"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config of Bindings.
type Config struct {
	Node  string // this node's name, written into every binding
	Store Store  // nil: nothing outlives the process
	// MinExpires, MaxExpires and DefaultExpires bound what is granted; zero
	// means 30 s, 1 h and 1 h. Longer wishes get MaxExpires.
	MinExpires, MaxExpires, DefaultExpires time.Duration
	// Spread is by how many percent at most a granted interval is shorter than what
	// was asked for, so that phones that came together do not come back together
	// (O4); zero means 20, negative none. One phone gets the same each time.
	Spread int
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

const (
	defaultMinExpires  = 30 * time.Second
	defaultMaxExpires  = time.Hour
	defaultMaxContacts = 10
	defaultSpread      = 20
	defaultSuspendFor  = time.Minute
)

func (c *Config) fill() {
	setDefault(&c.MinExpires, defaultMinExpires)
	setDefault(&c.MaxExpires, defaultMaxExpires)
	setDefault(&c.DefaultExpires, defaultMaxExpires)
	setDefault(&c.MaxContacts, defaultMaxContacts)
	if c.Spread == 0 {
		c.Spread = defaultSpread
	}
	setDefault(&c.SuspendFor, defaultSuspendFor)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

func setDefault[T time.Duration | int](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Bindings are the bindings of this node.
type Bindings struct {
	cfg    Config
	shards [shardCount]shard
	flows  flows
	live   atomic.Int64 // current bindings

	closed   atomic.Bool
	stop     chan struct{}
	ended    chan struct{}  // the goroutine has returned
	work     sync.WaitGroup // deliveries and commits under way
	behind   atomic.Int64   // commits under way that nobody waits for
	failedAt atomic.Int64   // last log line about a failing store, Unix seconds
}

// Open loads what is stored and starts the goroutine that lets bindings end.
// Bindings over UDP can be used at once; those over streams are suspended. Each
// lives a granted interval and a quarter longer than is stored, but not longer
// than one interval from now: its last refreshes, which were acknowledged, may not
// be in the store.
func Open(cfg Config) (*Bindings, error) {
	cfg.fill()
	b := &Bindings{cfg: cfg, stop: make(chan struct{}), ended: make(chan struct{})}
	b.flows = newFlows()
	for i := range b.shards {
		b.shards[i].records = map[int64]*record{}
	}
	if cfg.Store != nil {
		if err := b.load(time.Now()); err != nil {
			return nil, err
		}
	}
	go b.tend() // ends when Close closes b.stop
	return b, nil
}

// Close writes what is still to be written and ends the goroutine. It returns
// when the store has answered everything, with an error if the store refused
// something to the end; the store must still be open. Closing twice does nothing.
func (b *Bindings) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	close(b.stop)
	<-b.ended
	b.round(0, b.catchUp)
	for left := math.MaxInt; ; {
		b.round(0, func(sh *shard) { b.flush(sh) })
		b.work.Wait()
		before := left
		left = 0
		b.round(0, func(sh *shard) { left += len(sh.dirty) })
		if left == 0 {
			return nil
		}
		if left >= before {
			return fmt.Errorf("bindings: the last changes of %d extensions are not stored", left)
		}
	}
}

// catchUp has the refreshes written that the store was not told of.
func (b *Bindings) catchUp(sh *shard) {
	for _, rec := range sh.records {
		if rec.lagging {
			b.soil(sh, rec)
		}
	}
}

// round visits every shard, beginning with the given one, and hands out what
// came of it.
func (b *Bindings) round(first int, visit func(*shard)) {
	for i := range b.shards {
		sh := &b.shards[(first+i)%shardCount]
		sh.mu.Lock()
		visit(sh)
		b.deliver(sh)
	}
}

// tendEvery is how often endings are looked for and refreshes are written.
const tendEvery = 500 * time.Millisecond

// tend is the goroutine of the bindings.
func (b *Bindings) tend() {
	defer close(b.ended)
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for first := 0; ; first++ { // another shard first each time, should the store be slow
		select {
		case <-b.stop:
			return
		case <-tick.C:
			now := time.Now()
			b.round(first, func(sh *shard) {
				b.reap(sh, now)
				b.flush(sh)
			})
		}
	}
}

// Lookup appends the current bindings of an extension to dst: highest q first,
// among equals the latest refreshed first. Suspended ones are included, marked.
func (b *Bindings) Lookup(extension int64, now time.Time, dst []Binding) []Binding {
	sh := b.shard(extension)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.records[extension].current(now, dst)
}

// Behind is the id of the current binding that came over a flow, or "": of the one
// that is called first if there are several.
func (b *Bindings) Behind(extension int64, flow Flow, now time.Time) string {
	sh := b.shard(extension)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var first *Binding
	sh.records[extension].each(now, func(x *Binding) {
		if x.Flow == flow && (first == nil || before(x, first)) {
			first = x
		}
	})
	if first == nil {
		return ""
	}
	return first.ID
}

// FlowOf is the flow that a current binding has now; false if it is suspended or
// there is none of that id.
func (b *Bindings) FlowOf(extension int64, id string, now time.Time) (flow Flow, ok bool) {
	sh := b.shard(extension)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.records[extension].each(now, func(x *Binding) {
		if x.ID == id && !x.Suspended {
			flow, ok = x.Flow, true
		}
	})
	return flow, ok
}

// Registrations is what the HTTP API shows: the current bindings, or with
// registered false the last ones the extension had.
func (b *Bindings) Registrations(extension int64, now time.Time) (list []Binding, registered bool) {
	sh := b.shard(extension)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r := sh.records[extension]
	if r == nil {
		return nil, false
	}
	if list = r.current(now, nil); len(list) > 0 {
		return list, true
	}
	for _, e := range r.active { // ran out a moment ago, not collected yet
		list = append(list, e.Binding)
	}
	if len(list) == 0 {
		list = slices.Clone(r.ended)
	}
	return list, false
}

// Len is the number of current bindings of the node.
func (b *Bindings) Len() int { return int(b.live.Load()) }
