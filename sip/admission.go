package sip

import (
	"bytes"
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
// repeat its request.
var bearable = [classes]time.Duration{
	classProbe:         10 * time.Millisecond,
	classInvite:        20 * time.Millisecond,
	classInviteAgain:   60 * time.Millisecond,
	classRegister:      100 * time.Millisecond,
	classRegisterAgain: 200 * time.Millisecond,
	classKept:          math.MaxInt64,
}

var classNames = [classes]string{
	classProbe: "probe", classInvite: "invite", classInviteAgain: "invite_again",
	classRegister: "register", classRegisterAgain: "register_again", classKept: "kept",
}

// classOf tells the class of a request outside a dialog from its text.
func (s *Server) classOf(h wire.Head, b []byte) class {
	again := bytes.Contains(b, credentialsLine)
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

// credentialsLine is in Authorization and in Proxy-Authorization, as everybody
// writes them. Who invents credentials gains one class, and no turn of others.
var credentialsLine = []byte("uthorization:")

// admits decides, before anything is parsed, whether a message of a lower lane
// may wait for w. One that was let in before and comes again may: what we do
// about it must not end with a refusal of its repetition.
func (s *Server) admits(w *worker, h wire.Head, p packet, now time.Time) bool {
	wait, full := w.wait(sourceOf(p.from), now.Sub(p.at), now)
	short := full || s.memory.short.Load()
	if wait < bearable[classProbe] && !short {
		return true
	}
	c := s.classOf(h, p.data)
	if wait < bearable[c] && (!short || c >= classRegisterAgain) {
		return true
	}
	if (c == classInviteAgain || c == classRegisterAgain) && w.recent.has(p.data) {
		return true
	}
	s.shed(c, h, p)
	return false
}

// pressure measures how far a worker is behind with its lower lanes; it stands
// under the worker's mu.
type pressure struct {
	// each is how long a message takes, with all that is done in between; the
	// mean of about the last sixty-four.
	each time.Duration
	// taken messages were taken at began and are being handled; 0 when the lower
	// lanes are empty.
	taken int
	began time.Time
	// long is since when a source of which nothing waits has had long to wait, and
	// age what the last message had waited before it was read.
	long time.Time
	age  time.Duration
}

const (
	// standing is how long a queue must have been too long before it counts as
	// one that will not go away by itself. What gathers while the machine is away
	// for a moment, or the collector at work, is worked off in less: after 100 ms
	// at four fifths of what it can bear, a switch catches up in 400 ms.
	standing = 500 * time.Millisecond
	// calmBelow is the wait that nobody minds; a queue that gets below it has
	// been worked off.
	calmBelow = 5 * time.Millisecond
	// burstMost is what is worked off; beyond it, requests begin to come again.
	burstMost = 250 * time.Millisecond
	meanOver  = 64
)

// took notes that n messages of the lower lanes are taken at now, which ends the
// time of those before them.
func (p *pressure) took(n int, now time.Time) {
	if p.taken > 0 {
		mean := now.Sub(p.began) / time.Duration(p.taken)
		p.each += (mean - p.each) * time.Duration(min(p.taken, meanOver)) / meanOver
	}
	p.taken, p.began = n, now
	if n == 0 && p.age < calmBelow {
		p.long = time.Time{}
	}
}

// counts is the part of a wait that calls for refusals: none of it until the
// queue has stood for a while or is too long to be worked off. long is its own.
func counts(wait time.Duration, long *time.Time, now time.Time) time.Duration {
	switch {
	case wait < calmBelow:
		*long = time.Time{}
	case long.IsZero():
		*long = now
	}
	if wait >= burstMost || !long.IsZero() && now.Sub(*long) >= standing {
		return wait
	}
	return 0
}

// wait is how long new work of source, which came age ago, would have to wait in
// the lower lanes: what has its turn before it there, by the time each took of
// late. full tells that it could not be kept.
func (w *worker) wait(source netip.Addr, age time.Duration, now time.Time) (longest time.Duration, full bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &w.pressure
	p.age = age
	longest = counts(age+w.behind(laneInvite, 0), &p.long, now)
	for l := laneInvite; l < lanes; l++ {
		if own := w.queues[l].lines[source]; own != nil {
			longest = max(longest, counts(age+w.behind(l, own.len()), &own.long, now))
		}
	}
	return longest, w.holds.full(source)
}

// behind is the wait of who has n messages in lane l. The lower lanes take turns.
func (w *worker) behind(l lane, n int) time.Duration {
	ahead := 0
	for of := laneInvite; of < lanes; of++ {
		if of == l {
			ahead += w.queues[of].ahead(n)
		} else {
			ahead += min(w.queues[of].count, max(w.queues[of].ahead(0), n))
		}
	}
	return time.Duration(ahead) * w.pressure.each
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
