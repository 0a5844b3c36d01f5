package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// blocks takes a pcapng file apart, by kind.
func blocks(t *testing.T, b []byte) map[uint32][][]byte {
	t.Helper()
	list := map[uint32][][]byte{}
	for len(b) > 0 {
		if len(b) < 12 {
			t.Fatalf("%d bytes are left", len(b))
		}
		kind, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if n%4 != 0 || int(n) > len(b) || binary.LittleEndian.Uint32(b[n-4:]) != n {
			t.Fatalf("block %x of %d bytes", kind, n)
		}
		list[kind] = append(list[kind], b[8:n-4])
		b = b[n:]
	}
	return list
}

func stay() error { return nil }

// TestCaptureFile: what a file holds, in both families, with checksums that hold.
func TestCaptureFile(t *testing.T) {
	for _, hosts := range [][2]string{{"192.0.2.1:5060", "192.0.2.2:5062"}, {"[2001:db8::1]:5060", "[2001:db8::2]:5062"}} {
		c, at := NewCapture(), time.Unix(1700000000, 123456789)
		from, to := netip.MustParseAddrPort(hosts[0]), netip.MustParseAddrPort(hosts[1])
		c.Packet(at, from, to, []byte("hello"))
		c.End()
		c.Packet(at, from, to, []byte("late"))
		var file bytes.Buffer
		if err := c.Stream(context.Background(), &file, 1000, stay); err != nil {
			t.Fatal(err)
		}
		got := blocks(t, file.Bytes())
		if len(got[blockPacket]) != 1 || len(got[blockStats]) != 1 || len(got[blockSection]) != 1 || len(got[blockInterface]) != 1 {
			t.Fatalf("%x", got)
		}
		p := got[blockPacket][0]
		ns := uint64(binary.LittleEndian.Uint32(p[4:]))<<32 | uint64(binary.LittleEndian.Uint32(p[8:]))
		ip := p[20:][:binary.LittleEndian.Uint32(p[12:])]
		if ns != uint64(at.UnixNano()) || !bytes.HasSuffix(ip, []byte("hello")) {
			t.Errorf("at %d: %x", ns, ip)
		}
		if from.Addr().Is4() && fold(sum(0, ip[:20])) != 0xffff {
			t.Errorf("IP checksum of %x", ip[:20])
		}
		if from.Addr().Is6() && fold(sum(sum(uint32(17+len(ip)-40), ip[8:40]), ip[40:])) != 0xffff {
			t.Errorf("UDP checksum of %x", ip)
		}
	}
}

// TestCaptureIsBounded: what finds no room is counted and said, and a file ends at its
// limit.
func TestCaptureIsBounded(t *testing.T) {
	c, a := NewCapture(), netip.MustParseAddrPort("192.0.2.1:5060")
	const many = 3 * captureRoom / 1000
	for range many {
		c.Packet(time.Unix(1, 0), a, a, make([]byte, 1000))
	}
	if cap(c.buf) != captureRoom || c.dropped == 0 || c.seen != many {
		t.Errorf("room %d, %d of %d dropped", cap(c.buf), c.dropped, c.seen)
	}
	c.End()
	var file bytes.Buffer
	if err := c.Stream(context.Background(), &file, captureRoom, stay); err != nil {
		t.Fatal(err)
	}
	got := blocks(t, file.Bytes())
	if n := len(got[blockPacket]); uint64(n)+c.dropped != many || !bytes.Contains(got[blockStats][0], []byte("packets are missing")) {
		t.Errorf("%d packets and %d dropped: %q", n, c.dropped, got[blockStats])
	}
	c = NewCapture()
	c.Packet(time.Unix(1, 0), a, a, make([]byte, 1000))
	file.Reset()
	if err := c.Stream(canceled(), &file, 500, stay); err != nil || len(blocks(t, file.Bytes())[blockPacket]) != 0 {
		t.Errorf("beyond the limit: %v, %d bytes", err, file.Len())
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestTap: a capture has what both parties send and get, from the moment it is there
// and no longer than it is.
func TestTap(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("2:0"), r.phone("3:0")
		a, b := r.session(pa, "8", Events{}), r.session(pb, "8", Events{})
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		r.settle()
		pb.speak(b, 8)
		pa.speak(a, 8)
		r.settle()
		c := NewCapture()
		a.Tap(c)
		b.Tap(c)
		r.settle()
		for range 10 {
			pa.speak(a, 8)
		}
		r.settle()
		a.Untap(c)
		b.Untap(NewCapture())
		b.Untap(c)
		r.settle()
		pa.speak(a, 8)
		r.settle()
		c.End()
		var file bytes.Buffer
		if err := c.Stream(context.Background(), &file, captureRoom, stay); err != nil {
			t.Fatal(err)
		}
		if n := len(blocks(t, file.Bytes())[blockPacket]); n != 20 {
			t.Errorf("%d packets, want 10 that came and 10 that went", n)
		}
	})
}
