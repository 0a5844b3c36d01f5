package sip

import (
	"math/bits"
	"time"
)

const (
	wheelTick  = 10 * time.Millisecond
	wheelSlots = 4096 // one turn is 40.96 s, more than any transaction lives
	firingSlot = -1
)

// waker is what timers wake; it knows its own timers apart by their address, so
// that setting one allocates nothing.
type waker interface{ wake(t *timer) }

// wakeFunc is a waker for what is set seldom.
type wakeFunc func()

func (f wakeFunc) wake(*timer) { f() }

// timer is an entry of a wheel, embedded in what it wakes. The zero value is
// idle. It belongs to the worker that owns the wheel.
type timer struct {
	who        waker
	at         int64 // tick
	slot       int32
	armed      bool
	prev, next *timer
}

// wheel is a single-level timing wheel with 10 ms ticks: setting and stopping a
// timer is a list operation, and a worker sleeps until the next occupied slot.
// A timer further away than one turn is put back when its slot comes round.
type wheel struct {
	start time.Time
	tick  int64 // the last tick handled
	slots [wheelSlots]*timer
	// used has a bit for every slot that is not empty.
	used [wheelSlots / 64]uint64
	// firing holds what is due in the slot being handled.
	firing *timer
	count  int
}

func newWheel(now time.Time) *wheel { return &wheel{start: now} }

// set arms t to fire at now+d, at the earliest on the next tick.
func (w *wheel) set(t *timer, now time.Time, d time.Duration, who waker) {
	w.stop(t)
	t.who = who
	t.at = max(int64((now.Sub(w.start)+d+wheelTick-1)/wheelTick), w.tick+1)
	w.link(t)
}

func (w *wheel) link(t *timer) { w.push(t, int32(t.at%wheelSlots)) }

// head is the list that slot stands for.
func (w *wheel) head(slot int32) **timer {
	if slot == firingSlot {
		return &w.firing
	}
	return &w.slots[slot]
}

func (w *wheel) push(t *timer, slot int32) {
	head := w.head(slot)
	t.slot, t.prev, t.next = slot, nil, *head
	if t.next != nil {
		t.next.prev = t
	}
	*head = t
	if slot != firingSlot {
		w.used[slot/64] |= 1 << (slot % 64)
	}
	t.armed = true
	w.count++
}

func (w *wheel) unlink(t *timer) {
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		*w.head(t.slot) = t.next
		if t.next == nil && t.slot != firingSlot {
			w.used[t.slot/64] &^= 1 << (t.slot % 64)
		}
	}
	if t.next != nil {
		t.next.prev = t.prev
	}
	t.prev, t.next, t.armed = nil, nil, false
	w.count--
}

// stop disarms t; harmless if it is idle.
func (w *wheel) stop(t *timer) {
	if t.armed {
		w.unlink(t)
	}
}

// next says how long from now until the next occupied slot, or false if no
// timer is armed.
func (w *wheel) next(now time.Time) (time.Duration, bool) {
	if w.count == 0 {
		return 0, false
	}
	if w.firing != nil {
		return 0, true // what fired before them panicked
	}
	due := w.start.Add(time.Duration(w.tick+w.ahead()) * wheelTick)
	return max(due.Sub(now), 0), true
}

// ahead is how many ticks after the last one the next occupied slot comes, 1 to
// wheelSlots. There is one.
func (w *wheel) ahead() int64 {
	first := (w.tick + 1) % wheelSlots
	word, rest := first/64, ^uint64(0)<<(first%64)
	for {
		if b := w.used[word] & rest; b != 0 {
			slot := word*64 + int64(bits.TrailingZeros64(b))
			return (slot-first+wheelSlots)%wheelSlots + 1
		}
		word, rest = (word+1)%int64(len(w.used)), ^uint64(0)
	}
}

// advance fires every timer that is due at now. A fired timer is idle when its
// function runs and may be set again there.
func (w *wheel) advance(now time.Time) {
	target := int64(now.Sub(w.start) / wheelTick)
	w.fireAll()
	for w.tick < target {
		if w.count == 0 {
			w.tick = target
			return
		}
		w.tick++
		w.fireSlot(w.tick)
	}
}

// fireSlot moves what is due to the firing list and empties it one by one, so
// that what fires may stop or set any other timer.
func (w *wheel) fireSlot(tick int64) {
	t := *w.head(int32(tick % wheelSlots))
	for t != nil {
		next := t.next
		if t.at <= tick {
			w.unlink(t)
			w.push(t, firingSlot)
		}
		t = next
	}
	w.fireAll()
}

func (w *wheel) fireAll() {
	for w.firing != nil {
		t := w.firing
		w.unlink(t)
		t.who.wake(t)
	}
}
