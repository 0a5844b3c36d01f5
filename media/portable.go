package media

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// target is where a port sends.
type target struct {
	raw  rawAddr
	addr netip.AddrPort
}

// set makes a the target; an invalid one means nowhere.
func (t *target) set(a netip.AddrPort) {
	t.addr = a
	t.raw.set(a)
}

// connSocket is a port of the portable engine. A goroutine reads it as long as
// it is bound; what comes while no stream is attached is thrown away, so there
// is never anything to drain.
type connSocket struct {
	conn    PacketConn
	control bool
	closed  atomic.Bool

	mu   sync.Mutex
	feed *portable // loop of the stream, nil while there is none
	// stream is written under feed's turn and read under it.
	stream *stream
}

// listenUDP opens a real socket of the portable engine.
func listenUDP(a netip.AddrPort) (PacketConn, error) {
	network := "udp6"
	if a.Addr().Is4() {
		network = "udp4"
	}
	return net.ListenUDP(network, net.UDPAddrFromAddrPort(a))
}

// openConn binds a port and starts its reader. readers counts it until it ends.
func openConn(listen func(netip.AddrPort) (PacketConn, error), a netip.AddrPort, readers *sync.WaitGroup) (socket, error) {
	conn, err := listen(a)
	if err != nil {
		return nil, fmt.Errorf("media socket %s: %w", a, err)
	}
	s := &connSocket{conn: conn, control: a.Port()%2 == 1}
	readers.Go(s.read) // ends when the socket is closed
	return s, nil
}

// readPause keeps a socket that fails for a reason we do not know from spinning.
const readPause = 10 * time.Millisecond

// read hands every datagram to the loop of the stream.
func (s *connSocket) read() {
	buf := make([]byte, maxDatagram+1)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if s.closed.Load() {
			return
		}
		if err != nil {
			time.Sleep(readPause)
			continue
		}
		s.mu.Lock()
		feed := s.feed
		s.mu.Unlock()
		if feed != nil {
			feed.deliver(s, buf[:n], netip.AddrPortFrom(from.Addr().Unmap().WithZone(""), from.Port()))
		}
	}
}

// send implements socket. A full network drops the packet, as it always may.
func (s *connSocket) send(b []byte, to *target) { _, _ = s.conn.WriteToUDPAddrPort(b, to.addr) }

// close implements socket.
func (s *connSocket) close() {
	s.closed.Store(true)
	_ = s.conn.Close() // wakes the reader; nothing else can be done about it
}

// portable is the poller of goroutines: readers and a clock take turns, and who
// has the turn is the loop.
type portable struct {
	loop    *loop
	turn    sync.Mutex
	wakened chan struct{} // one slot
	done    chan struct{}
}

// startPortable gives a loop its poller and starts it. The goroutine ends with
// loop.stop.
func startPortable(l *loop) {
	p := &portable{loop: l, wakened: make(chan struct{}, 1), done: make(chan struct{})}
	l.io = p
	go p.run() // ends when the loop is stopping
}

// run does what is not caused by a packet: posted functions and the clocks.
func (p *portable) run() {
	defer close(p.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		p.turn.Lock()
		timeout := p.loop.turn()
		if p.loop.stopping {
			p.loop.finish()
			p.turn.Unlock()
			return
		}
		p.turn.Unlock()
		timer.Stop()
		if timeout >= 0 {
			timer.Reset(time.Duration(timeout))
		}
		select {
		case <-p.wakened:
		case <-timer.C:
		}
	}
}

// deliver gives a datagram to the stream of a socket.
func (p *portable) deliver(s *connSocket, b []byte, from netip.AddrPort) {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.loop.now = p.loop.clock()
	p.loop.runPosted()
	switch {
	case s.stream == nil || s.stream.loop != p.loop: // gone meanwhile
	case len(b) > maxDatagram:
		s.stream.counters.dropped.add(1)
	default:
		p.loop.arrived(s.stream, s.control, b, from)
	}
}

// attach implements poller.
func (p *portable) attach(s *stream) error {
	for _, x := range [2]socket{s.pair.rtp, s.pair.rtcp} {
		x.(*connSocket).assign(p, s)
	}
	return nil
}

// detach implements poller.
func (p *portable) detach(s *stream) { p.release(s.pair) }

// release implements poller. What arrives at ports that nobody reads is lost.
func (p *portable) release(x *pair) {
	x.rtp.(*connSocket).assign(nil, nil)
	x.rtcp.(*connSocket).assign(nil, nil)
}

// assign makes the socket feed a stream, or nobody; the loop has the turn.
func (s *connSocket) assign(feed *portable, to *stream) {
	s.stream = to
	s.mu.Lock()
	s.feed = feed
	s.mu.Unlock()
}

// wake implements poller.
func (p *portable) wake() {
	select {
	case p.wakened <- struct{}{}:
	default:
	}
}

// wakeLater implements poller. Waking costs little here.
func (p *portable) wakeLater() { p.wake() }

// wait implements poller.
func (p *portable) wait() { <-p.done }
