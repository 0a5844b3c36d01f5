package sip

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

const (
	// refusingShare is the part of a core that refusals may use (O1).
	refusingShare = 10
	// refusingBurst is the most that is saved up while nobody is refused.
	refusingBurst = 10 * time.Millisecond
	// refusalMost is what it can take to make or to send one.
	refusalMost = 25 * time.Microsecond
)

// allowance bounds the time spent on something to a share of a core.
type allowance struct {
	share int // one part in so many
	most  time.Duration

	mu     sync.Mutex
	filled time.Time
	left   time.Duration
}

// open tells whether anything is left at now.
func (a *allowance) open(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.filled.IsZero() {
		a.left = a.most
	} else if since := now.Sub(a.filled); since > 0 {
		a.left = min(a.left+since/time.Duration(a.share), a.most)
	}
	a.filled = now
	return a.left > 0
}

// spend takes what was used for n refusals. Who was interrupted meanwhile has not
// used it all.
func (a *allowance) spend(d time.Duration, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left -= min(d, time.Duration(n)*refusalMost)
}

// refusing is what refusals need; nothing is made for one of them.
type refusing struct {
	allowance
	rooms sync.Pool // of *refusalRoom
}

// refusalRoom holds a refusal while it is made.
type refusalRoom struct{ text, tag, lines []byte }

// shed counts a request that cannot be served, and tells its sender so if that is
// affordable. It leaves nothing behind.
func (s *Server) shed(c class, h wire.Head, p packet) {
	s.metrics.shed(c)
	begun := time.Now()
	if !s.refusing.open(begun) {
		s.metrics.unrefused.Inc()
		return
	}
	if s.refuse(h, p) {
		s.refusals.overload(p.from, h.CallID, begun)
	} else {
		s.metrics.unrefused.Inc()
	}
	s.refusing.spend(time.Since(begun), 1)
}

// refuse answers a request with a 503 made of its own lines (RFC 3261 8.2.7), or
// reports that it is not fit for that or would be amplified (S12).
func (s *Server) refuse(h wire.Head, p packet) bool {
	room, _ := s.refusing.rooms.Get().(*refusalRoom)
	if room == nil {
		room = &refusalRoom{}
	}
	defer s.refusing.rooms.Put(room)
	room.tag = refusedTag(room.tag[:0], h.CallID)
	room.lines = append(strconv.AppendInt(append(room.lines[:0], "Retry-After: "...), retryIn(), 10), "\r\n"...)
	r := wire.Refusal{Status: "503 Service Unavailable", Tag: room.tag, Lines: room.lines}
	text, to, ok := r.Append(room.text[:0], p.data, p.from)
	room.text = text[:0]
	if !ok || !p.flow.reliable() && len(text) > amplification*len(p.data) {
		return false
	}
	if u, isUDP := p.flow.(udpFlow); isUDP {
		u.to = to
		u.l.refusals.put(u, text)
		return true
	}
	return p.flow.send(text) == nil
}

// retryIn spreads those we refuse over 5 to 30 s (O1).
func retryIn() int64 { return 5 + rand.Int64N(26) }

// endsRefusal tells an ACK that a refusal of ours led to: nobody waits for it.
func endsRefusal(h wire.Head) bool {
	if !h.InDialog || len(h.ToTag) != 16 || string(h.Method) != methodAck {
		return false
	}
	var room [16]byte
	return string(refusedTag(room[:0], h.CallID)) == string(h.ToTag)
}
