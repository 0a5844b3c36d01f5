package media

import "encoding/binary"

// maxDatagram bounds what is read of one packet; longer ones are dropped.
const maxDatagram = 2048

// rtpHeader is the length of the header we write: no CSRC, no extension.
const rtpHeader = 12

// packet is one RTP packet as it arrived (RFC 3550 section 5.1). It points into
// the receive buffer and is valid only while its sink runs.
type packet struct {
	buf       []byte // the datagram
	head, end int    // the payload is buf[head:end]; head is at least rtpHeader
	seq       uint16
	ts, ssrc  uint32
	pt        uint8
	marker    bool
}

// parse reads a datagram; false means it is no well-formed RTP packet (M4).
func (p *packet) parse(b []byte) bool {
	if len(b) < rtpHeader || b[0]>>6 != 2 {
		return false
	}
	head, end := rtpHeader+4*int(b[0]&15), len(b)
	if b[0]&0x10 != 0 {
		if head+4 > end {
			return false
		}
		head += 4 + 4*int(binary.BigEndian.Uint16(b[head+2:]))
	}
	if head > end {
		return false
	}
	if b[0]&0x20 != 0 {
		pad := int(b[end-1])
		if pad == 0 || pad > end-head {
			return false
		}
		end -= pad
	}
	p.buf, p.head, p.end = b, head, end
	p.marker, p.pt = b[1]&0x80 != 0, b[1]&0x7f
	p.seq = binary.BigEndian.Uint16(b[2:])
	p.ts = binary.BigEndian.Uint32(b[4:])
	p.ssrc = binary.BigEndian.Uint32(b[8:])
	return true
}

// isSTUN tells STUN from RTP and RTCP on the same port (RFC 8489 section 5, RFC
// 7983 section 7).
func isSTUN(b []byte) bool {
	return len(b) >= 20 && b[0] < 4 && binary.BigEndian.Uint32(b[4:]) == 0x2112A442
}

// isRTCP tells RTCP from RTP on a port that both share: its packet types are in the
// range that no payload type with a marker bit may have there (RFC 5761 section 4).
func isRTCP(b []byte) bool { return len(b) >= 2 && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223 }

// payload is what the packet carries, without padding.
func (p *packet) payload() []byte { return p.buf[p.head:p.end] }

// rewrite puts a plain header right before the payload and returns the packet
// to send. CSRCs, extensions and padding end here: nobody negotiated them with
// the other side.
func (p *packet) rewrite(pt uint8, marker bool, seq uint16, ts, ssrc uint32) []byte {
	out := p.buf[p.head-rtpHeader : p.end]
	putHeader(out, pt, marker, seq, ts, ssrc)
	return out
}

// putHeader writes an RTP header over the first 12 bytes of b.
func putHeader(b []byte, pt uint8, marker bool, seq uint16, ts, ssrc uint32) {
	_ = b[rtpHeader-1]
	b[0] = 0x80
	b[1] = pt & 0x7f
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], ssrc)
}
