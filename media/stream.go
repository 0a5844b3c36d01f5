package media

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"time"
)

// maxUnconfirmed is how many packets a second go to a far end that has not shown
// itself (M5).
const maxUnconfirmed = 100

// stream is the packet side of a session: one port pair and all state a packet
// reads or writes. Everything but the sink and the counters belongs to the loop
// the stream is attached to.
//
// With a thousand calls nothing of a stream is in a near cache when its packet comes,
// and fetching it costs more than all we do with it. So what every packet needs
// stands first and close together, and what the terms say of it is repeated here.
type stream struct {
	// sink is where the party's packets go; nil drops them. Anyone may swap it,
	// provided that what it writes to is on the same loop.
	sink     atomic.Pointer[sink]
	loop     *loop
	terms    *terms
	heard    int64 // when the party last sent anything, or was reported silent
	lane     lane
	rate     int32  // timestamps a second of what we send, in Hz
	talks    bool   // the party wants to hear us
	moved    bool   // the source is new, and no packet of it was accepted yet
	guarded  bool   // pair.old may still hold something back
	named    bool   // an address was announced, now or earlier
	port     socket // for RTP
	guard    *guard // nil while packets are not encrypted
	rtpLatch latch
	in       receiver
	out      sender
	counters counters

	engine    *Engine
	events    Events
	cname     [10]byte // RFC 7022, for our RTCP, which has it in hexadecimal
	index     int32    // in loop.streams
	pair      *pair
	seen      atomic.Pointer[sighting] // nil before the first packet
	health    *patient                 // what the doctor knows; nil before the answer
	tap       *Capture                 // nil: nobody records the packets
	reports   reports
	keys      digits
	rtcpLatch latch

	unconfirmed window
	waiting     *player // until there are terms
	voice       *voice  // what we say ourselves; nil before
	agreed      int64   // when the terms were adopted
}

// lane is what the terms say of the payload type that came last.
type lane struct {
	clock int32 // of its timestamps in Hz, 0 for digits
	pt    uint8
	what  carriage // nothing: look it up
}

// begin makes s the packet side of a session on a pair of ports, and draws a
// session id for its descriptions. What it begins with is unpredictable (A12).
func (s *stream) begin(e *Engine, events Events, x *pair) (id uint32) {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	s.engine, s.events, s.pair, s.port = e, events, x, x.rtp
	s.guarded = x.old.on
	s.pair.old.until = x.freed + restTime
	s.unconfirmed, s.keys.rate = newWindow(maxUnconfirmed), newWindow(maxDigitsPerSecond)
	s.cname = [10]byte(b[10:])
	s.out.ssrc = binary.BigEndian.Uint32(b[:])
	s.out.ts = binary.BigEndian.Uint32(b[4:])
	s.out.seq = binary.BigEndian.Uint16(b[8:]) >> 1 // far from the wrap: see RFC 3711 section 3.3.1
	return binary.BigEndian.Uint32(b[20:]) >> 1
}

// adopt takes new terms.
func (s *stream) adopt(t *terms) {
	talked := s.terms.talking()
	if s.terms == nil || t.rtp != s.terms.rtp || t.Codec != s.terms.Codec {
		s.in.reset()
	}
	s.terms, s.agreed = t, s.loop.now
	s.lane, s.talks, s.rate = lane{}, t.maySend(), int32(t.Codec.Clock)
	s.rtpLatch.retarget(t.rtp, t.hosts)
	s.rtcpLatch.retarget(t.rtcp, t.rtcpHosts)
	if !talked {
		s.heard = s.loop.now
		s.awaitAnew()
	}
	s.named = s.named || t.signalled().IsValid()
	s.loop.expect(s)
	if s.reports.due == 0 {
		s.reports.due = s.loop.now + reportTime(true)
		s.loop.agenda.add(s, s.loop.now)
	}
	if p := s.waiting; p != nil {
		s.waiting = nil
		s.loop.play(p)
	}
}

// estate is what keeps the party out of the next session on these ports. source is
// where its SIP came from.
func (s *stream) estate(source netip.Addr) quarantine {
	q := s.pair.old // who was heard before still counts
	q.on, q.run = true, 0
	if s.in.epoch != 0 {
		q = quarantine{on: true, heard: true, remote: s.rtpLatch.src, ssrc: s.in.ssrc}
		if s.pair.old.heard {
			q.earlier = former{s.pair.old.ssrc, s.pair.old.until}
		}
	}
	switch {
	case s.terms == nil:
		q.hosts = [2]netip.Addr{source}
	case !s.rtpLatch.confirmed():
		q.hosts = s.terms.hosts
	}
	return q
}

// awaited tells whether the party's first packet may still be on its way.
func (s *stream) awaited() bool {
	if waited := s.loop.now - s.agreed; waited >= maxLead {
		return s.guard.unready() && waited < maxMeeting
	}
	return s.terms.Direction.Receives() && !s.rtpLatch.confirmed() || s.guard.unready()
}

// rtpArrived takes a datagram from the RTP port.
func (s *stream) rtpArrived(b []byte, from netip.AddrPort) {
	if s.terms != nil && s.terms.Mux && isRTCP(b) {
		s.rtcpArrived(&s.rtpLatch, b, from)
		return
	}
	p := &s.loop.packet
	if !s.admitRTP(p, b, from) {
		s.refused(&s.rtpLatch, b, from)
		return
	}
	if k := s.sink.Load(); k != nil {
		(*k).rtp(s, p)
	}
}

// refused counts a datagram that goes no further. Phones keep their NAT open with
// STUN, linphonec once a second: from the party that is nothing amiss.
func (s *stream) refused(l *latch, b []byte, from netip.AddrPort) {
	permitted := l.permits(from.Addr())
	if !isSTUN(b) || !permitted {
		s.counters.dropped.add(1)
	}
	if !permitted && s.terms != nil {
		s.stranger(from)
	}
}

// admitRTP parses and judges a packet; false means it goes no further.
func (s *stream) admitRTP(p *packet, b []byte, from netip.AddrPort) bool {
	t, now := s.terms, s.loop.now
	if t == nil || !p.parse(b) || s.guarded && s.pair.old.holds(from, t.rtp, p, now) {
		return false
	}
	if p.pt != s.lane.pt || s.lane.what == nothing {
		s.lane = t.lane(p.pt)
	}
	what, clock := s.lane.what, int(s.lane.clock)
	if what == nothing {
		// Unnegotiated comfort noise is no speech, but it is a sign of life.
		if from == s.rtpLatch.src {
			s.heard = now
		}
		if s.rtpLatch.permits(from.Addr()) {
			s.unknown(p)
		}
		return false
	}
	if !s.rtpLatch.again(from, now) {
		if !s.rtpLatch.admit(from, now, s.engine.forbidden) {
			return false
		}
		s.moved = true
		s.in.reset()
	}
	s.heard = now
	epoch := s.in.epoch
	if !s.in.accept(p, now, clock, &s.engine.epoch) {
		return false
	}
	if s.in.epoch != epoch {
		s.keys.restart()
	}
	if s.moved {
		s.sight()
	}
	s.counters.received.add(1)
	s.counters.octetsIn.add(uint64(p.end - p.head))
	s.counters.lost.set(s.in.lost())
	if what == events {
		digit, pass := s.keys.see(p.ts, p.payload(), now, t.EventClock)
		if digit != 0 && s.events.Digit != nil {
			s.events.Digit(digit)
		}
		return pass
	}
	s.counters.jitter.set(uint64(s.in.jitter16)<<32 | uint64(clock))
	if what != background {
		s.listen(p, &t.Accepted[what-1])
	}
	return true
}

// sight notes where the party's packets come from and when they began.
func (s *stream) sight() {
	s.moved = false
	now := &sighting{source: s.rtpLatch.src, exact: s.rtpLatch.exact, hosts: s.rtpLatch.hosts}
	if before := s.seen.Load(); before != nil {
		now.first = before.first
	} else {
		now.first = time.Now().UTC()
	}
	s.seen.Store(now)
}

// forward sends the packet of another stream, or of this one, to the party.
// epoch tells one numbering of the source from another.
func (s *stream) forward(p *packet, epoch uint64, pt uint8) {
	if !s.talks {
		s.out.interrupt()
		return
	}
	seq, ts, first, ok := s.out.place(epoch, p.seq, p.ts, s.loop.now, int(s.rate))
	if ok {
		s.transmit(p.rewrite(pt, p.marker || first, seq, ts, s.out.ssrc))
	}
}

// transmit sends a finished RTP packet.
func (s *stream) transmit(b []byte) {
	if !s.mayReach(&s.rtpLatch) {
		return
	}
	n := len(b) - rtpHeader
	s.tap.sent(s, false, b, s.rtpLatch.to.addr)
	if b = s.guard.cover(onRTP, b); b == nil {
		return
	}
	s.port.send(b, &s.rtpLatch.to)
	s.counters.sent.add(1)
	s.counters.octetsOut.add(uint64(n))
}

// mayReach tells whether there is a far end, and whether it may be sent a packet
// now: without limit once its host has shown itself (M5).
func (s *stream) mayReach(l *latch) bool {
	if l.confirmed() {
		return true
	}
	if !l.to.addr.IsValid() {
		return false
	}
	return l.to.addr.Addr() == s.rtpLatch.src.Addr() || s.unconfirmed.allow(s.loop.now)
}
