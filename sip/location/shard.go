package location

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"
	"unique"
)

const (
	shardBits  = 6
	shardCount = 1 << shardBits
)

// shard holds a part of the extensions. Everything in it is guarded by mu.
type shard struct {
	mu      sync.Mutex
	records map[int64]*record
	due     agenda
	dirty   []*record // to be written behind
	plan    []change  // scratch of Update, empty between two

	outbox     []delivery
	delivering bool
}

func (b *Bindings) shard(extension int64) *shard {
	return &b.shards[uint64(extension)*0x9e3779b97f4a7c15>>(64-shardBits)]
}

// record is what is known of one extension.
type record struct {
	extension int64
	active    []*entry
	ended     []Binding // the last set, while active is empty
	dirty     bool      // in shard.dirty
	lagging   bool      // a refresh was not handed to the store, see lag
	unused    *entry    // room for its first binding, until there is one
}

// newRecord makes a record and its first binding's place in one piece of memory: most
// extensions have one phone, and among a million of them each further piece that a
// refresh touches is another wait for memory.
func newRecord(extension int64) *record {
	whole := &struct {
		record
		first entry
		room  [1]*entry
	}{}
	rec := &whole.record
	rec.extension, rec.active, rec.unused = extension, whole.room[:0], &whole.first
	return rec
}

// newEntry takes the place of the first binding, or memory of its own.
func (r *record) newEntry() *entry {
	e := r.unused
	if e == nil {
		e = new(entry)
	}
	r.unused, e.rec = nil, r
	return e
}

// entry is a binding in its record and in the agenda of its shard.
type entry struct {
	Binding
	rec         *record
	suspendedAt time.Time // while Suspended
	due         time.Time // when the agenda looks at it; never after deadline
	slot        int       // in the agenda
	// stored is when the last refresh that the store was given came.
	stored time.Time
}

// deadline is when the binding ends if nothing happens.
func (e *entry) deadline(suspendFor time.Duration) time.Time {
	if e.Suspended {
		if lost := e.suspendedAt.Add(suspendFor); lost.Before(e.Expires) {
			return lost
		}
	}
	return e.Expires
}

// take copies what a REGISTER says. Strings that have not changed are kept, so a
// refresh allocates nothing.
func (e *entry) take(r *Request, ch change, now time.Time) {
	c := &r.Contacts[ch.contact]
	if e.Contact == "" { // it is new: its texts stand together too
		all := c.URI + c.Instance + r.CallID
		contact, rest := all[:len(c.URI)], all[len(c.URI):]
		e.Contact, e.Instance, e.CallID = contact, rest[:len(c.Instance)], rest[len(c.Instance):]
	}
	keep(&e.Contact, c.URI)
	keep(&e.Instance, c.Instance)
	if e.UserAgent != r.UserAgent {
		e.UserAgent = unique.Make(r.UserAgent).Value() // phones come in few kinds
	}
	keep(&e.CallID, r.CallID)
	if !slices.Equal(e.Path, r.Path) {
		e.Path = nil
		for _, p := range r.Path {
			e.Path = append(e.Path, strings.Clone(p))
		}
	}
	e.Flow, e.Source, e.CSeq = r.Flow, r.Source, r.CSeq
	e.Q, e.RegID = c.Q, c.RegID
	e.Refreshed, e.Expires, e.Granted = now, now.Add(ch.granted), int(ch.granted/time.Second)
}

func keep(have *string, s string) {
	if *have != s {
		*have = strings.Clone(s)
	}
}

// sameDevice reports whether a contact comes from the device of e (RFC 5626
// section 4.1); with a reg-id also by the same of its flows.
func (e *entry) sameDevice(c *Contact) bool {
	return e.Instance == c.Instance && e.RegID == c.RegID
}

func (r *record) byURI(uri string) *entry {
	if r == nil {
		return nil
	}
	for _, e := range r.active {
		if sameURI(e.Contact, uri) {
			return e
		}
	}
	return nil
}

// longestSuspended is the suspended binding, other than those in planned, whose
// connection was lost first.
func (r *record) longestSuspended(out []change) *entry {
	var first *entry
	if r == nil {
		return nil
	}
	for _, e := range r.active {
		if e.Suspended && !planned(e, out) && (first == nil || e.suspendedAt.Before(first.suspendedAt)) {
			first = e
		}
	}
	return first
}

// current appends the bindings that have not run out, in the order in which they
// are called.
func (r *record) current(now time.Time, dst []Binding) []Binding {
	if r == nil {
		return dst
	}
	if dst == nil {
		dst = make([]Binding, 0, len(r.active))
	}
	begin := len(dst)
	for _, e := range r.active {
		if !e.Expires.After(now) {
			continue
		}
		dst = append(dst, e.Binding)
		for i := len(dst) - 1; i > begin && before(&dst[i], &dst[i-1]); i-- {
			dst[i], dst[i-1] = dst[i-1], dst[i]
		}
	}
	return dst
}

// each calls fn with the bindings that have not run out, in no order.
func (r *record) each(now time.Time, fn func(*Binding)) {
	if r == nil {
		return
	}
	for _, e := range r.active {
		if e.Expires.After(now) {
			fn(&e.Binding)
		}
	}
}

func before(a, b *Binding) bool {
	if a.Q != b.Q {
		return a.Q > b.Q
	}
	return a.Refreshed.After(b.Refreshed)
}

// snapshot is the record as the store keeps it.
func (r *record) snapshot() Record {
	s := Record{Extension: r.extension}
	r.lagging = false
	if len(r.active) == 0 {
		s.Ended = slices.Clone(r.ended)
	}
	for _, e := range r.active {
		e.stored = e.Refreshed
		x := e.Binding
		x.Expires = x.granted() // not what a restart made of it
		s.Bindings = append(s.Bindings, x)
	}
	return s
}

// soil notes that the record is to be written behind.
func (b *Bindings) soil(sh *shard, r *record) {
	if !r.dirty && b.cfg.Store != nil {
		r.dirty = true
		sh.dirty = append(sh.dirty, r)
	}
}

// lagPart is the part of an interval by which the store may lag behind: phones
// that refresh every few seconds are not written every time. A restart adds as
// much to what is stored, see remaining.
const lagPart = 4

func lag(interval time.Duration) time.Duration { return interval / lagPart }

// mayLag reports whether a restart would do justice to a refresh of e that the
// store does not hear of: the phone may refresh once more just before the
// binding ends, and be lost with the process after that.
func (e *entry) mayLag() bool {
	return e.Refreshed.Sub(e.stored) <= lag(time.Duration(e.Granted)*time.Second)
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return hex.EncodeToString(b[:])
}
