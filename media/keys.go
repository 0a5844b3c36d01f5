package media

import (
	"encoding/binary"

	"github.com/cordpair/cordpair/media/jitter"
)

// key is a telephone event on its way through a recoder.
type key struct {
	known  bool
	down   bool
	code   byte
	in     uint32 // timestamps on either side: those of its beginning
	out    uint32
	length uint16 // as we send it
	at     int64  // when the last packet of it was sent
}

// pressed is how long a key counts as pressed after the last word of it, in ns. Phones
// repeat it every 20 or 50 ms.
const pressed = 120e6

// press sends a packet of a telephone event (RFC 4733). It begins where speech has
// got to, and all its packets have that timestamp.
func (r *recoder) press(p *jitter.Packet, now int64) {
	if len(p.Payload) < 4 || r.plan.events.how != keyPress {
		return
	}
	k, to := &r.key, r.plan.to
	code, end := p.Payload[0], p.Payload[1]&0x80 != 0
	fresh := !k.known || p.TS != k.in
	if fresh {
		goesOn := k.known && k.down && code == k.code // a long one has segments
		r.flush()
		if goesOn {
			k.out += uint32(k.length)
		} else {
			k.out = r.said.ts
		}
		k.known, k.in, k.code = true, p.TS, code
	}
	k.down, k.at, k.length = !end, now, binary.BigEndian.Uint16(p.Payload[2:])
	r.begun = true
	l := to.loop
	x := &l.packet
	*x = packet{buf: l.frame[:], head: rtpHeader, end: rtpHeader + copy(l.frame[rtpHeader:], p.Payload),
		seq: r.said.seq, ts: k.out, marker: p.Marker}
	r.said.seq++
	to.forward(x, r.said.epoch, r.plan.events.pt)
}

// flush says what is left of speech before something else begins.
func (r *recoder) flush() {
	frame := r.frameSize()
	for r.have > 0 {
		if r.have < frame {
			r.makeUp(frame-r.have, true)
		}
		r.send(frame)
	}
}
