package siptest

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"time"
)

const (
	frame       = 20 * time.Millisecond
	samples     = 160 // in a frame
	reportEvery = 5 * time.Second
	// jump is how far a packet may arrive from where its timestamp puts it
	// before the listener counts from its arrival again.
	jump = 200 * time.Millisecond
)

// keys are the telephone-events 0 to 15 (RFC 4733 section 3.2).
const keys = "0123456789*#ABCD"

// packet is an RTP packet (RFC 3550 section 5.1).
type packet struct {
	marker  bool
	payload uint8
	seq     uint16
	ts      uint32
	ssrc    uint32
	data    []byte
}

func (p packet) bytes() []byte {
	b := make([]byte, 12, 12+len(p.data))
	b[0], b[1] = 0x80, p.payload
	if p.marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.seq)
	binary.BigEndian.PutUint32(b[4:], p.ts)
	binary.BigEndian.PutUint32(b[8:], p.ssrc)
	return append(b, p.data...)
}

// readPacket takes an RTP packet apart; ok is false for anything else.
func readPacket(b []byte) (p packet, ok bool) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return p, false
	}
	head := 12 + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		if len(b) < head+4 {
			return p, false
		}
		head += 4 + 4*int(binary.BigEndian.Uint16(b[head+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 {
		end -= int(b[len(b)-1])
	}
	if head > end {
		return p, false
	}
	return packet{
		marker: b[1]&0x80 != 0, payload: b[1] & 0x7f, seq: binary.BigEndian.Uint16(b[2:]),
		ts: binary.BigEndian.Uint32(b[4:]), ssrc: binary.BigEndian.Uint32(b[8:]), data: b[head:end],
	}, true
}

func (t *talk) readRTP() {
	defer t.running.Done()
	buf := make([]byte, 2048)
	for {
		n, _, err := t.rtp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if p, ok := readPacket(buf[:n]); err == nil && ok && t.received(p) {
			t.wake()
		}
	}
}

func (t *talk) readRTCP() {
	defer t.running.Done()
	buf := make([]byte, 2048)
	for {
		_, _, err := t.rtcp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		t.mu.Lock()
		t.stats.RTCPReceived++
		t.mu.Unlock()
	}
}

// received handles a packet; it reports whether a digit was among it.
func (t *talk) received(p packet) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := &t.hearing
	t.stats.Received++
	t.stats.PayloadType = p.payload
	if t.stats.Sources == 0 || t.stats.SSRC != p.ssrc {
		t.stats.Sources++
		t.stats.SSRC = p.ssrc
		h.anchored, h.next = false, p.seq
	}
	switch ahead := int16(p.seq - h.next); {
	case ahead >= 0:
		t.stats.Lost += uint64(ahead)
		h.next = p.seq + 1
	default:
		t.stats.Late++
	}
	if t.event != 0 && int(p.payload) == t.event {
		return t.pressed(p)
	}
	if codec := Codec(p.payload); codec == PCMU || codec == PCMA {
		h.take(p, codec, time.Now())
	}
	return false
}

// pressed reads a telephone-event; all packets of one event share a timestamp.
func (t *talk) pressed(p packet) bool {
	if len(p.data) < 4 || int(p.data[0]) >= len(keys) || t.hearing.key && t.hearing.keyTS == p.ts {
		return false
	}
	t.hearing.key, t.hearing.keyTS = true, p.ts
	t.digits.WriteByte(keys[p.data[0]])
	return true
}

// listening places what is heard on a time line.
type listening struct {
	next      uint16 // expected sequence number
	key       bool
	keyTS     uint32 // timestamp of the latest telephone-event
	anchored  bool
	anchorAt  time.Time
	anchorTS  uint32
	recorders []*recorder
}

// recorder collects what is heard from start on; silence where nothing is.
type recorder struct {
	start time.Time
	pcm   []int16
	over  chan struct{} // closed when the talk ends
}

func (h *listening) forget(r *recorder) {
	h.recorders = slices.DeleteFunc(h.recorders, func(o *recorder) bool { return o == r })
}

func (h *listening) end() {
	for _, r := range h.recorders {
		close(r.over)
	}
	h.recorders = nil
}

// take puts a packet where its timestamp says, counted from the arrival of the
// first packet of a spurt.
func (h *listening) take(p packet, codec Codec, now time.Time) {
	at := h.anchorAt.Add(time.Duration(int32(p.ts-h.anchorTS)) * time.Second / rate)
	if off := now.Sub(at); !h.anchored || p.marker || off > jump || off < -jump {
		h.anchored, h.anchorAt, h.anchorTS, at = true, now, p.ts, now
	}
	for _, r := range h.recorders {
		index := int(at.Sub(r.start) * rate / time.Second)
		for i, b := range p.data {
			if k := index + i; k >= 0 && k < len(r.pcm) {
				r.pcm[k] = codec.decode(b)
			}
		}
	}
}

// sender numbers and paces what is sent.
type sender struct {
	ssrc, base uint32
	seq        uint16
	epoch      time.Time
	last       uint32 // timestamp right after the latest packet, relative to base
	speech     *speech
	pressing   bool
	reported   uint64 // packets sent when the last report was
	octets     uint64
}

// stop ends the speech under way.
func (s *sender) stop() {
	if s.speech != nil {
		close(s.speech.stop)
		s.speech = nil
	}
}

// clock is the timestamp of now, never behind what was sent.
func (s *sender) clock() uint32 {
	return max(uint32(time.Since(s.epoch)*rate/time.Second), s.last)
}

// send sends one packet whose timestamp is relative to the base. t.mu is held.
func (t *talk) send(payload uint8, marker bool, ts uint32, data []byte) {
	s := &t.out
	p := packet{marker: marker, payload: payload, seq: s.seq, ts: s.base + ts, ssrc: s.ssrc, data: data}
	s.seq++
	t.stats.Sent++
	s.octets += uint64(len(data))
	// A far end that cannot be reached shows in what it does not hear.
	_, _ = t.rtp.WriteToUDPAddrPort(p.bytes(), t.remote.rtp)
}

// report sends an RTCP report every 5 s (RFC 3550 section 6.4), with SDES as a
// compound packet must have.
func (t *talk) report() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.reports.Reset(reportEvery)
	if t.silenced {
		return
	}
	var b []byte
	if t.stats.Sent > t.out.reported {
		t.out.reported = t.stats.Sent
		now := time.Now()
		b = binary.BigEndian.AppendUint32(b, 0x80c80006)
		b = binary.BigEndian.AppendUint32(b, t.out.ssrc)
		b = binary.BigEndian.AppendUint32(b, uint32(now.Unix()+2208988800)) // NTP counts from 1900
		b = binary.BigEndian.AppendUint32(b, uint32(uint64(now.Nanosecond())<<32/1e9))
		b = binary.BigEndian.AppendUint32(b, t.out.base+t.out.clock())
		b = binary.BigEndian.AppendUint32(b, uint32(t.stats.Sent))
		b = binary.BigEndian.AppendUint32(b, uint32(t.out.octets))
	} else {
		b = binary.BigEndian.AppendUint32(b, 0x80c90001)
		b = binary.BigEndian.AppendUint32(b, t.out.ssrc)
	}
	item := append([]byte{1, byte(len(t.cname))}, t.cname...)
	item = append(item, make([]byte, 4-len(item)%4)...) // at least one zero ends the chunk
	b = binary.BigEndian.AppendUint32(b, 0x81ca0000|uint32(1+len(item)/4))
	b = binary.BigEndian.AppendUint32(b, t.out.ssrc)
	b = append(b, item...)
	t.stats.RTCPSent++
	_, _ = t.rtcp.WriteToUDPAddrPort(b, t.remote.rtcp)
}
