package media

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/cordpair/cordpair/media/sdp"
	"github.com/cordpair/cordpair/media/secure"
)

const (
	// maxHandshakes bounds the handshakes of an engine that go on at once; a far end
	// that finds no place tries again within a second.
	maxHandshakes = 512
	// handshakeTries bounds those of one channel that begin within giveWay of each
	// other.
	handshakeTries = 5
	// giveWay is how long a handshake that is not done holds its place against a hello
	// from another of the party's ports, in ns: anybody at its host, or who writes its
	// address on a datagram, may have begun it.
	giveWay = 1e9
	// repeatTime is how long a finished handshake is asked for its last flight, in
	// ns; a hello after that begins another one.
	repeatTime = 10e9
)

// handshake is a channel's way to keys by DTLS.
type handshake struct {
	now   *secure.Handshake // nil while none goes on or is kept
	id    uint64            // of now
	with  netip.AddrPort    // the far end of now
	began int64             // of now
	done  bool              // now has given its keys
	over  int64             // and is kept until then
	tries int
}

// end ends it.
func (h *handshake) end() {
	if h.now != nil {
		h.now.Close()
		h.now = nil
	}
}

// sameAssociation tells whether new terms go on with the association there is (RFC
// 8842 section 5.5).
func sameAssociation(a, b *sdp.Protection) bool {
	return a.DTLS() && b.DTLS() && a.Setup == b.Setup &&
		slices.EqualFunc(a.Fingerprints, b.Fingerprints, func(x, y sdp.Fingerprint) bool {
			return x.Hash == y.Hash && bytes.Equal(x.Sum, y.Sum)
		})
}

// approach begins the handshakes that are ours to begin, as far as the party can be
// reached.
func (g *guard) approach() {
	if p := g.terms.Protection; !p.DTLS() || p.Setup != sdp.Active {
		return
	}
	s := g.stream
	for port, l := range [2]*latch{&s.rtpLatch, &s.rtcpLatch} {
		if c := &g.channels[port]; c.open == nil && c.shake.now == nil && l.to.addr.IsValid() && g.uses(port) {
			g.shake(port, l.to.addr)
		}
	}
}

// uses tells whether a port is used at all.
func (g *guard) uses(port int) bool { return port == onRTP || !g.terms.Mux }

// shaking takes a datagram of DTLS that came from one of the party's addresses.
// Whatever it does, the call goes on (M3).
func (g *guard) shaking(port int, l *latch, b []byte, from netip.AddrPort) {
	s, c := g.stream, &g.channels[port]
	h, p := &c.shake, g.terms.Protection
	if !p.DTLS() || !g.uses(port) || s.engine.forbidden(from) {
		s.counters.dropped.add(1)
		return
	}
	hello := isHello(b) && p.Setup == sdp.Passive
	switch {
	case h.now == nil || h.done && s.loop.now > h.over:
		if hello {
			g.shake(port, from)
		}
	case c.agent == nil && from != h.with:
		if !hello || !h.yields(from, l.exact, s.loop.now) {
			s.counters.dropped.add(1)
			return
		}
		g.shake(port, from)
	}
	if h.now != nil {
		h.now.Feed(b)
	}
}

// yields tells whether a handshake is given up for the hello of another port: the
// exactly signalled one wins, as in M1.
func (h *handshake) yields(from, exact netip.AddrPort, now int64) bool {
	return from == exact || h.with != exact && !h.done && now-h.began >= giveWay
}

// isHello tells whether a datagram may begin an association: a ClientHello that is
// not encrypted (RFC 6347 section 4.2).
func isHello(b []byte) bool {
	return len(b) > 13 && b[0] == 22 && b[3] == 0 && b[4] == 0 && b[13] == 1
}

// shake begins a handshake on a port in place of the one before, unless there were
// too many.
func (g *guard) shake(port int, with netip.AddrPort) {
	h, e := &g.channels[port].shake, g.stream.engine
	h.end()
	now := g.stream.loop.now
	if now-h.began >= giveWay {
		h.tries = 0
	}
	if h.tries >= handshakeTries || e.handshakes.Load() >= maxHandshakes {
		return
	}
	e.handshakes.Add(1)
	h.tries, h.done, h.began, h.with, h.id = h.tries+1, false, now, with, e.nextEpoch()
	m := secure.Meeting{Identity: e.identity, Client: g.terms.Protection.Setup == sdp.Active}
	for _, f := range g.terms.Protection.Fingerprints {
		m.Fingerprints = append(m.Fingerprints, secure.Fingerprint(f))
	}
	id := h.id
	m.Send = func(b []byte) {
		b = bytes.Clone(b)
		g.tell(port, id, func() { g.send(port, b, g.channels[port].shakesWith(g.stream.loop.now)) })
	}
	m.Done = func(ours, theirs secure.Key, err error) {
		e.handshakes.Add(-1)
		g.tell(port, id, func() { g.settled(port, ours, theirs, err) })
	}
	m.Over = e.live.Done
	e.live.Add(1) // the session, which is alive, has its own
	h.now = secure.Begin(m)
}

// shakesWith is where the handshake's datagrams go.
func (c *channel) shakesWith(now int64) netip.AddrPort {
	if c.agent != nil {
		if chosen := c.agent.Chosen(now); chosen.IsValid() {
			return chosen
		}
	}
	return c.shake.with
}

// tell runs on the loop what a handshake has to say, if that still counts then.
func (g *guard) tell(port int, id uint64, fn func()) {
	s := g.session
	s.stream.engine.mu.Lock()
	defer s.stream.engine.mu.Unlock()
	if s.closed {
		return
	}
	s.post(errand{fn: func() {
		if h := &g.channels[port].shake; h.now != nil && h.id == id {
			fn()
		}
	}})
}

// settled is the end of a handshake. Without keys everything stays as it was.
func (g *guard) settled(port int, ours, theirs secure.Key, err error) {
	h := &g.channels[port].shake
	if err == nil {
		err = g.install(port, ours, theirs)
	}
	if err != nil {
		g.stream.engine.log.Info("media could not be encrypted", "with", h.with, "err", err)
		h.end()
		return
	}
	h.done, h.over, h.tries = true, g.stream.loop.now+repeatTime, 0
}
