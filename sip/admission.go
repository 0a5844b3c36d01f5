package sip

import (
	"hash/maphash"
	"math"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

// class says how much a message is worth when not all can be served (O2); the
// lowest goes first.
type class int

const (
	// classProbe is what nobody waits for: OPTIONS, SUBSCRIBE, NOTIFY, PUBLISH,
	// MESSAGE, REFER and what we do not know.
	classProbe class = iota
	// classInvite is an INVITE that has shown no credentials.
	classInvite
	// classInviteAgain is one that has: its challenge has been paid for, so it
	// is worth more than to begin with another one.
	classInviteAgain
	// classRegister is a REGISTER without credentials.
	classRegister
	// classRegisterAgain is one with: a phone that answers its challenge, or one
	// that was here before and shows what it has.
	classRegisterAgain
	// classKept is never shed: ACK, BYE, CANCEL, whatever carries a To tag,
	// responses, and calls to an emergency number.
	classKept
	classes
)

// bearable is how long a message of each class may have to wait. A queue that
// stands holds at the first figure that the load above it exceeds, so each class
// is refused whole before any of the next is. All are below what makes a phone
// repeat its request (500 ms, RFC 3261 17.1), and well above what gathers while the
// machine is away for a moment or the collector at work: that is worked off.
var bearable = [classes]time.Duration{
	classProbe:         80 * time.Millisecond,
	classInvite:        150 * time.Millisecond,
	classInviteAgain:   250 * time.Millisecond,
	classRegister:      300 * time.Millisecond,
	classRegisterAgain: 400 * time.Millisecond,
	classKept:          math.MaxInt64,
}

var classNames = [classes]string{
	classProbe: "probe", classInvite: "invite", classInviteAgain: "invite_again",
	classRegister: "register", classRegisterAgain: "register_again", classKept: "kept",
}

// classOf tells the class of a request outside a dialog from its text. Who invents
// credentials gains one class, and no turn of others.
func (s *Server) classOf(h wire.Head, b []byte) class {
	again := wire.Signed(b)
	switch {
	case !h.Request || h.InDialog:
		return classKept
	case string(h.Method) == methodAck || string(h.Method) == methodBye || string(h.Method) == methodCancel:
		return classKept
	case string(h.Method) == methodInvite && s.directory.Emergency(wire.Dialled(b)):
		return classKept
	case string(h.Method) == methodInvite && again:
		return classInviteAgain
	case string(h.Method) == methodInvite:
		return classInvite
	case string(h.Method) == methodRegister && again:
		return classRegisterAgain
	case string(h.Method) == methodRegister:
		return classRegister
	}
	return classProbe
}

// admits decides, before anything is parsed, whether a message of a lower lane
// may wait for w. One that was let in before and comes again may: what we do
// about it must not end with a refusal of its repetition.
func (s *Server) admits(w *worker, h wire.Head, p packet, now time.Time) bool {
	wait, full := w.wait(sourceOf(p.from), now.Sub(p.at))
	short := full || s.memory.short.Load()
	if wait < bearable[classProbe] && !short {
		return true
	}
	c := s.classOf(h, p.data)
	if wait < bearable[c] && (!short || c >= classRegisterAgain) {
		return true
	}
	if c != classProbe && w.recent.has(p.data) {
		return true
	}
	s.shed(c, h, p)
	return false
}

// pressure measures how fast a lane is worked off; it stands under the worker's mu.
type pressure struct {
	// each is how long a message takes, with all that is done in between: a mean
	// of those that others waited behind.
	each time.Duration
	// taken messages were taken at began and others are left; 0 when none are.
	taken int
	began time.Time
}

const (
	// eachAtFirst is what a message is thought to take before any was seen.
	eachAtFirst = 200 * time.Microsecond
	// risesOver is how many messages the mean follows when they take longer: enough
	// for a moment in which the machine was away to count for little, which shows in
	// the ages of what comes next anyway. It falls much slower: a crowd of INVITEs
	// takes no time to challenge, and comes back to be served. What is thought to
	// take too long makes for a shorter queue and costs nothing else.
	risesOver = 512
	fallsOver = 4096
)

// took notes that n messages are taken at now, which ends the time of those
// before them, and whether others are left behind.
func (p *pressure) took(n int, left bool, now time.Time) {
	if p.taken > 0 {
		over := time.Duration(risesOver)
		mean := now.Sub(p.began) / time.Duration(p.taken)
		if mean < p.each {
			over = fallsOver
		}
		p.each += (mean - p.each) * time.Duration(p.taken) / over
	}
	p.taken, p.began = n, now
	if !left {
		p.taken = 0
	}
}

// wait is how long new work of source, which came age ago, would have to wait in
// the lower lanes: what has its turn before it there, by the time each took of
// late. All lanes count, whichever it is for: what is worth less is refused first.
// full tells that it could not be kept.
func (w *worker) wait(source netip.Addr, age time.Duration) (sum time.Duration, full bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for l := laneEmergency; l < lanes; l++ {
		q, own := &w.queues[l], 0
		if line := q.lines[source]; line != nil {
			own = line.len()
		}
		sum += time.Duration(q.ahead(own)) * w.pressure[l].each
	}
	return age + sum, w.holds.full(source)
}

// recentSets and recentWays are how many messages a worker knows again: those of
// a few seconds at full load, and of the ones that share a place the last four.
const (
	recentSets = 1 << 14
	recentWays = 4
)

// recent knows the last INVITEs and REGISTERs that a worker was given, by a hash
// of every byte: what is sent again is sent as it was (RFC 3261 17.1.1.2). Two who
// note at once may lose one.
type recent [recentSets][recentWays]atomic.Uint64

// letIn notes what may come again.
func (w *worker) letIn(h wire.Head, b []byte) {
	if !h.InDialog && (string(h.Method) == methodInvite || string(h.Method) == methodRegister) {
		w.recent.note(b)
	}
}

func (r *recent) note(b []byte) {
	if r.has(b) {
		return
	}
	h := hashCallID(b)
	set := &r[h%recentSets]
	for i := recentWays - 1; i > 0; i-- {
		set[i].Store(set[i-1].Load())
	}
	set[0].Store(h)
}

func (r *recent) has(b []byte) bool {
	h := hashCallID(b)
	set := &r[h%recentSets]
	for i := range set {
		if set[i].Load() == h {
			return true
		}
	}
	return false
}

// refusedTag is the To tag of an answer that nothing is kept of: a function of the
// Call-ID, so that the same request meets the same tag, and the ACK it leads to is
// known by it and costs nothing more.
func refusedTag(dst, callID []byte) []byte {
	return appendHex64(dst, maphash.Bytes(refusedSeed, callID))
}

// passingTag is refusedTag of a message that has been read.
func passingTag(m *wire.Message) string {
	var room [16]byte
	return string(appendHex64(room[:0], maphash.String(refusedSeed, m.CallID())))
}

var refusedSeed = maphash.MakeSeed()
