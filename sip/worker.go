package sip

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

// packet is one message as it came in.
type packet struct {
	flow flow
	from netip.AddrPort
	data []byte
	at   time.Time // when it came, what it waited in the kernel included
	room *[]byte   // what data is a part of, to be used again
}

// copied gives the packet data of its own.
func (p *packet) copied(s *Server) {
	p.room = s.rooms.Get().(*[]byte)
	*p.room = append((*p.room)[:0], p.data...)
	p.data = *p.room
}

// release gives the memory back that copied took: nobody keeps what a packet holds
// once it was handled.
func (p *packet) release(s *Server) {
	if p.room != nil && cap(*p.room) <= roomKept {
		s.rooms.Put(p.room)
	}
}

// roomKept is how large a copy may be to be used again.
const roomKept = 4096

// answerFlow is where answers to p go, given where its Via asks for them
// (S11).
func (p packet) answerFlow(to netip.AddrPort) flow {
	if u, ok := p.flow.(udpFlow); ok && u.to != to {
		u.to = to
		return u
	}
	return p.flow
}

// worker owns the transactions, dialogs and legs of the Call-IDs that hash to
// it. All fields below the mailbox are touched by whoever has the turn only: its
// goroutine, or a reader for the time of one message and what it leads to.
type worker struct {
	server *Server

	mu      sync.Mutex
	queues  [lanes]fair
	jobs    []job             // of legs, and answers of the store: losing one would orphan a leg
	doing   []job             // those taken last
	overrun map[*leg]struct{} // legs for whose verbs there was no room
	wake    chan struct{}
	ended   bool
	// low is the lower lane whose turn was last; owed whether one has a turn
	// before the first lane has another, saved whether the last turn went to an
	// emergency.
	low         lane
	owed, saved bool
	pressure    [lanes]pressure
	holds       holdings // as of the last look at the queues
	// running: whoever has the turn looks at the queues once more before it
	// ends, so that nobody need be woken for what is pushed.
	running bool

	// turn is taken before mu. Under it messages are handled, never one
	// before another of the same Call-ID and lane that waits.
	turn sync.Mutex
	// sleep wakes the goroutine for the wheel: at alarm, if armed.
	sleep *time.Timer
	alarm time.Time
	armed bool

	// recent knows what was let in, done counts what was done; anybody may look.
	recent recent
	done   atomic.Uint64

	now     time.Time     // when the job at hand was taken
	looked  time.Time     // when it last looked at the sockets
	yielded time.Time     // when it last let others run
	again   chan struct{} // they have
	batch   []packet
	wheel   *wheel
	servers map[txKey]*serverTx // without their final answer, or waiting for its ACK
	kept    kept                // the others
	clients map[txKey]*clientTx // without their final response
	heard   heard               // the others
	copies  copies
	open    open
	merged  map[txKey]txKey // which transaction handled a request
	legs    map[legKey]*leg
	subs    map[legKey]*subscription
	// partings are the logs of legs that have just gone.
	partings map[legKey]*messageLog
	out      outbox
	// What the message at hand is worked on with: its reader, the answer, a nonce and
	// a header value, a hash for tags.
	reader            wire.Reader
	buf, nonce, value []byte
	tags              *keyed
	registering       *registering
	today             date
}

func newWorker(s *Server) *worker {
	w := &worker{
		server:   s,
		wake:     make(chan struct{}, 1),
		again:    make(chan struct{}),
		sleep:    time.NewTimer(time.Hour),
		now:      time.Now(),
		wheel:    newWheel(time.Now()),
		servers:  map[txKey]*serverTx{},
		clients:  map[txKey]*clientTx{},
		open:     open{with: map[netip.Addr]int{}},
		merged:   map[txKey]txKey{},
		kept:     newKept(time.Now()),
		heard:    newHeard(time.Now()),
		tags:     newKeyed(s.tagKey),
		legs:     map[legKey]*leg{},
		subs:     map[legKey]*subscription{},
		partings: map[legKey]*messageLog{},
	}
	for l := range w.queues {
		w.queues[l] = newFair(laneCap[l], laneBytes[l]/workerCount(s.cfg.Workers))
		w.pressure[l].each = eachAtFirst
	}
	return w
}

// push queues p, or reports that there is no room or the worker has ended. It wakes
// nobody.
func (w *worker) push(l lane, p packet) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.ended && w.queues[l].push(p)
}

// rouse has somebody look at what was queued.
func (w *worker) rouse() {
	w.mu.Lock()
	running := w.running
	w.mu.Unlock()
	w.rouseUnless(running)
}

func (w *worker) rouseUnless(running bool) {
	if running {
		return
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// takeTurn does what was queued on the caller's goroutine, which has just read its
// socket, unless somebody is at it. waited tells that it had slept before, so that
// others had the core.
func (w *worker) takeTurn(waited bool) {
	if !w.turn.TryLock() {
		w.rouse()
		return
	}
	if !w.engage(nil) {
		w.turn.Unlock()
		return
	}
	w.looked = time.Now()
	if waited {
		w.yielded = w.looked
	}
	w.endTurn()
}

// endTurn does what is left to do and gives the turn back.
func (w *worker) endTurn() {
	defer w.turn.Unlock()
	w.work()
}

// run handles jobs and timers until stop is closed.
func (w *worker) run(stop <-chan struct{}) {
	defer w.sleep.Stop()
	rang := false
	for {
		w.turn.Lock()
		if rang {
			w.armed = false
		}
		w.engage(nil)
		w.endTurn()
		rang = false
		select {
		case <-w.wake:
		case <-w.sleep.C:
			rang = true
		case <-stop:
			w.turn.Lock()
			w.end()
			w.turn.Unlock()
			return
		}
	}
}

// arm sets the alarm to the next timer. One that rings too early because its
// timer was stopped does no harm.
func (w *worker) arm() {
	wait, any := w.wheel.next(w.now)
	at := w.now.Add(wait)
	if !any || w.armed && !at.Before(w.alarm) {
		return
	}
	w.alarm, w.armed = at, true
	w.sleep.Reset(wait)
}

// handleNow handles a packet on the caller's goroutine, or reports that the worker
// has other things to do. The packet's data is not kept. What it leads to is left for
// endTurn, which must follow.
func (w *worker) handleNow(p packet, now time.Time) bool {
	if !w.turn.TryLock() {
		return false
	}
	if !w.engage(&p) {
		w.turn.Unlock()
		return false
	}
	w.now = now
	w.guard(func() { w.message(p) })
	w.done.Add(1)
	return true
}

// engage promises that work will follow, which an ended worker does not. For a
// packet it does so only if nothing waits and more may be begun.
func (w *worker) engage(p *packet) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || p != nil && (w.waits() || w.holds.full(sourceOf(p.from))) {
		return false
	}
	w.running = true
	return true
}

// rest ends what engage began, unless something waits.
func (w *worker) rest() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds = w.count()
	w.running = w.waits()
	return !w.running
}

// waits reports whether anything does; mu is held.
func (w *worker) waits() bool {
	for l := range w.queues {
		if w.queues[l].count > 0 {
			return true
		}
	}
	return len(w.jobs) > 0 || len(w.overrun) > 0
}

// work does what waits and what is due. What a message leads to (a call's verbs
// for its legs) is done here at once, by whoever has the turn.
func (w *worker) work() {
	for {
		w.drain()
		w.turnWheel()
		w.flush()
		w.arm()
		if w.rest() {
			return
		}
	}
}

// drain takes what waits, batch by batch, until nothing does. Verbs come first. What
// there is to send waits for the end, so that it takes few system calls, but not
// longer than until the next look.
func (w *worker) drain() {
	for {
		w.now = time.Now()
		jobs, batch := w.take()
		if len(jobs) == 0 && len(batch) == 0 {
			return
		}
		for i := range jobs {
			w.guard(jobs[i].run)
			w.look()
		}
		for _, p := range batch {
			w.guard(func() { w.message(p) })
			p.release(w.server)
			w.look()
		}
		w.done.Add(1)
		w.look()
		w.turnWheel()
	}
}

// lookEvery is how long a worker that has much to do leaves the sockets alone, and
// yieldEvery its core to itself. With few cores the readers have no turn before it is
// done, and what should go before the rest, or be refused at once, would wait in the
// kernel, and what is answered already here; and calls would pile up behind it until
// they keep it away in turn.
const (
	lookEvery  = 250 * time.Microsecond
	yieldEvery = time.Millisecond
)

// look sends what is to be sent, reads what has come in meanwhile, and lets others
// run.
func (w *worker) look() {
	now := time.Now()
	if now.Sub(w.looked) < lookEvery {
		return
	}
	w.looked = now
	w.flush()
	for _, l := range w.server.udp {
		if !l.look() {
			return // who is at it waits for us, or is us
		}
	}
	if now.Sub(w.yielded) >= yieldEvery {
		w.yielded = now
		w.yield()
	}
}

// yield lets those run whom this worker has woken, and comes back before those whose
// slices of 10 ms were used up. Gosched goes behind them all: while the store compacts,
// with a goroutine for each part of a table, nobody read the sockets for 50 to 250 ms.
func (w *worker) yield() {
	// It ends when the worker goes on.
	go w.goOn()
	// It ends at once: the newest goroutine goes first, and those woken before it, goOn
	// the last of them, follow.
	go first()
	<-w.again
}

func (w *worker) goOn() { w.again <- struct{}{} }

func first() {}

// turnWheel fires what is due, also while jobs never cease.
func (w *worker) turnWheel() {
	w.now = time.Now()
	w.guard(func() { w.wheel.advance(w.now) })
}

func (w *worker) take() (jobs []job, batch []packet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds = w.count()
	jobs = w.takeJobs()
	clear(w.batch) // done with
	l := w.turnOf()
	q := &w.queues[l]
	w.batch = q.take(w.batch[:0], laneBatch[l])
	w.pressure[l].took(len(w.batch), q.count > 0, w.now)
	return jobs, w.batch
}

// guard keeps a fault of ours from ending the process (S1): it is counted, its
// stack is logged once, and the message or timer it came from is given up.
func (w *worker) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			w.server.metrics.panics.Inc()
			w.server.faults.note(w.server.log, p)
		}
	}()
	f()
}

// wakeAfter arms t to wake who on this worker.
func (w *worker) wakeAfter(t *timer, d time.Duration, who waker) { w.wheel.set(t, w.now, d, who) }

// after is wakeAfter for what happens seldom.
func (w *worker) after(t *timer, d time.Duration, f func()) { w.wheel.set(t, w.now, d, wakeFunc(f)) }
