package feed

import (
	"sync"
	"time"
)

// ring holds the last events of a client, with ids that follow one another.
type ring struct {
	mu    sync.Mutex
	next  ID // of the next event
	buf   []*item
	head  int // of the oldest
	n     int
	bytes int
	// waiting is closed when there is something new; nil while nobody waits.
	waiting chan struct{}
	due     bool      // on its way to be woken
	readers int       // open
	wanted  time.Time // until then the last of those who left may come back
}

// first is the id of the oldest event kept, or of the next one.
func (r *ring) first() ID { return r.next - ID(r.n) }

// at returns the event of an id between first and next.
func (r *ring) at(id ID) *item { return r.buf[(r.head+int(id-r.first()))%len(r.buf)] }

// push numbers an event and keeps it, in the place of older ones if need be.
func (r *ring) push(it *item, maxEvents, maxBytes int) {
	for r.n > 0 && (r.n >= maxEvents || r.bytes+it.cost > maxBytes) {
		r.drop()
	}
	if r.n == len(r.buf) {
		r.grow(maxEvents)
	}
	it.id = r.next
	r.next++
	r.buf[(r.head+r.n)%len(r.buf)] = it
	r.n++
	r.bytes += it.cost
}

// skip numbers an event that is not kept because nobody will ask for it: there is no
// reader, and whoever was one before has stayed away for too long. It returns false
// if somebody may, or there is no number.
func (r *ring) skip(now time.Time, numbers *numbers) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.readers > 0 || now.Before(r.wanted) || !numbers.may(r.next) {
		return false
	}
	for r.n > 0 { // ids in the ring follow one another
		r.drop()
	}
	r.next++
	return true
}

// join and leave keep account of the readers.
func (r *ring) join() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readers++
}

func (r *ring) leave(wanted time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readers--
	r.wanted = wanted
}

// grow makes room for twice as many.
func (r *ring) grow(maxEvents int) {
	buf := make([]*item, min(max(8, 2*len(r.buf)), maxEvents))
	for i := range r.n {
		buf[i] = r.buf[(r.head+i)%len(r.buf)]
	}
	r.buf, r.head = buf, 0
}

// drop forgets the oldest.
func (r *ring) drop() {
	r.bytes -= r.buf[r.head].cost
	r.buf[r.head] = nil
	r.head = (r.head + 1) % len(r.buf)
	r.n--
}

// trim forgets what came before a time; an empty ring holds nothing but its
// numbers.
func (r *ring) trim(before time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.n > 0 && r.buf[r.head].kept.Before(before) {
		r.drop()
	}
	if r.n == 0 {
		r.buf, r.head = nil, 0
	}
}

// wake lets those who wait look again.
func (r *ring) wake() {
	r.mu.Lock()
	waiting := r.waiting
	r.waiting, r.due = nil, false
	r.mu.Unlock()
	if waiting != nil {
		close(waiting) // without the lock: there may be many
	}
}

// wait returns the channel that the next wake closes. The lock is held.
func (r *ring) wait() <-chan struct{} {
	if r.waiting == nil {
		r.waiting = make(chan struct{})
	}
	return r.waiting
}
