package media

import (
	"log/slog"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// poller is how a loop waits and reads: epoll on a thread of its own, or a
// goroutine per socket. attach, detach and release are called on the loop.
type poller interface {
	// attach lets a stream have what arrives at its ports.
	attach(*stream) error
	// detach lets nobody have it: what arrives from now on is thrown away.
	detach(*stream)
	// release stops reading the ports of a pair: what arrives waits in them.
	release(*pair)
	// wake makes the loop run what was posted, soon; wakeLater within lazyTime.
	wake()
	wakeLater()
	// wait returns once the loop has ended.
	wait()
}

// lazyTime is how long what is posted for later may wait for a packet to wake the
// loop. A call posts half a dozen times in its life; waking the loop for each
// would cost as much as what is done then.
const lazyTime = 20 * time.Millisecond

// haste is how soon a loop shall do something.
type haste uint8

const (
	never haste = iota // nothing is to be done
	later              // before the next packet, at most after lazyTime
	soon               // at once
)

// errand is what a session or somebody else wants a loop to do: do, else fn. Those
// of every call need no closure.
type errand struct {
	do    func(*Session, *terms)
	s     *Session
	terms *terms
	fn    func()
}

func (x *errand) run() {
	if x.do != nil {
		x.do(x.s, x.terms)
		return
	}
	x.fn()
}

// loop is one worker: it alone touches the packet state of its streams, sinks
// and players. What is posted to it runs in order, before the packets that
// arrive later.
type loop struct {
	clock func() int64 // ns since the engine opened
	log   *slog.Logger
	io    poller
	load  atomic.Int32 // sessions it serves
	// panics counts packets whose handling failed; each is dropped (S1).
	panics atomic.Uint64

	mu     sync.Mutex
	posted []errand
	woken  haste // what somebody has woken it for
	ended  bool

	// loop only
	running  []errand // the other half of posted
	stopping bool
	now      int64
	streams  []*stream
	players  []*player
	tickAt   int64 // next frame of the players; 0 while there are none
	watchAt  int64 // next look for silent parties; 0 while there is none to watch
	agenda   agenda
	packet   packet
	pcm      [frameSamples]int16
	frame    [rtpHeader + frameSamples]byte
	scratch  [maxDatagram]byte
}

// post runs fn on the loop, from any goroutine; false after the loop has ended.
func (l *loop) post(fn func()) bool {
	return l.note(errand{fn: fn}, soon)
}

// note puts an errand on the list, and wakes the loop for it unless that was done
// already; false after the loop has ended.
func (l *loop) note(x errand, when haste) bool {
	l.mu.Lock()
	if l.ended {
		l.mu.Unlock()
		return false
	}
	l.posted = append(l.posted, x)
	wake := when > l.woken
	l.woken = max(l.woken, when)
	l.mu.Unlock()
	switch {
	case wake && when == soon:
		l.io.wake()
	case wake:
		l.io.wakeLater()
	}
	return true
}

// runPosted runs what was posted before; more may have come meanwhile.
func (l *loop) runPosted() {
	l.mu.Lock()
	l.posted, l.running, l.woken = l.running[:0], l.posted, never
	l.mu.Unlock()
	for i := range l.running {
		x := l.running[i]
		l.running[i] = errand{}
		x.run()
	}
}

// turn does all that is due and tells how long the loop may wait, in ns; less
// than 0 means until it is woken.
func (l *loop) turn() (timeout int64) {
	l.now = l.clock()
	l.runPosted()
	if l.tickAt != 0 && l.now >= l.tickAt {
		l.tick()
	}
	if l.watchAt != 0 && l.now >= l.watchAt {
		l.watch()
	}
	if l.agenda.at != 0 && l.now >= l.agenda.at {
		l.agenda.run(l.now)
	}
	due := earlier(l.tickAt, earlier(l.watchAt, l.agenda.at))
	if due == 0 {
		return -1
	}
	return max(due-l.now, 0)
}

// earlier is the first of two moments, of which 0 is never.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// stop ends the loop after what was posted before, and waits for it.
func (l *loop) stop() {
	l.post(func() { l.stopping = true })
	l.io.wait()
}

// finish refuses further posts and runs the last ones. It is the loop's last act.
func (l *loop) finish() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.runPosted()
}

// add makes a stream this loop's, even when its ports cannot be read.
func (l *loop) add(s *stream) error {
	s.loop, s.index = l, len(l.streams)
	l.streams = append(l.streams, s)
	l.expect(s)
	if s.reports.due != 0 {
		l.agenda.add(s, l.now)
	}
	return l.io.attach(s)
}

// remove takes a stream that is over off this loop.
func (l *loop) remove(s *stream) {
	l.io.detach(s)
	l.unlist(s)
}

// hand takes a stream off this loop that goes on on another one.
func (l *loop) hand(s *stream) {
	l.io.release(s.pair)
	l.unlist(s)
}

func (l *loop) unlist(s *stream) {
	l.agenda.drop(s)
	last := len(l.streams) - 1
	l.streams[s.index] = l.streams[last]
	l.streams[s.index].index = s.index
	l.streams[last] = nil
	l.streams = l.streams[:last]
}

// arrived hands a datagram to its stream. A fault in our handling costs the
// packet, never the loop (S1).
func (l *loop) arrived(s *stream, control bool, b []byte, from netip.AddrPort) {
	defer func() {
		if r := recover(); r != nil {
			s.counters.dropped.add(1)
			if l.panics.Add(1) == 1 {
				l.log.Error("packet handling failed", "panic", r, "stack", string(debug.Stack()))
			}
		}
	}()
	if control {
		s.rtcpArrived(&s.rtcpLatch, b, from)
	} else {
		s.rtpArrived(b, from)
	}
}

// silentAfter is how long a party may be quiet before it is reported, and again
// after as long (M8), in ns.
const silentAfter = 60e9

// expect makes the loop look at the stream when it would have been silent.
func (l *loop) expect(s *stream) {
	if due := s.heard + silentAfter; s.terms.talking() && (l.watchAt == 0 || due < l.watchAt) {
		l.watchAt = due
	}
}

// watch reports silent parties and finds out when to look again. Streams in use
// are due a minute from now, so the walk is rare however many there are.
func (l *loop) watch() {
	l.watchAt = 0
	for _, s := range l.streams {
		if s.terms.talking() && l.now-s.heard >= silentAfter {
			s.heard = l.now
			if s.events.Silent != nil {
				s.events.Silent()
			}
		}
		l.expect(s)
	}
}
