package sip

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// PacketConn is a UDP socket; *net.UDPConn is one, and so are the sockets of
// siptest.Net.
type PacketConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	Close() error
}

// waiter is a PacketConn that can tell whether a datagram had to be waited for, and
// can be asked for one without waiting.
type waiter interface {
	// receive locks the owner of b once there is something to read.
	receive(b []byte, owner *sync.Mutex) (n int, from netip.AddrPort, waited bool, err error)
	peek(b []byte) (n int, from netip.AddrPort, ok bool)
}

// stamped is a PacketConn that can tell how long the datagram that was read last
// had waited in the kernel.
type stamped interface {
	age(now time.Time) time.Duration
}

// ageEvery is how often that is asked. In between, datagrams are as old as the one
// that was asked about: they stood in the same queue.
const ageEvery = time.Millisecond

// maxDatagram is more than UDP over IPv4 can carry.
const maxDatagram = 65536

// udpBuffer is what a SIP socket asks the kernel for (design section 6).
const udpBuffer = 4 << 20

// udpListener reads one UDP socket. Its reader reads, classifies and hands over.
// Only a datagram that came alone is handled by the reader itself, when its worker
// has nothing to do: while more wait in the socket, they must be put into their
// lanes.
type udpListener struct {
	server *Server
	name   string
	index  uint16 // in Server.udp
	conn   PacketConn
	addr   netip.AddrPort
	announcer
	closed atomic.Bool

	// reading is held from the moment a datagram is read until it has its place, so
	// that none overtakes another; and by whoever touches what follows.
	reading sync.Mutex
	buf     []byte
	// waited is what a datagram had waited at asked.
	waited time.Duration
	asked  time.Time
}

// read runs until the socket is closed. A read error of one datagram, such as a
// port-unreachable from an earlier send, is counted and survived.
func (l *udpListener) read() {
	for {
		n, from, alone, err := l.receive()
		if err != nil {
			if l.closed.Load() || errors.Is(err, net.ErrClosed) {
				return
			}
			l.server.metrics.readErrors.Inc()
			// Without a pause a socket that is broken for good would spin.
			time.Sleep(time.Millisecond)
			continue
		}
		l.came(n, from, alone)
		l.reading.Unlock()
	}
}

// came hands over the datagram in buf.
func (l *udpListener) came(n int, from netip.AddrPort, alone bool) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	now := time.Now()
	l.server.datagram(l, from, l.buf[:n], now.Add(-l.age(now)), now, alone)
}

// receive waits for a datagram and holds reading then.
func (l *udpListener) receive() (n int, from netip.AddrPort, alone bool, err error) {
	if w, ok := l.conn.(waiter); ok {
		return w.receive(l.buf, &l.reading)
	}
	n, from, err = l.conn.ReadFromUDPAddrPort(l.buf) // nobody else reads this one
	if err == nil {
		l.reading.Lock()
	}
	return n, from, false, err
}

// lookMost is how many datagrams are read at a time by who has other work to do.
const lookMost = 64

// look reads what waits in the socket, unless somebody is at it.
func (l *udpListener) look() {
	w, ok := l.conn.(waiter)
	if !ok || !l.reading.TryLock() {
		return
	}
	defer l.reading.Unlock()
	for range lookMost {
		n, from, ok := w.peek(l.buf)
		if !ok {
			return
		}
		l.came(n, from, false)
	}
}

// age is how long what was just read had waited in the kernel: a core that has no
// time to read leaves its queue there.
func (l *udpListener) age(now time.Time) time.Duration {
	conn, ok := l.conn.(stamped)
	if ok && now.Sub(l.asked) >= ageEvery {
		l.asked, l.waited = now, conn.age(now)
	}
	return l.waited
}

func (l *udpListener) close() {
	l.closed.Store(true)
	_ = l.conn.Close() // nothing is left to do about a socket that will not close
}

// announcer knows the address a listener shows to far ends.
type announcer struct {
	fixed netip.AddrPort
	text  string // host of fixed
	// advertised is the configured address, invalid without one.
	advertised netip.Addr
	// route finds the local address towards a remote one, for a listener that
	// is bound to the unspecified address.
	route func(remote netip.Addr) netip.Addr
}

// is tells whether a is the listener bound to addr. To an address of its own a
// machine speaks from that very address.
func (a *announcer) is(bound, addr netip.AddrPort) bool {
	switch {
	case addr == a.fixed || addr == bound:
		return true
	case addr.Port() != bound.Port() || !bound.Addr().IsUnspecified():
		return false
	}
	return addr.Addr().IsLoopback() || a.route(addr.Addr()) == addr.Addr()
}

// own is the address of this machine towards remote of a listener bound to bound.
func (a *announcer) own(bound netip.AddrPort, remote netip.Addr) netip.Addr {
	if !bound.Addr().IsUnspecified() {
		return bound.Addr()
	}
	return a.route(remote)
}

// host is the announced address as it stands in a URI.
func (a *announcer) host(remote netip.Addr) string {
	if !a.fixed.Addr().IsUnspecified() {
		return a.text
	}
	return hostText(a.route(remote))
}

func (a *announcer) announced(remote netip.Addr) netip.AddrPort {
	if !a.fixed.Addr().IsUnspecified() {
		return a.fixed
	}
	return netip.AddrPortFrom(a.route(remote), a.fixed.Port())
}
