package media

import (
	"encoding/binary"
	"encoding/hex"
)

// RTCP packet types (RFC 3550 section 12.1).
const (
	rtcpSR   = 200
	rtcpRR   = 201
	rtcpSDES = 202
)

// Lengths of RTCP parts in octets (RFC 3550 section 6.4).
const (
	rtcpHead    = 8 // common header and SSRC
	rtcpSender  = 20
	rtcpBlock   = 24
	maxReported = 31
)

// validCompound tells whether b is a compound packet as RFC 3550 appendix A.2
// wants it: version 2 throughout, a report first, padding in the last part only,
// lengths that add up, and reports long enough for their blocks (M4).
func validCompound(b []byte) bool {
	if len(b) < rtcpHead || b[1] != rtcpSR && b[1] != rtcpRR {
		return false
	}
	for len(b) > 0 {
		if len(b) < 4 || b[0]>>6 != 2 {
			return false
		}
		n := partLength(b)
		if n > len(b) || b[0]&0x20 != 0 && n != len(b) {
			return false
		}
		blocks := int(b[0]&31) * rtcpBlock
		if b[1] == rtcpSR && n < rtcpHead+rtcpSender+blocks || b[1] == rtcpRR && n < rtcpHead+blocks {
			return false
		}
		b = b[n:]
	}
	return true
}

// partLength is the length of the first part of a compound, header included.
func partLength(b []byte) int { return 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1) }

// reporter is the SSRC of the first report of a valid compound.
func reporter(b []byte) uint32 { return binary.BigEndian.Uint32(b[4:]) }

// report passes the reports of one party to the other, as if both spoke of our
// streams: a sender's report becomes one about the stream we send, with what that
// has carried whatever its sources were (RFC 3550 section 6.4.1), and what was
// reported about our stream becomes a report about the other party's. BYE, names
// and application parts stay here: a source that leaves does not end our stream.
func (s *stream) report(from *stream, compound []byte) {
	if s.terms == nil || !s.mayReach(&s.rtcpLatch) {
		return
	}
	out := s.loop.scratch[:rtcpHead]
	blocks := 0
	kind := byte(rtcpRR)
	if compound[1] == rtcpSR && from.in.epoch != 0 && s.out.epoch == from.in.epoch {
		kind = rtcpSR
		out = append(out, compound[rtcpHead:rtcpHead+rtcpSender]...)
		at := out[rtcpHead+8:] // after the NTP time
		binary.BigEndian.PutUint32(at, binary.BigEndian.Uint32(at)+s.out.tsOff)
		binary.BigEndian.PutUint32(at[4:], uint32(s.counters.sent.get()))
		binary.BigEndian.PutUint32(at[8:], uint32(s.counters.octetsOut.get()))
	}
	for b := compound; len(b) > 0; b = b[partLength(b):] {
		head := rtcpHead
		switch b[1] {
		case rtcpSR:
			head += rtcpSender
		case rtcpRR:
		default:
			continue
		}
		for i := range int(b[0] & 31) {
			block := b[head+i*rtcpBlock:][:rtcpBlock]
			if blocks < maxReported && from.reportedOn(s, block) {
				out = append(out, block...)
				blocks++
			}
		}
	}
	out[0], out[1] = 0x80|byte(blocks), kind
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)/4-1))
	binary.BigEndian.PutUint32(out[4:], s.out.ssrc)
	s.pair.rtcp.send(s.describe(out), &s.rtcpLatch.to)
}

// reportedOn turns what the party of s reported about our stream into a report
// on the source behind it, and tells whether there is one to report on.
func (s *stream) reportedOn(source *stream, block []byte) bool {
	if binary.BigEndian.Uint32(block) != s.out.ssrc || s.out.epoch == 0 || s.out.epoch != source.in.epoch {
		return false
	}
	binary.BigEndian.PutUint32(block, source.in.ssrc)
	seq := uint16(binary.BigEndian.Uint32(block[8:])) - s.out.seqOff
	cycles := source.in.cycles
	if seq > source.in.seq {
		cycles -= 1 << 16 // reported before the latest wrap
	}
	binary.BigEndian.PutUint32(block[8:], cycles|uint32(seq))
	return true
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
