package cordpair

import (
	"net"
	"net/netip"
	"sync"
)

// sendBuffer is what the kernel may hold, in bytes, for a client that does not
// read. More would only hide from an event stream that nobody reads it (H10).
const sendBuffer = 64 << 10

// perSource is a listener that lets one address have only so many connections
// at once (H2). What is one too many is closed before a byte is read.
type perSource struct {
	net.Listener
	most int

	mu  sync.Mutex
	now map[netip.Addr]int
}

func limitSources(l net.Listener, most int) net.Listener {
	return &perSource{Listener: l, most: most, now: map[netip.Addr]int{}}
}

// Accept implements net.Listener.
func (p *perSource) Accept() (net.Conn, error) {
	for {
		c, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetWriteBuffer(sendBuffer) // what the kernel gives will do as well
		}
		from := source(c)
		if p.enter(from) {
			return &counted{Conn: c, leave: sync.OnceFunc(func() { p.leave(from) })}, nil
		}
		_ = c.Close() // nothing was said on it
	}
}

// source is who a connection comes from; an IPv6 network of 64 bits is one
// source.
func source(c net.Conn) netip.Addr {
	at, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	addr := at.AddrPort().Addr().Unmap()
	if addr.Is6() {
		net64, _ := addr.Prefix(64) // an IPv6 address has 64 bits
		return net64.Addr()
	}
	return addr
}

func (p *perSource) enter(from netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now[from] >= p.most {
		return false
	}
	p.now[from]++
	return true
}

func (p *perSource) leave(from netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now[from]--; p.now[from] == 0 {
		delete(p.now, from)
	}
}

// counted is a connection that makes room when it is closed.
type counted struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
