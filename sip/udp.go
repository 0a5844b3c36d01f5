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

// arrival is a datagram that was read.
type arrival struct {
	from netip.AddrPort
	b    []byte
}

// batchReader is a PacketConn that reads many datagrams at once. The room they stand
// in is used again as soon as the owner is unlocked.
type batchReader interface {
	// receive locks the owner once there is something to read. It is for one reader;
	// waited tells that there was nothing at first.
	receive(owner *sync.Mutex) (list []arrival, waited bool, err error)
	// peek is for the owner, and does not wait.
	peek() []arrival
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

// inMost is how many datagrams are read with one system call.
const inMost = 16

// udpListener reads one UDP socket. Its reader reads, classifies and puts into
// lanes, and takes the turn of a worker that has nothing to do then, so that no
// other goroutine need be woken. Only a datagram that came alone is handled without
// its lane.
type udpListener struct {
	server *Server
	name   string
	index  uint16 // in Server.udp
	conn   PacketConn
	addr   netip.AddrPort
	announcer
	closed atomic.Bool

	// reading is held from the moment datagrams are read until they have their
	// places, so that none overtakes another; and by whoever touches what follows.
	reading sync.Mutex
	one     [1]arrival // where the socket reads no more at once
	buf     []byte     // the same
	// waited is what a datagram had waited at asked.
	waited time.Duration
	asked  time.Time
	// refusals are on their way out.
	refusals outbox
}

// read runs until the socket is closed. A read error of one datagram, such as a
// port-unreachable from an earlier send, is counted and survived.
func (l *udpListener) read() {
	for {
		list, waited, err := l.receive()
		if err != nil {
			if l.closed.Load() || errors.Is(err, net.ErrClosed) {
				return
			}
			l.server.metrics.readErrors.Inc()
			// Without a pause a socket that is broken for good would spin.
			time.Sleep(time.Millisecond)
			continue
		}
		var w *worker
		turn := false
		if waited && len(list) == 1 {
			w, turn = l.server.alone(l, list[0])
		} else {
			w = l.sort(list)
		}
		l.sendRefusals()
		l.reading.Unlock()
		switch _, many := l.conn.(batchReader); {
		case w == nil:
		case turn:
			w.endTurn()
		case many:
			w.takeTurn(waited)
		default: // there may be more to read
			w.rouse()
		}
	}
}

// sort puts what was read into the lanes of its workers and wakes them, all but the
// one that it returns.
func (l *udpListener) sort(list []arrival) (last *worker) {
	now := time.Now()
	at := now.Add(-l.age(now))
	for i := range list {
		switch w := l.server.datagram(l, list[i], at, now); {
		case w == nil || w == last:
		case last == nil:
			last = w
		default:
			last.rouse()
			last = w
		}
	}
	return last
}

// receive waits for datagrams and holds reading then.
func (l *udpListener) receive() (list []arrival, waited bool, err error) {
	if c, ok := l.conn.(batchReader); ok {
		return c.receive(&l.reading)
	}
	n, from, err := l.conn.ReadFromUDPAddrPort(l.buf) // nobody else reads this one
	if err != nil {
		return nil, false, err
	}
	l.reading.Lock()
	l.one[0] = arrival{plain(from), l.buf[:n]}
	return l.one[:], false, nil
}

// plain is an address as it is written down: one of IPv4 as that.
func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// lookMost is how many batches are read at a time by who has other work to do.
const lookMost = 4

// look reads what waits in the socket, or reports that somebody else is at it.
func (l *udpListener) look() bool {
	if !l.reading.TryLock() {
		return false
	}
	defer l.reading.Unlock()
	defer l.sendRefusals()
	c, ok := l.conn.(batchReader)
	if !ok {
		return true
	}
	for range lookMost {
		list := c.peek()
		if w := l.sort(list); w != nil {
			w.rouse()
		}
		if len(list) < inMost {
			break
		}
	}
	return true
}

// sendRefusals sends what was refused since it was called last; reading is held.
func (l *udpListener) sendRefusals() {
	if len(l.refusals.list) == 0 {
		return
	}
	begun, n := time.Now(), len(l.refusals.list)
	l.refusals.flush()
	l.server.refusing.spend(time.Since(begun), n)
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
