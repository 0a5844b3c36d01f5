package media

import (
	"log/slog"
	"math"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/media/jitter"
	"github.com/cordpair/cordpair/media/secure"
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
	looks    []int64 // when the stream in the same place may be silent; noLook while nobody asks
	dues     []int64 // when the doctor looks at it; 0 for never
	sources  []source
	tickAt   int64 // next frame of the sources; 0 while there are none
	watchAt  int64 // next look for silent parties; 0 while there is none to watch
	roundAt  int64 // next round of the doctor; 0 while there is nobody to look at
	agenda   agenda
	packet   packet
	pcm      [frameSamples]int16
	frame    [rtpHeader + jitter.MaxPayload]byte
	scratch  [maxDatagram]byte
	cover    [maxDatagram + secure.Overhead]byte // of what is encrypted
	back     target                              // of what is neither RTP nor RTCP
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
	if l.roundAt != 0 && l.now >= l.roundAt {
		l.round()
	}
	due := earlier(earlier(l.tickAt, l.watchAt), earlier(l.agenda.at, l.roundAt))
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
	s.loop, s.index = l, int32(len(l.streams))
	l.streams, l.looks, l.dues = append(l.streams, s), append(l.looks, noLook), append(l.dues, 0)
	if s.health != nil && s.health.due != 0 {
		l.visit(s, s.health.due)
	}
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
	l.looks[s.index], l.dues[s.index] = l.looks[last], l.dues[last]
	l.streams[last] = nil
	l.streams, l.looks, l.dues = l.streams[:last], l.looks[:last], l.dues[:last]
}

// arrived hands a datagram to its stream. A fault in our handling costs the
// packet, never the loop (S1).
func (l *loop) arrived(s *stream, control bool, b []byte, from netip.AddrPort) {
	defer func() {
		if r := recover(); r != nil {
			s.counters.dropped.add(1)
			l.failed("packet handling failed", r)
		}
	}()
	if s.guard != nil {
		if ln := s.guard.line; ln != nil {
			ln.arrived(control, b, from)
			return
		}
		if b, from = s.guard.admit(control, b, from); b == nil {
			return
		}
	}
	s.tap.arrived(s, control, b, from)
	if control {
		s.rtcpArrived(&s.rtcpLatch, b, from)
	} else {
		s.rtpArrived(b, from)
	}
}

// failed counts a fault, and tells of the first.
func (l *loop) failed(what string, reason any) {
	if l.panics.Add(1) == 1 {
		l.log.Error(what, "panic", reason, "stack", string(debug.Stack()))
	}
}

// silentAfter is how long a party may be quiet before it is reported, and again
// after as long (M8), in ns.
const silentAfter = 60e9

// watchGap is the least time between two walks for silent parties, in ns.
const watchGap = 100e6

// noLook is later than every moment.
const noLook = math.MaxInt64

// expect makes the loop look at the stream when it would have been silent.
func (l *loop) expect(s *stream) {
	due := int64(noLook)
	if s.terms.talking() {
		due = s.heard + silentAfter
		l.watchAt = earlier(l.watchAt, due)
	}
	l.looks[s.index] = due
}

// watch reports silent parties and finds out when to look again. Thousands of calls
// may be silent at once, each from a moment of its own, so a walk touches only the
// streams that may be, and waits until there may be some more of them.
func (l *loop) watch() {
	next := int64(noLook)
	for i, due := range l.looks {
		if due <= l.now {
			due = l.lookAt(l.streams[i])
		}
		next = min(next, due)
	}
	l.watchAt = 0
	if next != noLook {
		l.watchAt = max(next, l.now+watchGap)
	}
}

// lookAt reports the party of a stream if it has been silent, and returns when to look
// again.
func (l *loop) lookAt(s *stream) int64 {
	if s.terms.talking() && l.now-s.heard >= silentAfter {
		s.heard = l.now
		if s.events.Silent != nil {
			s.events.Silent()
		}
	}
	l.expect(s)
	return l.looks[s.index]
}
