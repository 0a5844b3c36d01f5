package media

import (
	"errors"
	"net/netip"

	"github.com/cordpair/cordpair/media/ice"
	"github.com/cordpair/cordpair/media/sdp"
	"github.com/cordpair/cordpair/media/secure"
)

// guard stands between the ports of a stream and all else while its packets are
// encrypted: it tells the protocols of a port apart, opens what arrives before
// anybody learns from it (M3), and protects what leaves. A stream without one talks
// in the clear. It belongs to the stream's loop.
type guard struct {
	stream   *stream
	line     *line    // who takes all that arrives, not encrypted; nil for audio
	session  *Session // whose stream it is
	terms    *terms   // that it was made or renewed for
	channels [2]channel
}

// The ports of a pair, as places in guard.channels.
const (
	onRTP  = 0
	onRTCP = 1
)

// channel is what a guard knows of one port. With SDES both ports have the same
// contexts; with DTLS each has its own, unless they share the port of RTP.
type channel struct {
	open *secure.Opener // nil without a key yet: what comes is dropped
	seal *secure.Sealer // nil without a key yet: nothing is sent
	// past opens what was on its way when the key changed, until pastUntil.
	past      *secure.Opener
	pastUntil int64
	agent     *ice.Agent // nil without ICE
	shake     handshake
}

// pastTime is how long packets under the key before are taken after a change, in
// ns: they cross the answer that brings the new one (RFC 4568 section 7.1.4).
const pastTime = 5e9

// adopt gives the stream new terms, on its loop: their encryption first.
func (s *Session) adopt(t *terms) {
	st := &s.stream
	for i := range t.crossings() {
		c := &t.beside.lines[i]
		c.line.retarget(c.said)
	}
	if t.Protection == nil {
		st.guard.close()
		st.guard = nil
		st.adopt(t)
		return
	}
	if st.guard == nil {
		st.guard = &guard{stream: st, session: s}
	}
	st.guard.renew(t)
	st.adopt(t)
	st.guard.approach()
}

// renew takes new terms. Keys that stay the same keep their contexts: a session
// refresh must not forget which packets were seen.
func (g *guard) renew(t *terms) {
	before := g.terms
	g.terms = t
	for i := range g.channels {
		g.channels[i].meet(t)
	}
	if !t.Protection.DTLS() {
		g.rekey(t.Protection)
		return
	}
	if before == nil || !sameAssociation(before.Protection, t.Protection) {
		for i := range g.channels {
			g.channels[i].forget()
		}
	}
}

// meet prepares the agent that terms want.
func (c *channel) meet(t *terms) {
	switch {
	case !t.usesICE():
		c.agent = nil
	case c.agent == nil:
		c.agent = ice.NewAgent(t.mine, t.ICE.Ufrag)
	case !c.agent.Is(t.mine, t.ICE.Ufrag):
		c.agent = c.agent.Restart(t.mine, t.ICE.Ufrag)
	}
}

// forget drops everything of another far end or another way of encryption.
func (c *channel) forget() {
	c.shake.end()
	*c = channel{agent: c.agent}
}

// rekey takes the keys of SDES, which both ports share.
func (g *guard) rekey(p *sdp.Protection) {
	for i := range g.channels {
		g.channels[i].shake.end()
	}
	c := &g.channels[onRTP]
	theirs, err := keyOf(p.Receive)
	ours, err2 := keyOf(p.Send)
	if err = errors.Join(err, err2); err == nil {
		err = g.install(onRTP, ours, theirs)
	}
	if err != nil { // a reader of descriptions let pass what it should not
		g.stream.engine.log.Error("media key cannot be used", "err", err)
		*c = channel{agent: c.agent}
	}
	own := g.channels[onRTCP].agent // each port has its own paths
	g.channels[onRTCP] = *c
	g.channels[onRTCP].agent = own
}

// install gives a channel its keys. Those it has already stay.
func (g *guard) install(port int, ours, theirs secure.Key) error {
	c := &g.channels[port]
	if c.open == nil || !c.open.Key().Is(theirs) {
		open, err := secure.NewOpener(theirs)
		if err != nil {
			return err
		}
		if c.past = c.open; c.past != nil {
			c.pastUntil = g.stream.loop.now + pastTime
			open.Continue(c.past)
		}
		c.open = open
	}
	if c.seal == nil || !c.seal.Key().Is(ours) {
		seal, err := secure.NewSealer(ours)
		if err != nil {
			return err
		}
		if c.seal != nil {
			seal.Continue(c.seal, g.stream.out.ssrc)
		}
		c.seal = seal
	}
	return nil
}

// keyOf makes a key of what a description says.
func keyOf(c sdp.Crypto) (secure.Key, error) {
	suite, _ := secure.SuiteOf(string(c.Suite))
	return secure.KeyOf(suite, c.Key, c.MKI)
}

// close ends what the guard has going. A nil guard has nothing.
func (g *guard) close() {
	if g == nil {
		return
	}
	for i := range g.channels {
		g.channels[i].shake.end()
	}
}

// admit takes a datagram off one of the ports. It gives the RTP or RTCP in it and
// where that counts as coming from, or nil when it is something else, was none of
// the party's, or is not to be opened.
func (g *guard) admit(control bool, b []byte, from netip.AddrPort) ([]byte, netip.AddrPort) {
	s := g.stream
	port, l := onRTP, &s.rtpLatch
	if control {
		port, l = onRTCP, &s.rtcpLatch
	}
	c, kind := &g.channels[port], secure.KindOf(b)
	if kind == secure.STUN && c.agent != nil {
		g.check(port, l, b, from)
		return nil, from
	}
	if from = g.source(c, l, from); !from.IsValid() || kind == secure.Other || kind == secure.STUN {
		s.refused(l, b, from)
		return nil, from
	}
	if kind == secure.DTLS {
		g.shaking(port, l, b, from)
		return nil, from
	}
	report := control || kind == secure.RTCP && g.terms.Mux
	out := g.opened(c, b, report)
	if out == nil {
		s.counters.forged.add(1)
	}
	return out, from
}

// source is whom a datagram counts as coming from; invalid for a stranger. What has
// come by another proven path of ICE counts as come by the chosen one.
func (g *guard) source(c *channel, l *latch, from netip.AddrPort) netip.AddrPort {
	switch now := g.stream.loop.now; {
	case c.agent == nil:
		if from == l.src || l.permits(from.Addr()) {
			return from
		}
	case c.agent.Knows(from, now):
		if l.src.IsValid() {
			return l.src
		}
		return from
	}
	return netip.AddrPort{}
}

// opened checks and decrypts a packet; nil when it is not the party's or there is no
// key yet.
func (g *guard) opened(c *channel, b []byte, report bool) []byte {
	now := g.stream.loop.now
	if c.open == nil {
		return nil
	}
	if c.past == nil || now > c.pastUntil {
		c.past = nil
		return opening(c.open, b, report)
	}
	// What cannot be opened is spoilt by the attempt.
	room := g.stream.loop.cover
	if out := opening(c.open, room[:copy(room[:], b)], report); out != nil {
		return b[:copy(b, out)]
	}
	return opening(c.past, b, report)
}

// opening is one attempt.
func opening(o *secure.Opener, b []byte, report bool) []byte {
	var out []byte
	var err error
	if report {
		out, err = o.RTCP(b)
	} else {
		out, err = o.RTP(b)
	}
	if err != nil {
		return nil
	}
	return out
}

// cover protects an RTP packet, or a report, that is about to leave by the port; nil
// when it must not leave: there is no key yet, or the party has taken back its
// consent. Without a guard everything leaves as it is.
func (g *guard) cover(port int, b []byte) []byte {
	if g == nil {
		return b
	}
	c, s := &g.channels[port], g.stream
	if c.seal == nil || c.agent != nil && !c.agent.Chosen(s.loop.now).IsValid() {
		return nil
	}
	var out []byte
	var err error
	if secure.KindOf(b) == secure.RTCP && (port == onRTCP || g.terms.Mux) {
		out, err = c.seal.RTCP(s.loop.cover[:0], b)
	} else {
		out, err = c.seal.RTP(s.loop.cover[:0], b)
	}
	if err != nil {
		return nil // 2^48 packets under one key: it is over
	}
	return out
}

// unready tells whether the party's packets cannot be heard yet for want of a key.
func (g *guard) unready() bool { return g != nil && g.channels[onRTP].open == nil }

// check takes a connectivity check.
func (g *guard) check(port int, l *latch, b []byte, from netip.AddrPort) {
	s, c := g.stream, &g.channels[port]
	if s.engine.forbidden(from) {
		s.counters.dropped.add(1)
		return
	}
	reply, v := c.agent.Answer(b, from, s.loop.now)
	if reply != nil {
		g.send(port, reply, from)
	}
	switch v {
	case ice.Refused:
		s.counters.dropped.add(1)
	case ice.Nominated:
		if l.settle(from, s.loop.now) {
			s.moved = true
			s.in.reset()
		}
		g.approach()
	}
}

// send sends what is neither RTP nor RTCP by a port.
func (g *guard) send(port int, b []byte, to netip.AddrPort) {
	s := g.stream
	t := &s.loop.back
	if t.addr != to {
		t.set(to)
	}
	if port == onRTCP {
		s.pair.rtcp.send(b, t)
	} else {
		s.pair.rtp.send(b, t)
	}
}

// settle makes a source of ICE's choice the party's; false when it was.
func (l *latch) settle(a netip.AddrPort, now int64) bool {
	l.at = now
	if l.src == a {
		return false
	}
	l.src = a
	l.to.set(a)
	return true
}
