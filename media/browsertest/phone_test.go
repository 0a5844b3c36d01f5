package browsertest

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/media/g711"
	"github.com/cordpair/cordpair/media/mediatest"
)

const (
	patience = 30 * time.Second
	frame    = 20 * time.Millisecond
	samples  = 160 // of a frame
	header   = 12  // of RTP, in bytes

	phoneTone   = 440.0 // what the phone says, in Hz
	browserTone = 1100.0
)

var here = netip.MustParseAddr("127.0.0.1")

// open starts an engine that ends with the test and sends nothing off the loopback
// addresses: a browser would use all that the machine has.
func open(t *testing.T) *media.Engine {
	t.Helper()
	e, err := media.Open(media.Config{
		Addresses: []netip.Addr{here},
		Forbidden: func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() },
	})
	must(t, err)
	t.Cleanup(func() { must(t, e.Close()) })
	return e
}

// begin makes a session that ends with the test, before the engine.
func begin(t *testing.T, e *media.Engine, browser bool) *media.Session {
	t.Helper()
	s, err := e.NewSession(media.SessionConfig{Local: here, SIPSource: here, Browser: browser})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until asks again and again, for as long as anybody may wait.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	again := time.NewTicker(frame)
	defer again.Stop()
	for end := time.Now().Add(patience); !done(); <-again.C {
		if time.Now().After(end) {
			t.Fatal("no " + what)
		}
	}
}

// tone gives the frames of a sine, one after the other, without end.
func tone(freq float64) func() []byte {
	all := mediatest.Tone(freq, 8000, time.Second, -12)
	at := 0
	return func() []byte {
		b := make([]byte, samples)
		g711.EncodePCMU(b, all[at:at+samples])
		at = (at + samples) % len(all)
		return b
	}
}

// ear keeps the last second of what was heard.
type ear struct {
	mu   sync.Mutex
	last []int16
}

func (e *ear) hear(pcmu []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x := make([]int16, len(pcmu))
	g711.DecodePCMU(x, pcmu)
	e.last = append(e.last, x...)
	e.last = e.last[max(0, len(e.last)-8000):]
}

// deaf forgets what was heard.
func (e *ear) deaf() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = nil
}

// has tells whether half a second or more was heard and is a tone.
func (e *ear) has(freq float64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.last) >= 4000 && mediatest.Has(e.last, 8000, freq)
}

// phone is a plain one in the same engine, which speaks a tone for as long as the
// test goes on.
type phone struct {
	ear
	session *media.Session
}

// newPhone makes a phone that has been answered.
func newPhone(t *testing.T, e *media.Engine) *phone {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, 0)))
	must(t, err)
	p := &phone{session: begin(t, e, false)}
	_, err = p.session.SetOffer(fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\n",
		conn.LocalAddr().(*net.UDPAddr).Port))
	must(t, err)
	_, err = p.session.Answer()
	must(t, err)
	var both sync.WaitGroup
	stop := make(chan struct{})
	both.Go(func() { p.listens(conn) }) // ends when the socket is closed
	both.Go(func() { speak(stop, func(b []byte, seq uint16) { p.says(conn, b, seq) }, phoneTone) })
	t.Cleanup(func() {
		close(stop)
		_ = conn.Close()
		both.Wait()
	})
	return p
}

func (p *phone) listens(conn *net.UDPConn) {
	var b [2048]byte
	for {
		n, err := conn.Read(b[:])
		if err != nil {
			return
		}
		if n > header && b[0]>>6 == 2 && b[1]&0x7f == 0 {
			p.hear(b[header:n])
		}
	}
}

func (p *phone) says(conn *net.UDPConn, payload []byte, seq uint16) {
	b := make([]byte, header, header+len(payload))
	b[0] = 0x80
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], uint32(seq)*samples)
	binary.BigEndian.PutUint32(b[8:], 0x70707070)
	_, _ = conn.WriteToUDPAddrPort(append(b, payload...), p.session.LocalAddr()) // a lost packet is one of many
}

// speak sends a tone in real time until it is stopped.
func speak(stop <-chan struct{}, send func(payload []byte, seq uint16), freq float64) {
	next, tick := tone(freq), time.NewTicker(frame)
	defer tick.Stop()
	for seq := uint16(1); ; seq++ {
		select {
		case <-stop:
			return
		case <-tick.C:
			send(next(), seq)
		}
	}
}
