package siptest

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// datagram is one packet in a socket's queue.
type datagram struct {
	from netip.AddrPort
	data []byte
}

// packetConn is a UDP socket of a Net. It implements PacketConn; an error is
// net.ErrClosed or os.ErrDeadlineExceeded.
type packetConn struct {
	net  *Net
	addr netip.AddrPort

	mu     sync.Mutex
	cond   sync.Cond
	queue  []datagram
	closed bool
	read   deadline

	severed atomic.Bool // the host is off the network
}

// ListenPacket opens a UDP socket on addr. Port 0 takes a free one from 32768
// to 60999. A socket queues up to 1024 datagrams; what comes on top is dropped
// and counted. Errors: ErrAddrInUse, ErrUnspecified, ErrNoPorts, ErrNetClosed.
func (n *Net) ListenPacket(addr netip.AddrPort) (PacketConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	addr, err := n.choose(addr, func(a netip.AddrPort) bool { return n.packets[a] != nil })
	if err != nil {
		return nil, err
	}
	c := &packetConn{net: n, addr: addr}
	c.cond.L = &c.mu
	n.packets[addr] = c
	return c, nil
}

// ListenUDP is ListenPacket with the result type that cordpair.Config.Network
// asks for; what it returns is a PacketConn.
func (n *Net) ListenUDP(addr netip.AddrPort) (net.PacketConn, error) { return n.ListenPacket(addr) }

// push queues d and reports whether there was room.
func (c *packetConn) push(d datagram) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.queue) >= queueLen {
		return false
	}
	c.queue = append(c.queue, d)
	c.cond.Signal()
	return true
}

// ReadFromUDPAddrPort waits for a datagram; what does not fit into b is lost.
func (c *packetConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, netip.AddrPort{}, net.ErrClosed
		case c.read.expired:
			return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
		case len(c.queue) > 0:
			d := c.queue[0]
			c.queue[0] = datagram{}
			c.queue = c.queue[1:]
			return copy(b, d.data), d.from, nil
		}
		c.cond.Wait()
	}
}

// WriteToUDPAddrPort hands a datagram to the network; it never waits.
func (c *packetConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return 0, net.ErrClosed
	}
	if c.severed.Load() {
		return len(b), nil
	}
	c.net.sighted(Sighting{From: c.addr, To: netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), Data: b})
	c.net.carry(c.addr, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), b)
	return len(b), nil
}

func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

func (c *packetConn) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("siptest: not a UDP address")
	}
	return c.WriteToUDPAddrPort(b, u.AddrPort())
}

func (c *packetConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.addr) }

func (c *packetConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

func (c *packetConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.read.set(t, &c.cond)
	return nil
}

// SetWriteDeadline does nothing: writes never wait.
func (c *packetConn) SetWriteDeadline(time.Time) error { return nil }

// Close frees the address and wakes the readers.
func (c *packetConn) Close() error {
	c.net.mu.Lock()
	if c.net.packets[c.addr] == c {
		delete(c.net.packets, c.addr)
	}
	c.net.mu.Unlock()
	if !c.shut() {
		return net.ErrClosed
	}
	return nil
}

func (c *packetConn) shut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.closed = true
	c.queue = nil
	c.read.stop()
	c.cond.Broadcast()
	return true
}
