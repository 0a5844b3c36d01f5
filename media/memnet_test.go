package media

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// memNet is a network in memory, so that the portable engine runs under virtual
// time. Datagrams arrive at once and in order.
type memNet struct {
	mu    sync.Mutex
	ports map[netip.AddrPort]*memConn
}

func newMemNet() *memNet { return &memNet{ports: map[netip.AddrPort]*memConn{}} }

type memPacket struct {
	b    []byte
	from netip.AddrPort
}

type memConn struct {
	net  *memNet
	addr netip.AddrPort
	in   chan memPacket
	gone chan struct{}

	mu       sync.Mutex
	deadline time.Time
}

func (n *memNet) listen(a netip.AddrPort) (PacketConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for port := uint16(40000); a.Port() == 0; port++ {
		if free := netip.AddrPortFrom(a.Addr(), port); n.ports[free] == nil {
			a = free
		}
	}
	if n.ports[a] != nil {
		return nil, errors.New("address in use")
	}
	c := &memConn{net: n, addr: a, in: make(chan memPacket, 4096), gone: make(chan struct{})}
	n.ports[a] = c
	return c, nil
}

func (c *memConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	var late <-chan time.Time
	c.mu.Lock()
	if !c.deadline.IsZero() {
		t := time.NewTimer(time.Until(c.deadline))
		defer t.Stop()
		late = t.C
	}
	c.mu.Unlock()
	select {
	case p := <-c.in:
		return copy(b, p.b), p.from, nil
	default:
	}
	select {
	case p := <-c.in:
		return copy(b, p.b), p.from, nil
	case <-c.gone:
		return 0, netip.AddrPort{}, net.ErrClosed
	case <-late:
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	}
}

func (c *memConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.net.mu.Lock()
	there := c.net.ports[to]
	c.net.mu.Unlock()
	if there != nil {
		select {
		case there.in <- memPacket{append([]byte(nil), b...), c.addr}:
		default: // full, as a network may be
		}
	}
	return len(b), nil
}

func (c *memConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.addr) }

func (c *memConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	c.deadline = t
	c.mu.Unlock()
	return nil
}

func (c *memConn) Close() error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	if c.net.ports[c.addr] == c {
		delete(c.net.ports, c.addr)
		close(c.gone)
	}
	return nil
}
