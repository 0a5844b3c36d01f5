package media

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
)

// RTCP packet types (RFC 3550 section 12.1, RFC 4585, RFC 3611).
const (
	rtcpSR    = 200
	rtcpRR    = 201
	rtcpSDES  = 202
	rtcpBYE   = 203
	rtcpAPP   = 204
	rtcpRTPFB = 205
	rtcpPSFB  = 206
	rtcpXR    = 207
)

// Lengths of RTCP parts in octets (RFC 3550 section 6.4).
const (
	rtcpHead   = 8 // common header and SSRC
	rtcpSender = 20
	rtcpBlock  = 24
	// maxReport is our longest compound: a sender's report on one source, its name
	// and its BYE.
	maxReport = rtcpHead + rtcpSender + rtcpBlock + 32 + rtcpHead
)

// validRTCP tells whether b is what RFC 3550 appendix A.2 wants of a compound:
// version 2 throughout, padding in the last part only, lengths that add up, and
// parts as long as their kind needs (M4). A report need not come first: reduced-size
// RTCP has feedback alone (RFC 5506), and that costs nothing to bear.
func validRTCP(b []byte) bool {
	if len(b) < rtcpHead || b[1] < rtcpSR || b[1] > rtcpXR {
		return false
	}
	for len(b) > 0 {
		if len(b) < 4 || b[0]>>6 != 2 {
			return false
		}
		n := partLength(b)
		if n > len(b) || b[0]&0x20 != 0 && n != len(b) || n < leastLength(b) {
			return false
		}
		b = b[n:]
	}
	return true
}

// partLength is the length of the first part of a compound, header included.
func partLength(b []byte) int { return 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1) }

// leastLength is how long the first part has to be for what it says it holds.
func leastLength(b []byte) int {
	count := int(b[0] & 31)
	switch b[1] {
	case rtcpSR:
		return rtcpHead + rtcpSender + count*rtcpBlock
	case rtcpRR:
		return rtcpHead + count*rtcpBlock
	case rtcpBYE:
		return 4 + 4*count
	case rtcpAPP, rtcpRTPFB, rtcpPSFB:
		return 12
	case rtcpXR:
		return rtcpHead
	}
	return 4
}

// reporter is the SSRC of the first part of a valid compound.
func reporter(b []byte) uint32 { return binary.BigEndian.Uint32(b[4:]) }

// rtcpArrived takes a compound from the RTCP port, or from the RTP port if both share
// it. l is the latch of that port.
func (s *stream) rtcpArrived(l *latch, b []byte, from netip.AddrPort) {
	if !s.admitRTCP(l, b, from) {
		s.refused(l, b, from)
		return
	}
	s.heard = s.loop.now
	s.reportCame()
	s.study(b)
}

// admitRTCP judges a compound packet; false means it goes no further. The report
// of a sender must be about the SSRC that holds (M2).
func (s *stream) admitRTCP(l *latch, b []byte, from netip.AddrPort) bool {
	if s.terms == nil || !validRTCP(b) {
		return false
	}
	if s.pair.old.heard && reporter(b) == s.pair.old.ssrc && (from != s.terms.rtcp || s.loop.now < s.pair.old.until) {
		return false
	}
	if !s.admitSource(l, from) {
		return false
	}
	return b[1] != rtcpSR || s.in.epoch == 0 || reporter(b) == s.in.ssrc
}

// admitSource asks the latch. On a shared port it is RTP that tells when the party
// has moved.
func (s *stream) admitSource(l *latch, from netip.AddrPort) bool {
	known := l.src
	if l == &s.rtpLatch && known.IsValid() && from != known {
		return false
	}
	if !l.admit(from, s.loop.now, s.engine.forbidden) {
		return false
	}
	if l == &s.rtpLatch && !known.IsValid() {
		s.moved = true
		s.in.reset()
	}
	return true
}

// study takes what an admitted compound says. BYE says nothing: a source that leaves
// does not end our stream, and anybody who can send from the party's address could
// claim it.
func (s *stream) study(b []byte) {
	for ; len(b) > 0; b = b[partLength(b):] {
		head := rtcpHead
		switch b[1] {
		case rtcpSR:
			s.reports.noteSender(b, s.loop.now)
			head += rtcpSender
		case rtcpRR:
		default:
			continue
		}
		for i := range int(b[0] & 31) {
			if block := b[head+i*rtcpBlock:][:rtcpBlock]; binary.BigEndian.Uint32(block) == s.out.ssrc {
				s.noteBlock(block)
			}
		}
	}
}

// sendReport sends a compound of our own: what we send and how the party's packets
// arrive. With bye it is the last one (RFC 3550 section 6.3.7).
func (s *stream) sendReport(bye bool) {
	port, at, l := s.pair.rtcp, onRTCP, &s.rtcpLatch
	if s.terms.Mux {
		port, at, l = s.port, onRTP, &s.rtpLatch
	}
	if !s.mayReach(l) {
		return
	}
	out := s.describe(s.appendReport(s.loop.scratch[:0]))
	if bye {
		out = append(out, 0x81, rtcpBYE, 0, 1)
		out = binary.BigEndian.AppendUint32(out, s.out.ssrc)
	}
	s.tap.sent(s, at == onRTCP, out, l.to.addr)
	if out = s.guard.cover(at, out); out == nil {
		return
	}
	port.send(out, &l.to)
	s.reports.begun = true
}

// appendReport writes a sender's report while we send and a receiver's otherwise,
// with a block about the party if it was heard since the last one.
func (s *stream) appendReport(out []byte) []byte {
	r, now := &s.reports, s.loop.now
	start := len(out)
	out = append(out, 0x80, rtcpRR, 0, 0)
	out = binary.BigEndian.AppendUint32(out, s.out.ssrc)
	sent := uint32(s.counters.sent.get())
	if sent != r.sent[1] {
		out[start+1] = rtcpSR
		ntp := ntpTime(s.engine.wall, now)
		r.stamp(uint32(ntp >> 16))
		out = binary.BigEndian.AppendUint64(out, ntp)
		out = binary.BigEndian.AppendUint32(out, s.out.clockAt(now, s.terms.Codec.Clock))
		out = binary.BigEndian.AppendUint32(out, sent)
		out = binary.BigEndian.AppendUint32(out, uint32(s.counters.octetsOut.get()))
	}
	r.sent = [2]uint32{sent, r.sent[0]}
	if block, ok := r.interval(&s.in); ok {
		out[start]++
		out = binary.BigEndian.AppendUint32(out, s.in.ssrc)
		out = binary.BigEndian.AppendUint32(out, uint32(block.fraction)<<24|uint32(block.lost)&0xffffff)
		out = binary.BigEndian.AppendUint32(out, s.in.cycles|uint32(s.in.seq))
		out = binary.BigEndian.AppendUint32(out, s.in.jitter16>>4)
		last, since := r.heardSender(s.in.ssrc, now)
		out = binary.BigEndian.AppendUint32(out, last)
		out = binary.BigEndian.AppendUint32(out, since)
	}
	binary.BigEndian.PutUint16(out[start+2:], uint16((len(out)-start)/4-1))
	return out
}

// describe appends the SDES part every compound needs (RFC 3550 section 6.1).
func (s *stream) describe(out []byte) []byte {
	start := len(out)
	out = append(out, 0x81, rtcpSDES, 0, 0)
	out = binary.BigEndian.AppendUint32(out, s.out.ssrc)
	out = append(out, 1, byte(hex.EncodedLen(len(s.cname))))
	out = hex.AppendEncode(out, s.cname[:])
	out = append(out, 0) // end of items, then to a multiple of four
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	binary.BigEndian.PutUint16(out[start+2:], uint16((len(out)-start)/4-1))
	return out
}
