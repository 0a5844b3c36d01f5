package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

func TestOpenBindsNothing(t *testing.T) {
	n := 0
	e, err := Open(Config{Addresses: []netip.Addr{here}, Listen: func(netip.AddrPort) (PacketConn, error) {
		n++
		return nil, errors.New("no")
	}})
	if err != nil {
		t.Fatal(err)
	}
	if st := e.Stats(); st.PortsFree != 8192 || n != 0 {
		t.Errorf("%d ports opened, %+v", n, st)
	}
	if _, err := e.NewSession(SessionConfig{}); !errors.Is(err, ErrNoPorts) {
		t.Errorf("no port can be opened: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	six := netip.MustParseAddr("::1")
	for _, c := range []struct {
		cfg Config
		ok  bool
	}{
		{Config{}, false},
		{Config{Addresses: []netip.Addr{here}}, true},
		{Config{Addresses: []netip.Addr{here, six}, PortMin: 2000, PortMax: 2001}, true},
		{Config{Addresses: []netip.Addr{here}, PortMin: 2001, PortMax: 2002}, false},
		{Config{Addresses: []netip.Addr{here}, PortMin: 80, PortMax: 2002}, false},
		{Config{Addresses: []netip.Addr{here}, PortMax: 70000}, false},
		{Config{Addresses: []netip.Addr{netip.IPv4Unspecified()}}, false},
		{Config{Addresses: []netip.Addr{{}}}, false},
	} {
		if err := c.cfg.Validate(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}

func TestAddressChoice(t *testing.T) {
	six, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.9")
	e := &Engine{}
	for _, a := range []netip.Addr{here, other, six} {
		e.pools = append(e.pools, newPool(a, 2000, 2001, nil, nil, nil))
	}
	for local, want := range map[netip.Addr]netip.Addr{
		here: here, other: other, six: six, {}: here,
		netip.MustParseAddr("10.1.1.1"):         here,
		netip.MustParseAddr("::ffff:192.0.2.9"): other,
		netip.MustParseAddr("2001:db8::2"):      six,
	} {
		if got := e.pool(local.Unmap()).addr; got != want {
			t.Errorf("for %s: %s, want %s", local, got, want)
		}
	}
}

// What counts as signalled, and what only as permitted (M1).
func TestReach(t *testing.T) {
	sip := netip.MustParseAddr("198.51.100.7")
	for _, c := range []struct{ local, signalled, send, host string }{
		{"192.0.2.1", "203.0.113.5:4000", "203.0.113.5:4000", "203.0.113.5"},
		{"192.0.2.1", "[2001:db8::5]:4000", "", "2001:db8::5"},
		{"192.0.2.1", "127.0.0.1:4000", "", "127.0.0.1"},
		{"127.0.0.1", "127.0.0.9:4000", "127.0.0.9:4000", "127.0.0.9"},
		{"127.0.0.1", "192.0.2.1:4000", "192.0.2.1:4000", "192.0.2.1"},
		{"192.0.2.1", "0.0.0.0:4000", "", ""},
		{"192.0.2.1", "", "", ""},
	} {
		var to netip.AddrPort
		if c.signalled != "" {
			to = netip.MustParseAddrPort(c.signalled)
		}
		send, hosts := reach(netip.MustParseAddr(c.local), sip, to)
		name := func(valid bool, s fmt.Stringer) string {
			if !valid {
				return ""
			}
			return s.String()
		}
		if got := name(send.IsValid(), send); got != c.send {
			t.Errorf("%s -> %s: sends to %q", c.local, c.signalled, got)
		}
		if got := name(hosts[0].IsValid(), hosts[0]); got != c.host || hosts[1] != sip {
			t.Errorf("%s -> %s: takes from %v", c.local, c.signalled, hosts)
		}
	}
}

// Lost packets by gaps, across wraps, late ones and restarts; jitter.
func TestReceiverCounts(t *testing.T) {
	var r receiver
	var epoch atomic.Uint64
	now, ts := int64(1e9), uint32(1<<32-1000)
	feed := func(ssrc uint32, seqs ...uint16) (taken int) {
		for _, seq := range seqs {
			now += frameTime
			ts += frameSamples
			if r.accept(&packet{ssrc: ssrc, seq: seq, ts: ts}, now, 8000, &epoch) {
				taken++
			}
		}
		return taken
	}
	check := func(what string, lost uint64) {
		t.Helper()
		if r.lost() != lost {
			t.Errorf("%s: lost %d, want %d", what, r.lost(), lost)
		}
	}
	if n := feed(1, 65530, 65531, 65533, 65535, 0, 1, 4); n != 7 {
		t.Fatalf("%d of 7 taken", n)
	}
	check("gaps across a wrap", 4)
	if n := feed(1, 3); n != 1 {
		t.Error("a late packet was refused")
	}
	check("a late one comes in", 3)
	if n := feed(1, 20000); n != 0 {
		t.Error("a jump was taken")
	}
	if n := feed(1, 5, 6); n != 2 {
		t.Error("the stream ended with a jump")
	}
	check("after a stray", 3)
	if n := feed(1, 30000, 30001, 30002); n != 2 || epoch.Load() != 2 {
		t.Errorf("a restarted sender: %d of 3 taken, epoch %d", n, epoch.Load())
	}
	check("after a restart", 3)
	if r.jitter16 > 16*frameSamples {
		t.Errorf("jitter %d", r.jitter16/16)
	}
	now += 100e6 // a packet that is 100 ms late
	before := r.jitter16
	feed(1, 30003)
	if d := r.jitter16 - before; d < 700 || d > 900 {
		t.Errorf("100 ms of delay moved the jitter by %d/16", d)
	}
}

// Long and quick keys (M7).
func TestDigitLimits(t *testing.T) {
	event := func(code byte, end bool, duration uint16) []byte {
		b := []byte{code, 10, byte(duration >> 8), byte(duration)}
		if end {
			b[1] |= 0x80
		}
		return b
	}
	d := digits{rate: newWindow(maxDigitsPerSecond)}
	if c, pass := d.see(1000, event(7, true, 800), 1e9, 8000); c != '7' || !pass {
		t.Error("an event of which only the end arrived")
	}
	if c, pass := d.see(900, event(3, true, 800), 1e9, 8000); c != 0 || pass {
		t.Error("a late packet of an earlier event")
	}
	if c, pass := d.see(1000, event(3, true, 800), 1e9, 8000); c != 0 || pass {
		t.Error("two events with one timestamp")
	}
	if _, pass := d.see(1100, []byte{1, 2, 3}, 1e9, 8000); pass {
		t.Error("a truncated event")
	}
	if c, pass := d.see(2000, event(16, false, 160), 1e9, 8000); c != 0 || !pass {
		t.Error("flash is passed but is no key")
	}
	// One key held for 12 s in segments: reported once, cut off after 10 s.
	start, passed := uint32(100000), 0
	for ms := 20; ms <= 12000; ms += 20 {
		total := uint32(ms * 8)
		segment := total / 60000 * 60000
		if total%60000 == 0 {
			segment -= 60000
		}
		c, pass := d.see(start+segment, event(9, false, uint16(total-segment)), 2e9+int64(ms)*1e6, 8000)
		if (c != 0) != (ms == 20) {
			t.Fatalf("key %q at %d ms", c, ms)
		}
		if pass {
			passed = ms
		}
	}
	if passed != 10000 {
		t.Errorf("a held key was passed for %d ms", passed)
	}
	d, passed = digits{rate: newWindow(maxDigitsPerSecond)}, 0
	for i := range 30 {
		if c, pass := d.see(uint32(i+1)*200, event(1, true, 100), 5e9+int64(i)*25e6, 8000); c == '1' && pass {
			passed++
		}
	}
	if passed != 20 {
		t.Errorf("%d of 30 keys within a second", passed)
	}
}

// Real sockets under both engines, as Open makes them.
func TestOpenWithSockets(t *testing.T) {
	for _, cfg := range []Config{{}, {Dedicated: true}, {Portable: true}} {
		cfg.Addresses, cfg.PortMin, cfg.PortMax = []netip.Addr{here}, 25000, 25099
		e, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, engine: e}
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, 0)))
		if err != nil {
			t.Fatal(err)
		}
		p := &phone{r: r, conn: conn, addr: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
		s := r.session(p, "0", Events{})
		s.Echo()
		onLoop(s, func() {})
		p.speak(s, 0, 1, 2, 3)
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		if n, from, err := conn.ReadFromUDPAddrPort(b); err != nil || n != 15 || from != s.LocalAddr() {
			t.Errorf("%+v: %d bytes from %s, %v", cfg, n, from, err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		_ = conn.Close() // nothing is left to read
	}
}

// Our numbers go on for longer than a sequence lasts, keep the order the source
// had, and leave out what is older than a switch.
func TestSenderPlaces(t *testing.T) {
	o := sender{seq: 65000, ts: 1<<32 - 5000}
	now := int64(1e9)
	put := func(epoch uint64, seq uint16, ts uint32) (uint16, uint32, bool, bool) {
		now += frameTime
		return o.place(epoch, seq, ts, now, 8000)
	}
	seq, _, first, ok := put(1, 100, 0)
	if seq != 65001 || !first || !ok {
		t.Fatalf("first packet: %d %t %t", seq, first, ok)
	}
	if _, _, _, ok := put(1, 99, 0); ok {
		t.Error("a packet from before the switch was placed")
	}
	three, _, _, _ := put(1, 103, 480)
	two, _, _, ok := put(1, 102, 320)
	if three != 65004 || two != 65003 || !ok || o.seq != 65004 {
		t.Errorf("out of order: %d, %d, highest %d", three, two, o.seq)
	}
	for i := range uint32(70000) {
		if _, _, first, ok := put(1, uint16(104+i), 640+i*frameSamples); first || !ok {
			t.Fatalf("packet %d: first %t, placed %t", i, first, ok)
		}
	}
	last, at := o.seq, o.ts
	now += 1e9 - frameTime
	seq, ts, first, ok := put(2, 7, 12345)
	if seq != last+1 || ts-at != 8000 || !first || !ok {
		t.Errorf("after a second of nothing: seq +%d, timestamp +%d, first %t", seq-last, ts-at, first)
	}
	o.interrupt()
	if seq, _, first, _ := put(2, 50, 99999); seq != last+2 || !first {
		t.Error("after an interruption the numbers have a gap")
	}
}

func TestIPv6(t *testing.T) {
	six := netip.MustParseAddr("::1")
	conn, err := net.ListenUDP("udp6", net.UDPAddrFromAddrPort(netip.AddrPortFrom(six, 0)))
	if err != nil {
		t.Skip("no IPv6 here:", err)
	}
	defer func() { _ = conn.Close() }()
	for _, portable := range []bool{false, true} {
		e, err := Open(Config{Addresses: []netip.Addr{here, six}, PortMin: 25200, PortMax: 25299, Portable: portable})
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.NewSession(SessionConfig{Local: six})
		if err != nil {
			t.Fatal(err)
		}
		port := conn.LocalAddr().(*net.UDPAddr).Port
		offer := fmt.Sprintf("v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\nm=audio %d RTP/AVP 8\r\n", port)
		if _, err := s.SetOffer([]byte(offer)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Answer(); err != nil {
			t.Fatal(err)
		}
		s.Play([]string{"beep"}, false, nil)
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 500)
		if n, from, err := conn.ReadFromUDPAddrPort(b); err != nil || n != 172 || from != s.LocalAddr() {
			t.Errorf("portable %t: %d bytes from %s, %v", portable, n, from, err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A phone keeps its NAT open: nothing that anybody should look into.
func TestSTUNIsNotDropped(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		p, stranger := r.phone("3:0"), r.phone("4:0")
		s := r.session(p, "0", Events{})
		s.Echo()
		r.settle()
		binding := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 12)...)
		for _, to := range []netip.AddrPort{s.LocalAddr(), rtcpPort(s)} {
			p.raw(to, binding)
			stranger.raw(to, binding)
		}
		r.settle()
		if st := s.Stats(); st.Dropped != 2 || st.PacketsReceived != 0 {
			t.Errorf("%+v", st)
		}
		if n := len(p.datagrams()) + len(stranger.datagrams()); n != 0 {
			t.Errorf("%d packets were answered", n)
		}
	})
}
