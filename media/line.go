package media

import (
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/cordpair/cordpair/media/sdp"
)

// line is the packet side of a line beside the audio, video or fax: ports of its own,
// and whom what arrives there is handed to as it is. It is on the loop of its session.
// Sources are learnt like those of audio (M1), and so is a far end confirmed (M5).
type line struct {
	stream
	session *Session
	pool    *pool
	rtp     bool // else any datagram counts, on the first port only
	to      atomic.Pointer[line]

	// Of the loop.
	here bool // the loop reads the ports
	left bool // it was given back before it came here
}

// extras are what a session has for lines beside the audio, from the first one on.
type extras struct {
	lines  []*line // guarded by Engine.mu
	asking *beside // of our last offer; guarded by negotiating
}

// lines are those of the session. The caller holds Engine.mu.
func (s *Session) lines() []*line {
	if s.extra == nil {
		return nil
	}
	return s.extra.lines
}

// asking is what our last offer has beside audio; nil for nothing. The caller holds
// negotiating.
func (s *Session) asking() *beside {
	if s.extra == nil {
		return nil
	}
	return s.extra.asking
}

// ask notes it. What has no line, and never had, need not be noted. The caller holds
// negotiating.
func (s *Session) ask(b *beside) {
	if s.extra != nil {
		s.extra.asking = b
	}
}

// openLine takes ports for a line; ErrNoPorts when there are none.
func (s *Session) openLine(m *sdp.Media) (*line, error) {
	e := s.stream.engine
	x, err := s.pool.take(e.clock(), false)
	if err != nil {
		return nil, err
	}
	ln := &line{session: s, pool: s.pool, rtp: m.IsRTP()}
	ln.begin(e, Events{}, x)
	ln.guard = &guard{stream: &ln.stream, line: ln}
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.closed {
		s.pool.put(x, e.clock())
		return nil, ErrClosed
	}
	if s.extra == nil {
		s.extra = new(extras)
	}
	s.extra.lines = append(s.extra.lines, ln)
	e.live.Add(1)
	home := x.home
	if home == nil || home == s.loop && !s.moving {
		s.post(errand{fn: ln.enter})
		return ln, nil
	}
	home.post(func() {
		home.io.release(x)
		e.mu.Lock()
		defer e.mu.Unlock()
		s.post(errand{fn: ln.enter})
	})
	return ln, nil
}

// closeLines gives back the lines that are not to be kept. The caller holds Engine.mu.
func (s *Session) closeLines(keep func(*line) bool) {
	if s.extra == nil {
		return
	}
	kept := s.extra.lines[:0]
	for _, ln := range s.extra.lines {
		if keep(ln) {
			kept = append(kept, ln)
			continue
		}
		ln.to.Store(nil)
		s.stream.engine.ended.add(ln.counters.stats())
		s.post(errand{fn: ln.leave})
	}
	clear(s.extra.lines[len(kept):])
	s.extra.lines = kept
}

// enter makes the ports known to the loop of the session, on that loop.
func (ln *line) enter() {
	if ln.left {
		ln.over()
		return
	}
	ln.here = true
	if err := ln.session.stream.loop.add(&ln.stream); err != nil {
		ln.engine.log.Error("media port cannot be read", "addr", ln.pair.local, "err", err)
	}
}

// handOver takes lines off a loop, and gives those it had.
func handOver(from *loop, lines []*line) []*line {
	return slices.DeleteFunc(lines, func(ln *line) bool {
		if ln.here {
			from.hand(&ln.stream)
		}
		return !ln.here
	})
}

// leave is the last thing a line does, on the loop.
func (ln *line) leave() {
	if ln.left = true; ln.here {
		ln.loop.remove(&ln.stream)
		ln.over()
	}
}

// over gives the ports back.
func (ln *line) over() {
	q := ln.pair.old // who was heard before still counts
	q.on, q.run, q.remote, q.hosts = true, 0, ln.rtpLatch.src, ln.rtpLatch.hosts
	if ln.in.ssrc != 0 {
		q.heard, q.ssrc = true, ln.in.ssrc
	}
	ln.pair.old = q
	ln.pool.put(ln.pair, ln.session.stream.loop.now)
	ln.engine.live.Done()
}

// retarget takes what the party says of the line, on the loop.
func (ln *line) retarget(said *sdp.Media) {
	local, source := ln.pair.local.Addr(), ln.session.source
	rtp, rtcp := said.Remote()
	exact, hosts := reach(local, source, rtp)
	ln.rtpLatch.retarget(exact, hosts)
	exact, hosts = reach(local, source, rtcp)
	ln.rtcpLatch.retarget(exact, hosts)
}

// arrived takes a datagram from one of the ports.
func (ln *line) arrived(control bool, b []byte, from netip.AddrPort) {
	l := ln.latchOf(control)
	if !ln.wellFormed(control, b, from) || !l.admit(from, ln.loop.now, ln.engine.forbidden) {
		ln.refused(l, b, from)
		return
	}
	ln.counters.received.add(1)
	ln.session.stream.heard = ln.loop.now
	if to := ln.to.Load(); to != nil {
		to.pass(control, b)
	}
}

// wellFormed tells whether a datagram is what the line carries (M4), and not of the
// party that had the ports before (M6).
func (ln *line) wellFormed(control bool, b []byte, from netip.AddrPort) bool {
	q, exact, now := &ln.pair.old, ln.latchOf(control).exact, ln.loop.now
	switch p := &ln.loop.packet; {
	case !ln.rtp:
		late := q.on && now < q.until && from != exact && (from == q.remote || from.Addr() == q.hosts[0] || from.Addr() == q.hosts[1])
		return !control && !isSTUN(b) && !late
	case control || isRTCP(b):
		return validRTCP(b) && !(q.heard && reporter(b) == q.ssrc && (from != exact || now < q.until))
	case !p.parse(b) || q.holds(from, exact, p, now):
		return false
	default:
		ln.in.ssrc = p.ssrc
		return true
	}
}

// pass sends to the party what the other one has sent.
func (ln *line) pass(control bool, b []byte) {
	l, port := ln.latchOf(control), ln.port
	if control {
		port = ln.pair.rtcp
	}
	if ln.mayReach(l) {
		port.send(b, &l.to)
		ln.counters.sent.add(1)
	}
}

func (ln *line) latchOf(control bool) *latch {
	if control {
		return &ln.rtcpLatch
	}
	return &ln.rtpLatch
}
