package sip

import (
	"net/netip"
	"sync"
	"time"
)

// lane is the priority of what waits for a worker (design section 6).
type lane int

const (
	// laneDialog: responses, requests with a tag of ours, and verbs. Never refused.
	laneDialog lane = iota
	// laneInvite: new calls, and what names a dialog that we never had.
	laneInvite
	// laneRest: REGISTER and everything else outside a dialog.
	laneRest
	lanes
)

// laneCap bounds what may wait; the dialog lane is bounded by the calls there
// are, and by the socket in front of it.
var laneCap = [lanes]int{laneDialog: 65536, laneInvite: 4096, laneRest: 16384}

// packet is one message as it came in.
type packet struct {
	flow flow
	from netip.AddrPort
	data []byte
	// again: a CANCEL that waited behind the INVITE it may mean.
	again bool
}

// answerFlow is where answers to p go, given where its Via asks for them
// (S11).
func (p packet) answerFlow(to netip.AddrPort) flow {
	if u, ok := p.flow.(udpFlow); ok {
		u.to = to
		return u
	}
	return p.flow
}

// job is a unit of work for a worker: a packet or a function.
type job struct {
	packet packet
	do     func()
}

// worker owns the transactions, dialogs and legs of the Call-IDs that hash to
// it. All fields below the mailbox are touched by whoever has the turn only: its
// goroutine, or a reader for the time of one message and what it leads to.
type worker struct {
	server *Server

	mu     sync.Mutex
	queues [lanes][]job
	wake   chan struct{}
	ended  bool
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

	now     time.Time // when the job at hand was taken
	wheel   *wheel
	servers map[txKey]*serverTx // without their final answer, or waiting for its ACK
	kept    kept                // the others
	clients map[txKey]*clientTx
	merged  map[txKey]txKey // which transaction handled a request
	legs    map[legKey]*leg
	// partings are the logs of legs that have just gone.
	partings map[legKey]*messageLog
	out      outbox
}

func newWorker(s *Server) *worker {
	return &worker{
		server:   s,
		wake:     make(chan struct{}, 1),
		sleep:    time.NewTimer(time.Hour),
		now:      time.Now(),
		wheel:    newWheel(time.Now()),
		servers:  map[txKey]*serverTx{},
		clients:  map[txKey]*clientTx{},
		merged:   map[txKey]txKey{},
		kept:     newKept(time.Now()),
		legs:     map[legKey]*leg{},
		partings: map[legKey]*messageLog{},
	}
}

// push queues j, or reports that its lane is full or the worker has ended.
// Verbs and answers (do) are exempt from the cap: losing one would orphan a leg.
func (w *worker) push(l lane, j job) bool {
	w.mu.Lock()
	if w.ended || (j.do == nil && len(w.queues[l]) >= laneCap[l]) {
		w.mu.Unlock()
		return false
	}
	w.queues[l] = append(w.queues[l], j)
	running := w.running
	w.mu.Unlock()
	if running {
		return true
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return true
}

// do runs f on the worker's goroutine, or reports that the worker has ended.
func (w *worker) do(f func()) bool { return w.push(laneDialog, job{do: f}) }

// run handles jobs and timers until stop is closed.
func (w *worker) run(stop <-chan struct{}) {
	defer w.sleep.Stop()
	rang := false
	for {
		w.turn.Lock()
		if rang {
			w.armed = false
		}
		w.engage(false)
		w.work()
		w.turn.Unlock()
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

// handleNow handles a packet on the caller's goroutine, or reports that the
// worker has other things to do. The packet's data is not kept.
func (w *worker) handleNow(p packet) bool {
	if !w.turn.TryLock() {
		return false
	}
	defer w.turn.Unlock()
	if !w.engage(true) {
		return false
	}
	w.now = time.Now()
	w.guard(func() { w.message(p) })
	w.work()
	return true
}

// engage promises that work will follow. With idle it does so only if nothing
// waits; an ended worker is never idle.
func (w *worker) engage(idle bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if idle && (w.ended || w.waits()) {
		return false
	}
	w.running = true
	return true
}

// rest ends what engage began, unless something waits.
func (w *worker) rest() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = w.waits()
	return !w.running
}

// waits reports whether a lane is not empty; mu is held.
func (w *worker) waits() bool {
	for l := range w.queues {
		if len(w.queues[l]) > 0 {
			return true
		}
	}
	return false
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

// drain takes jobs lane by lane until none is left, looking at the first lane
// again after every batch of a lower one.
func (w *worker) drain() {
	for {
		batch := w.take()
		if batch == nil {
			return
		}
		w.now = time.Now()
		for _, j := range batch {
			w.guard(func() { w.handle(j) })
		}
		w.turnWheel()
		w.flush()
	}
}

// turnWheel fires what is due, also while jobs never cease.
func (w *worker) turnWheel() {
	w.now = time.Now()
	w.guard(func() { w.wheel.advance(w.now) })
}

const lowLaneBatch = 16

func (w *worker) take() []job {
	w.mu.Lock()
	defer w.mu.Unlock()
	if q := w.queues[laneDialog]; len(q) > 0 {
		w.queues[laneDialog] = nil
		return q
	}
	for l := laneInvite; l < lanes; l++ {
		if q := w.queues[l]; len(q) > 0 {
			n := min(len(q), lowLaneBatch)
			w.queues[l] = q[n:]
			if n == len(q) {
				w.queues[l] = nil
			}
			return q[:n:n]
		}
	}
	return nil
}

func (w *worker) handle(j job) {
	if j.do != nil {
		j.do()
		return
	}
	w.message(j.packet)
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

func (w *worker) end() {
	w.mu.Lock()
	w.ended = true
	w.queues = [lanes][]job{}
	w.mu.Unlock()
	for _, l := range w.legs {
		l.abandon()
	}
}

// wakeAfter arms t to wake who on this worker.
func (w *worker) wakeAfter(t *timer, d time.Duration, who waker) { w.wheel.set(t, w.now, d, who) }

// after is wakeAfter for what happens seldom.
func (w *worker) after(t *timer, d time.Duration, f func()) { w.wheel.set(t, w.now, d, wakeFunc(f)) }
