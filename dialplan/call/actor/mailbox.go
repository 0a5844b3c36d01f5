package actor

import "sync"

// usual is how many messages the buffers that a mailbox holds on to between bursts
// have room for, unless Keep says otherwise: one burst must not cost an idle actor
// memory for the rest of its life.
const usual = 16

// Mailbox is an unblocking queue in front of one actor. Pushing appends under a
// mutex and leaves a token in a one-slot channel; nobody ever waits for room.
type Mailbox[T any] struct {
	wake chan struct{}
	done chan struct{} // closed with the mailbox; nil until somebody asks
	cap  int
	keep int

	taken []T // by TakeOrLeave, whose turn it is
	room  [2][few]T

	mu         sync.Mutex
	items      []T
	turn       bool   // somebody has it, see Enter
	rounds     uint64 // how often TakeOrLeave was called
	outside    int    // how many of items count against cap
	deepest    int
	closed     bool
	overflowed bool
}

// New returns an open mailbox. At most limit messages pushed with Push may be
// waiting at once; limit <= 0 means there is no limit.
func New[T any](limit int) *Mailbox[T] {
	return &Mailbox[T]{wake: make(chan struct{}, 1), cap: limit, keep: usual}
}

// Keep says how many messages the buffers that are held on to may have room for.
// Before the first push.
func (m *Mailbox[T]) Keep(messages int) { m.keep = messages }

// few is how many messages a shared actor has room for from the beginning.
const few = 4

// Share makes a zero Mailbox one with a limit for an actor that has no goroutine of
// its own: whoever has pushed runs it, see Enter. The actor may hold it by value.
func (m *Mailbox[T]) Share(limit int) {
	m.cap, m.keep = limit, usual
	m.items, m.taken = m.room[0][:0], m.room[1][:0]
}

// Enter takes the turn of a shared actor: the caller is its goroutine now, until
// TakeOrLeave finds nothing. It returns false if nothing waits, or if somebody has
// the turn, who will take what has been pushed before.
func (m *Mailbox[T]) Enter() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.turn || len(m.items) == 0 {
		return false
	}
	m.turn = true
	return true
}

// TakeOrLeave returns all waiting messages in order; the list is valid until the
// next call. If there are none it returns false and the turn is over, in one
// critical section. For whoever has the turn.
func (m *Mailbox[T]) TakeOrLeave() (batch []T, ok bool) {
	clear(m.taken)
	if cap(m.taken) > m.keep {
		m.taken = nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rounds++
	if len(m.items) == 0 {
		m.turn = false
		return nil, false
	}
	m.taken, m.items = m.items, m.taken[:0]
	m.outside = 0
	return m.taken, true
}

// Rounds is how often TakeOrLeave was called, and whether a shared actor has
// anything to do: somebody has its turn, or should.
func (m *Mailbox[T]) Rounds() (n uint64, busy bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rounds, m.turn || len(m.items) > 0
}

// Push adds a message and never waits. It returns false if the mailbox is
// closed or as many messages as it may hold are waiting; the latter is
// remembered, see Overflowed.
func (m *Mailbox[T]) Push(v T) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	if m.cap > 0 && m.outside >= m.cap {
		m.overflowed = true
		m.signal()
		return false
	}
	m.outside++
	m.add(v)
	return true
}

// PushExempt is Push without the limit, for messages whose loss would leave
// something without an owner. It returns false only if the mailbox is closed.
func (m *Mailbox[T]) PushExempt(v T) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.add(v)
	return true
}

// add appends and wakes; the lock is held.
func (m *Mailbox[T]) add(v T) {
	m.items = append(m.items, v)
	m.deepest = max(m.deepest, len(m.items))
	m.signal()
}

// signal leaves the token unless one is there already.
func (m *Mailbox[T]) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Wake returns the channel that yields one token after something was pushed or
// the mailbox was closed. A token may be stale: TakeAll can find nothing.
func (m *Mailbox[T]) Wake() <-chan struct{} { return m.wake }

// TakeAll returns all waiting messages in order. The slice given is the
// previous batch, which the mailbox clears and fills again; the caller must not
// use it any more. Actor only.
func (m *Mailbox[T]) TakeAll(previous []T) []T {
	clear(previous)
	if cap(previous) > m.keep {
		previous = nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	batch := m.items
	m.items = previous[:0]
	m.outside = 0
	return batch
}

// CloseIfEmpty closes the mailbox if nothing is waiting, in one critical
// section: every message whose push returned true has been, or will be, taken.
// It reports whether the mailbox is closed now. Actor only.
func (m *Mailbox[T]) CloseIfEmpty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.items) == 0 {
		m.close()
	}
	return m.closed
}

// Close refuses further messages; those waiting can still be taken. From any
// goroutine, any number of times.
func (m *Mailbox[T]) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.close()
	m.signal()
}

// close is the end of pushing; the lock is held.
func (m *Mailbox[T]) close() {
	if !m.closed && m.done != nil {
		close(m.done)
	}
	m.closed = true
}

// Done returns a channel that is closed when pushes are refused for good.
func (m *Mailbox[T]) Done() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done == nil {
		m.done = make(chan struct{})
		if m.closed {
			close(m.done)
		}
	}
	return m.done
}

// Empty reports whether nothing is waiting.
func (m *Mailbox[T]) Empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.items) == 0
}

// Closed reports whether pushes are refused for good.
func (m *Mailbox[T]) Closed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// Overflowed reports whether a Push was ever refused for want of room.
func (m *Mailbox[T]) Overflowed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.overflowed
}

// Deepest is the largest number of messages that ever waited at once.
func (m *Mailbox[T]) Deepest() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.deepest
}
