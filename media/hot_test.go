package media

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/rtp"
)

// wire is a socket that swallows what it is given.
type wire struct{ sent, octets int }

func (w *wire) send(b []byte, _ *target) { w.sent++; w.octets += len(b) }
func (w *wire) close()                   {}

// still is the poller of a loop that the test drives itself.
type still struct{}

func (still) attach(*stream) error { return nil }
func (still) detach(*stream)       {}
func (still) release(*pair)        {}
func (still) wake()                {}
func (still) wakeLater()           {}
func (still) wait()                {}

// bench joins two streams on a loop of the test's own and returns the datagram
// that the first receives, its sender and the stream.
func benchPair(t testing.TB, from, to string) (l *loop, a *stream, datagram []byte, sender netip.AddrPort, out *wire) {
	t.Helper()
	e := &Engine{pools: []*pool{newPool(here, 30000, 30003, nil, nil, nil)}}
	l = &loop{clock: func() int64 { return 1e9 }, io: still{}, now: 1e9}
	out = &wire{}
	var all [2]*stream
	var agreed [2]*terms
	for i, format := range []string{from, to} {
		n := &Session{talk: negotiation{local: netip.AddrPortFrom(here, uint16(30000+2*i))}}
		n.stream.begin(e, Events{}, &pair{rtp: out, rtcp: out})
		n.loop = l
		sender = netip.AddrPortFrom(here, 6000)
		if _, err := n.SetOffer(describe(sender, format)); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Answer(); err != nil {
			t.Fatal(err)
		}
		if err := l.add(&n.stream); err != nil {
			t.Fatal(err)
		}
		all[i], agreed[i] = &n.stream, n.terms.Load()
	}
	l.runPosted()
	all[0].sink.Store(&newRelay(all[1], agreed[0], agreed[1]).self)
	x := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: all[0].terms.Accepted[0].PayloadType, SSRC: 9}, Payload: make([]byte, 160)}
	datagram, err := x.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	l.arrived(all[1], false, append([]byte(nil), datagram...), sender) // the far end shows itself
	return l, all[0], datagram, sender, out
}

// next makes the datagram the following one of its stream.
func next(b []byte, l *loop) {
	if b[3]++; b[3] == 0 {
		b[2]++
	}
	ts := uint32(b[4])<<24 | uint32(b[5])<<16 | uint32(b[6])<<8 | uint32(b[7])
	ts += frameSamples
	b[4], b[5], b[6], b[7] = byte(ts>>24), byte(ts>>16), byte(ts>>8), byte(ts)
	l.now += frameTime
}

// A relayed packet costs no allocation.
func TestRelayDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, way := range [][2]string{{"0", "0"}, {"0", "8"}} {
		l, a, b, from, out := benchPair(t, way[0], way[1])
		header := [rtpHeader]byte(b)
		n := testing.AllocsPerRun(1000, func() {
			copy(b, header[:]) // the relay rewrote it in place
			next(b, l)
			header = [rtpHeader]byte(b)
			l.arrived(a, false, b, from)
		})
		if n != 0 {
			t.Errorf("%v: %v allocations a packet", way, n)
		}
		if out.sent < 1000 {
			t.Errorf("only %d packets were sent", out.sent)
		}
	}
}

func benchmarkRelay(b *testing.B, from, to string) {
	l, a, datagram, src, out := benchPair(b, from, to)
	header := [rtpHeader]byte(datagram)
	b.ReportAllocs()
	for b.Loop() {
		copy(datagram, header[:])
		next(datagram, l)
		header = [rtpHeader]byte(datagram)
		l.arrived(a, false, datagram, src)
	}
	if out.sent < b.N {
		b.Fatalf("%d of %d packets were sent", out.sent, b.N)
	}
}

// What we add to the two system calls of a relayed packet.
func BenchmarkRelay(b *testing.B)     { benchmarkRelay(b, "0", "0") }
func BenchmarkTranscode(b *testing.B) { benchmarkRelay(b, "0", "8") }

// One player's share of a tick.
func BenchmarkPlayFrame(b *testing.B) {
	l, a, _, _, _ := benchPair(b, "0", "0")
	p := &player{to: a, clips: [][]int16{make([]int16, 8000)}, loop: true, said: utterance{epoch: 99}}
	b.ReportAllocs()
	for b.Loop() {
		l.now += frameTime
		p.frame(l)
	}
}

// A packet through the whole engine: in by one socket, out by another. The
// sender's and the receiver's system calls are in the figure too.
func BenchmarkSockets(b *testing.B) {
	for _, portable := range []bool{false, true} {
		b.Run(fmt.Sprintf("portable=%t", portable), func(b *testing.B) {
			phones, all := talkingPair(b, portable)
			x, out := make([]byte, 172), make([]byte, 200)
			putHeader(x, 0, false, 0, 0, 9)
			send := func() {
				if _, err := phones[1].WriteToUDPAddrPort(x, all[1].LocalAddr()); err != nil {
					b.Fatal(err)
				}
			}
			// The far end shows itself, or it gets 100 packets a second (M5).
			if _, err := phones[0].WriteToUDPAddrPort(x, all[0].LocalAddr()); err != nil {
				b.Fatal(err)
			}
			if _, _, err := phones[1].ReadFromUDPAddrPort(out); err != nil {
				b.Fatal(err)
			}
			seq, ts := uint16(0), uint32(0)
			for b.Loop() {
				seq++
				ts += frameSamples
				putHeader(x, 0, false, seq, ts, 9)
				send()
				if _, _, err := phones[0].ReadFromUDPAddrPort(out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// talkingPair joins two sessions over real sockets.
func talkingPair(b *testing.B, portable bool) (phones [2]*net.UDPConn, all [2]*Session) {
	e, err := Open(Config{Addresses: []netip.Addr{here}, PortMin: 25300, PortMax: 25399, Portable: portable})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close() })
	for i := range phones {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, 0)))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		s, err := e.NewSession(SessionConfig{Local: here})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.SetOffer(describe(conn.LocalAddr().(*net.UDPAddr).AddrPort(), "0")); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Answer(); err != nil {
			b.Fatal(err)
		}
		phones[i], all[i] = conn, s
	}
	if err := Join(all[0], all[1]); err != nil {
		b.Fatal(err)
	}
	onLoop(all[0], func() {})
	return phones, all
}
