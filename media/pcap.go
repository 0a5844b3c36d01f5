package media

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"
)

// What a capture holds at most between two writes, and how often it is written.
const (
	captureRoom  = 1 << 20
	captureEvery = 200 * time.Millisecond
)

// Capture collects packets in the form of pcapng for one reader. Whoever has a packet
// never waits for it: what finds no room is counted, and the file says so (isb_ifdrop)
// as soon as there is room, and at its end. Packet may be called from any goroutine,
// Stream once.
type Capture struct {
	mu      sync.Mutex
	buf     []byte // of captureRoom
	spare   []byte
	seen    uint64
	dropped uint64
	said    uint64 // of dropped, what the file says
	ended   bool
	done    chan struct{}
}

// NewCapture begins to collect.
func NewCapture() *Capture {
	return &Capture{buf: make([]byte, 0, captureRoom), spare: make([]byte, 0, captureRoom), done: make(chan struct{})}
}

// End says that nothing follows; Stream writes what is left and returns.
func (c *Capture) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.ended = true
		close(c.done)
	}
}

// Packet adds a datagram that was seen on its way from one address to another; it is
// copied. Both addresses must be of one family.
func (c *Capture) Packet(at time.Time, from, to netip.AddrPort, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.seen++
	if len(c.buf)+packetRoom+len(payload) > cap(c.buf) || len(payload) > maxPayload {
		c.dropped++
		return
	}
	c.buf = appendPacket(c.buf, at, from, to, payload)
}

// arrived and sent add what a stream receives and sends, in the clear; a nil Capture
// takes nothing.
func (c *Capture) arrived(s *stream, control bool, b []byte, from netip.AddrPort) {
	if c != nil {
		c.Packet(time.Now(), from, s.local(control), b)
	}
}

func (c *Capture) sent(s *stream, control bool, b []byte, to netip.AddrPort) {
	if c != nil {
		c.Packet(time.Now(), s.local(control), to, b)
	}
}

// local is the address of one of the ports.
func (s *stream) local(control bool) netip.AddrPort {
	a := s.pair.local
	if control {
		a = netip.AddrPortFrom(a.Addr(), a.Port()+1)
	}
	return a
}

// Tap lets a capture have what the session receives and sends from now on.
func (s *Session) Tap(c *Capture) { s.tapping(func(st *stream) { st.tap = c }) }

// Untap ends that, unless another capture has taken its place.
func (s *Session) Untap(c *Capture) {
	s.tapping(func(st *stream) {
		if st.tap == c {
			st.tap = nil
		}
	})
}

// tapping changes the stream on its loop.
func (s *Session) tapping(f func(*stream)) {
	e := s.stream.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if !s.closed {
		s.post(errand{fn: func() { f(&s.stream) }})
	}
}

// Stream writes the file: at most limit bytes of packets, until the capture ends or
// ctx does. flush is called after each write. The error is that of w or flush.
func (c *Capture) Stream(ctx context.Context, w io.Writer, limit int, flush func() error) error {
	defer c.End()
	if _, err := w.Write(fileHead()); err != nil {
		return err
	}
	tick := time.NewTicker(captureEvery)
	defer tick.Stop()
	for over := false; !over; {
		if err := flush(); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-c.done:
			over = true
		case <-ctx.Done():
			over = true
		}
		part := c.take(over)
		limit -= len(part)
		if limit < 0 {
			part, over = c.foot(), true
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return flush()
}

// take is what was collected since the last time, with the statistics if they are
// news or the last of all; good until the next.
func (c *Capture) take(last bool) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	part := c.buf
	c.buf, c.spare = c.spare[:0], part
	if last || c.said != c.dropped {
		c.said = c.dropped
		part = appendFoot(part, c.seen, c.dropped)
	}
	return part
}

// foot is the statistics alone.
func (c *Capture) foot() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return appendFoot(nil, c.seen, c.dropped)
}

// The pcapng file (draft-ietf-opsawg-pcapng section 4): one section, one interface of
// raw IP with times in nanoseconds.
const (
	blockSection   = 0x0A0D0D0A
	blockInterface = 1
	blockStats     = 5
	blockPacket    = 6
	linkRaw        = 101
	maxPayload     = 60000
	packetRoom     = 32 + 40 + 8 + 8 // block, IPv6, UDP, padding
)

func fileHead() []byte {
	b := begin(nil, blockSection)
	b = le32(b, 0x1A2B3C4D)
	b = append(b, 1, 0, 0, 0)                            // version 1.0
	b = append(b, "\xff\xff\xff\xff\xff\xff\xff\xff"...) // length unknown
	b = option(b, 4, "cordpair: SIP and RTP of a call; SRTP is shown decrypted, credentials are masked")
	b = finish(option(b, 0, ""), 0)
	at := len(b)
	b = begin(b, blockInterface)
	b = append(b, linkRaw, 0, 0, 0)
	b = le32(b, 0) // no limit
	b = option(b, 9, "\x09")
	return finish(option(b, 0, ""), at)
}

// appendFoot is the statistics: packets seen and dropped for want of room.
func appendFoot(b []byte, seen, dropped uint64) []byte {
	at := len(b)
	b = le32(begin(b, blockStats), 0)
	now := uint64(time.Now().UnixNano())
	b = le32(le32(b, uint32(now>>32)), uint32(now))
	b = option(b, 4, string(binary.LittleEndian.AppendUint64(nil, seen)))
	b = option(b, 5, string(binary.LittleEndian.AppendUint64(nil, dropped)))
	if dropped > 0 {
		b = option(b, 1, fmt.Sprintf("%d packets are missing: the reader was too slow", dropped))
	}
	return finish(option(b, 0, ""), at)
}

// appendPacket is a block of one UDP datagram.
func appendPacket(b []byte, at time.Time, from, to netip.AddrPort, payload []byte) []byte {
	start := len(b)
	head := 20 + 8
	if from.Addr().Is6() {
		head = 40 + 8
	}
	b = le32(begin(b, blockPacket), 0)
	ns := uint64(at.UnixNano())
	b = le32(le32(b, uint32(ns>>32)), uint32(ns))
	b = le32(le32(b, uint32(head+len(payload))), uint32(head+len(payload)))
	ip := len(b)
	b = appendIP(b, from.Addr(), to.Addr(), 8+len(payload))
	udp := len(b)
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	b = append(b, 0, 0)
	b = append(b, payload...)
	if from.Addr().Is6() { // IPv4 needs no checksum, IPv6 does (RFC 8200 section 8.1)
		binary.BigEndian.PutUint16(b[udp+6:], udpSum(b[ip+8:ip+40], b[udp:]))
	}
	return finish(pad(b), start)
}

// appendIP is an IP header for UDP of n octets (RFC 791, RFC 8200).
func appendIP(b []byte, from, to netip.Addr, n int) []byte {
	if from.Is6() {
		b = append(b, 0x60, 0, 0, 0, byte(n>>8), byte(n), 17, 64)
		b = append(b, from.AsSlice()...)
		return append(b, to.AsSlice()...)
	}
	at := len(b)
	b = append(b, 0x45, 0, byte((20+n)>>8), byte(20+n), 0, 0, 0x40, 0, 64, 17, 0, 0)
	b = append(b, from.AsSlice()...)
	b = append(b, to.AsSlice()...)
	binary.BigEndian.PutUint16(b[at+10:], ^fold(sum(0, b[at:])))
	return b
}

// udpSum is the checksum over the addresses and the datagram (RFC 768).
func udpSum(addresses, udp []byte) uint16 {
	s := ^fold(sum(sum(uint32(17+len(udp)), addresses), udp))
	if s == 0 {
		return 0xffff
	}
	return s
}

func sum(s uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}

func fold(s uint32) uint16 {
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return uint16(s)
}

func le32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }

// begin and finish enclose a block; its length is known at the end.
func begin(b []byte, kind uint32) []byte { return le32(le32(b, kind), 0) }

func finish(b []byte, at int) []byte {
	b = le32(b, uint32(len(b)-at+4))
	copy(b[at+4:at+8], b[len(b)-4:])
	return b
}

// option is one option of a block; code 0 ends them.
func option(b []byte, code uint16, value string) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return pad(append(b, value...))
}

// pad fills up to a multiple of four: all blocks begin at one.
func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
