package media

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is an engine with the means to drive it: the portable one on a network in
// memory under virtual time, the epoll one on loopback sockets with a clock of
// the test's own.
type rig struct {
	t      *testing.T
	engine *Engine
	net    *memNet      // nil with real sockets
	skew   atomic.Int64 // of the test's clock
	base   time.Time
}

// prefix is a loopback network of this process's own, so that tests running at
// the same time do not take each other's ports.
var prefix = loopback()

// here is our media address in tests.
var here = netip.MustParseAddr(prefix + "1")

func loopback() string {
	if runtime.GOOS != "linux" {
		return "127.0.0." // elsewhere only one address is there without being set up
	}
	return fmt.Sprintf("127.%d.%d.", 1+rand.IntN(250), rand.IntN(256))
}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, cfg Config, test func(*testing.T, *rig)) {
	if len(cfg.Addresses) == 0 {
		cfg.Addresses = []netip.Addr{here}
	}
	if cfg.PortMin == 0 {
		cfg.PortMin, cfg.PortMax = 24000, 24199
	}
	t.Run("portable", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := &rig{t: t, net: newMemNet()}
			cfg := cfg
			cfg.Listen = r.net.listen
			r.open(cfg, 1)
			defer r.close()
			test(t, r)
		})
	})
	t.Run("epoll", func(t *testing.T) {
		if !hasEpoll {
			t.Skip("no epoll here")
		}
		r := &rig{t: t}
		r.open(cfg, 2)
		defer r.close()
		test(t, r)
	})
}

func (r *rig) open(cfg Config, loops int) {
	r.t.Helper()
	r.base = time.Now()
	e, err := open(cfg, r.clock, loops)
	if err != nil {
		r.t.Fatal(err)
	}
	r.engine = e
}

func (r *rig) close() {
	if err := r.engine.Close(); err != nil {
		r.t.Error(err)
	}
}

// clock stands still on the epoll engine until the test moves it.
func (r *rig) clock() int64 {
	if r.net != nil {
		return int64(time.Since(r.base)) + 1e9
	}
	return r.skew.Load() + 1e9
}

// settle waits until the engine has handled all that was sent to it.
func (r *rig) settle() {
	if r.net != nil {
		synctest.Wait()
		return
	}
	for range 2 {
		for _, l := range r.engine.loops {
			for {
				empty := make(chan bool)
				if !l.post(func() { empty <- r.drained(l) }) || <-empty {
					break
				}
			}
		}
	}
}

// advance lets time pass.
func (r *rig) advance(d time.Duration) {
	if r.net != nil {
		time.Sleep(d)
		synctest.Wait()
		return
	}
	r.settle()
	for d > 0 {
		step := min(d, 20*time.Millisecond)
		if d > time.Second {
			step = d // nobody looks at single frames over such times
		}
		r.skew.Add(int64(step))
		d -= step
		r.settle()
	}
}

// phone is a party's media port.
type phone struct {
	r    *rig
	conn PacketConn
	addr netip.AddrPort
	ssrc uint32
	seq  uint16
	ts   uint32
}

// phone opens a port at an address within prefix, "2:0"; port 0 finds one.
func (r *rig) phone(at string) *phone {
	r.t.Helper()
	a := netip.MustParseAddrPort(prefix + at)
	listen := listenUDP
	if r.net != nil {
		listen = r.net.listen
	}
	conn, err := listen(a)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return &phone{r: r, conn: conn, addr: netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()),
		ssrc: 0x1000 + uint32(addr.Port()), seq: 65530, ts: 1 << 31}
}

// sdp describes the phone with the given formats, "0 8 101".
func (p *phone) sdp(formats string, extra ...string) []byte {
	return describe(p.addr, formats, extra...)
}

func describe(a netip.AddrPort, formats string, extra ...string) []byte {
	s := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP %[3]s\r\n"+
		"a=rtpmap:101 telephone-event/8000\r\na=rtpmap:97 opus/48000/2\r\n", a.Addr(), a.Port(), formats)
	for _, line := range extra {
		s += line + "\r\n"
	}
	return []byte(s)
}

// speak sends one packet of 20 ms to the session, advancing the numbers.
func (p *phone) speak(s *Session, pt uint8, payload ...byte) {
	p.r.t.Helper()
	if len(payload) == 0 {
		payload = make([]byte, frameSamples)
		for i := range payload {
			payload[i] = 0xd5
		}
	}
	p.seq++
	p.ts += frameSamples
	p.send(s, rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc}, Payload: payload})
}

// send sends a packet as it is.
func (p *phone) send(s *Session, x rtp.Packet) {
	p.r.t.Helper()
	b, err := x.Marshal()
	if err != nil {
		p.r.t.Fatal(err)
	}
	p.raw(s.LocalAddr(), b)
}

func (p *phone) raw(to netip.AddrPort, b []byte) {
	p.r.t.Helper()
	if _, err := p.conn.WriteToUDPAddrPort(b, to); err != nil {
		p.r.t.Fatal(err)
	}
}

// heard gives everything that arrived since the last look.
func (p *phone) heard() []rtp.Packet {
	p.r.t.Helper()
	var out []rtp.Packet
	for _, b := range p.datagrams() {
		var x rtp.Packet
		if err := x.Unmarshal(b); err != nil {
			p.r.t.Fatalf("phone got %x: %v", b, err)
		}
		out = append(out, x)
	}
	return out
}

func (p *phone) datagrams() [][]byte {
	p.r.t.Helper()
	p.r.settle()
	var out [][]byte
	buf := make([]byte, 4096)
	for {
		n, err := p.receive(buf)
		if err != nil {
			return out
		}
		out = append(out, append([]byte(nil), buf[:n]...))
	}
}

// receive reads what is there already. The kernel may need a moment; but its sockets
// read nothing after a deadline, which may have passed before a busy machine reads.
func (p *phone) receive(buf []byte) (n int, err error) {
	var patience time.Duration
	if real, ok := p.conn.(*net.UDPConn); ok {
		if n, err := receiveNow(real, buf); err == nil {
			return n, nil
		}
		patience = 2 * time.Millisecond
	}
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.r.t.Fatal(err)
	}
	n, _, err = p.conn.ReadFromUDPAddrPort(buf)
	return n, err
}

// session makes a session with the phone as the party that called us.
func (r *rig) session(p *phone, formats string, events Events, extra ...string) *Session {
	r.t.Helper()
	s, err := r.engine.NewSession(SessionConfig{Local: here, SIPSource: p.addr.Addr(), Events: events})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := s.SetOffer(p.sdp(formats, extra...)); err != nil {
		r.t.Fatal(err)
	}
	if _, err := s.Answer(); err != nil {
		r.t.Fatal(err)
	}
	return s
}

// reopen replaces an engine a test has closed.
func (r *rig) reopen() {
	loops := len(r.engine.loops)
	r.open(r.engine.cfg, loops)
}
