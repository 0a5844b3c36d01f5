package media

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// lastSent remembers what was sent through it.
type lastSent struct {
	wire
	last []byte
}

func (k *lastSent) send(b []byte, to *target) { k.last = append(k.last[:0], b...); k.wire.send(b, to) }

// FuzzRTP feeds datagrams from the right source. Whatever is relayed is a plain
// RTP packet of our stream, and what we read agrees with another reader.
func FuzzRTP(f *testing.F) {
	seed := func(x rtp.Packet) {
		b, err := x.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	seed(rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 2, SSRC: 9, Marker: true}, Payload: []byte{1, 2, 3}})
	seed(rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 65535, SSRC: 9, CSRC: []uint32{1, 2}}, Payload: []byte{1}})
	seed(rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 9, Extension: true, ExtensionProfile: 0xbede}, Payload: []byte{1}})
	seed(rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 9, Padding: true, PaddingSize: 4}, Payload: []byte{1, 2, 3, 4, 5}})
	seed(rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 9, PayloadType: 101}, Payload: []byte{5, 0x8a, 1, 0}})
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		l, a, _, from, _ := benchPair(t, "0 101", "8 101")
		out := &lastSent{}
		peer := (*a.sink.Load()).(*relay).to
		peer.port = out
		var p packet
		var x rtp.Packet
		ours := p.parse(append([]byte(nil), b...))
		if theirs := x.Unmarshal(b) == nil; ours && theirs {
			if !bytes.Equal(p.payload(), x.Payload) || p.seq != x.SequenceNumber || p.ts != x.Timestamp || p.ssrc != x.SSRC || p.pt != x.PayloadType {
				t.Errorf("read %+v, want %v", p, x)
			}
		}
		for range 3 { // the same again, and once more
			l.arrived(a, false, append([]byte(nil), b...), from)
			l.now += frameTime
		}
		if l.panics.Load() > 0 {
			t.Fatal("handling failed")
		}
		if out.sent == 0 {
			return
		}
		if err := x.Unmarshal(out.last); err != nil || !ours {
			t.Fatalf("relayed %x: %v", out.last, err)
		}
		if x.SSRC != peer.out.ssrc || len(x.CSRC) > 0 || x.Extension || x.Padding || len(x.Payload) != len(p.payload()) {
			t.Errorf("relayed %v", x)
		}
	})
}

// FuzzRTCP feeds compounds. None ends or moves anything, none reaches the other party,
// and what we report after it is a compound of our stream.
func FuzzRTCP(f *testing.F) {
	seed := func(parts ...rtcp.Packet) {
		b, err := rtcp.Marshal(parts)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	seed(&rtcp.ReceiverReport{SSRC: 9})
	seed(&rtcp.SenderReport{SSRC: 9, Reports: []rtcp.ReceptionReport{{SSRC: 1}, {SSRC: 2}}}, &rtcp.Goodbye{Sources: []uint32{9}})
	seed(&rtcp.ReceiverReport{SSRC: 9}, rtcp.NewCNAMESourceDescription(9, "x"), &rtcp.ReceiverReport{SSRC: 8, Reports: make([]rtcp.ReceptionReport, 31)})
	seed(&rtcp.PictureLossIndication{SenderSSRC: 9, MediaSSRC: 1})
	f.Add([]byte{0x80, 201, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		l, a, datagram, from, wire := benchPair(t, "0", "0")
		next(datagram, l)
		l.arrived(a, false, datagram, from)
		wire.sent = 0
		if len(b) >= 12 { // let some blocks be about our stream
			binary.BigEndian.PutUint32(b[8:], a.out.ssrc)
		}
		control := netip.AddrPortFrom(from.Addr(), from.Port()+1)
		l.arrived(a, true, append([]byte(nil), b[:min(len(b), maxDatagram)]...), control)
		if l.panics.Load() > 0 || wire.sent > 0 {
			t.Fatalf("%d panics, %d packets sent", l.panics.Load(), wire.sent)
		}
		out := &lastSent{}
		a.pair = &pair{rtp: out, rtcp: out}
		a.sendReport(true)
		parts, err := rtcp.Unmarshal(out.last)
		if err != nil || len(parts) != 3 || !validRTCP(out.last) || len(out.last) > maxReport {
			t.Fatalf("reported %x: %v", out.last, err)
		}
		if reporter(out.last) != a.out.ssrc {
			t.Errorf("reported %v", parts)
		}
	})
}

// FuzzDigits feeds event packets in any order: never more than 20 keys a second,
// never one event twice.
func FuzzDigits(f *testing.F) {
	f.Add([]byte{1, 5, 0, 0, 160, 1, 5, 0x80, 1, 64})
	f.Add([]byte{9, 16, 0, 255, 255, 9, 16, 0, 255, 255, 0, 15, 0x80, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		d := digits{rate: newWindow(maxDigitsPerSecond)}
		ts, now := uint32(0), int64(1e9)
		b = b[:min(len(b), 2000)]
		var seen []int64
		for ; len(b) >= 5; b = b[5:] {
			step := uint32(b[0]) * 40
			ts += step
			now += int64(step) * 125000
			digit, pass := d.see(ts, b[1:5], now, 8000)
			if digit != 0 {
				if !pass && binary.BigEndian.Uint16(b[3:]) < 80 {
					t.Fatal("a key was reported but not passed")
				}
				seen = append(seen, now)
			}
			if again, _ := d.see(ts, b[1:5], now, 8000); again != 0 {
				t.Fatal("one event was reported twice")
			}
		}
		for i := maxDigitsPerSecond; i < len(seen); i++ {
			if seen[i]-seen[i-maxDigitsPerSecond] < 1e9 {
				t.Fatal("more than 20 keys in a second")
			}
		}
	})
}
