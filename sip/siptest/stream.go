package siptest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipeSize is how much one direction of a connection holds before writers wait.
const pipeSize = 64 << 10

// pipe is one direction of a connection.
type pipe struct {
	mu       sync.Mutex
	cond     sync.Cond
	buf      []byte
	ended    bool // the writer will write no more
	broken   bool // the reader will read no more
	aborted  bool // the reader's end went away with unread data
	readAt   deadline
	writeAt  deadline
	readEnd  bool // the reader closed its end: Read fails with net.ErrClosed
	writeEnd bool // the writer closed its end: Write fails with net.ErrClosed
}

func newPipe() *pipe {
	p := &pipe{}
	p.cond.L = &p.mu
	return p
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.readEnd:
			return 0, net.ErrClosed
		case p.readAt.expired:
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case len(p.buf) > 0:
			n := copy(b, p.buf)
			p.buf = p.buf[n:]
			p.cond.Broadcast()
			return n, nil
		case p.aborted:
			return 0, syscall.ECONNRESET
		case p.ended:
			return 0, io.EOF
		}
		p.cond.Wait()
	}
}

func (p *pipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	written := 0
	for {
		switch {
		case p.writeEnd || p.ended:
			return written, net.ErrClosed
		case p.writeAt.expired:
			return written, os.ErrDeadlineExceeded
		case p.broken:
			return written, syscall.EPIPE
		case len(b) == 0:
			return written, nil
		case len(p.buf) < pipeSize:
			n := min(len(b), pipeSize-len(p.buf))
			p.buf = append(p.buf, b[:n]...)
			b = b[n:]
			written += n
			p.cond.Broadcast()
			continue
		}
		p.cond.Wait()
	}
}

// change runs f under the lock and wakes everybody.
func (p *pipe) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.cond.Broadcast()
}

// streamConn is one end of a TCP connection of a Net. Besides net.Conn it has
// CloseWrite and CloseRead, as *net.TCPConn does.
type streamConn struct {
	net           *Net
	local, remote netip.AddrPort
	in, out       *pipe
	once          sync.Once
}

func (c *streamConn) Read(b []byte) (int, error) { return c.in.read(b) }
func (c *streamConn) LocalAddr() net.Addr        { return net.TCPAddrFromAddrPort(c.local) }
func (c *streamConn) RemoteAddr() net.Addr       { return net.TCPAddrFromAddrPort(c.remote) }

func (c *streamConn) Write(b []byte) (int, error) {
	c.net.sighted(Sighting{From: c.local, To: c.remote, Stream: true, Data: b})
	return c.out.write(b)
}

// CloseWrite lets the far end read the rest and then io.EOF.
func (c *streamConn) CloseWrite() error {
	c.out.change(func() { c.out.ended = true })
	return nil
}

// CloseRead makes the far end's writes fail.
func (c *streamConn) CloseRead() error {
	c.in.change(func() { c.in.broken = true; c.in.readEnd = true })
	return nil
}

func (c *streamConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

func (c *streamConn) SetReadDeadline(t time.Time) error {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	if c.in.readEnd {
		return net.ErrClosed
	}
	c.in.readAt.set(t, &c.in.cond)
	return nil
}

func (c *streamConn) SetWriteDeadline(t time.Time) error {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.writeEnd {
		return net.ErrClosed
	}
	c.out.writeAt.set(t, &c.out.cond)
	return nil
}

// Close ends both directions; the far end may still read what was written.
func (c *streamConn) Close() error {
	c.net.mu.Lock()
	delete(c.net.streams, c)
	c.net.mu.Unlock()
	if !c.shut() {
		return net.ErrClosed
	}
	return nil
}

func (c *streamConn) shut() bool {
	first := false
	c.once.Do(func() {
		first = true
		unread := false
		c.in.change(func() {
			unread = len(c.in.buf) > 0
			c.in.broken, c.in.readEnd, c.in.buf = true, true, nil
			c.in.readAt.stop()
		})
		c.out.change(func() {
			// Closing with unread data resets the connection, as a kernel does.
			c.out.ended, c.out.writeEnd, c.out.aborted = true, true, unread
			c.out.writeAt.stop()
		})
		c.net.release(c.local)
	})
	return first
}

// release gives back a connection's claim on its local address.
func (n *Net) release(local netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.used[local]--; n.used[local] <= 0 {
		delete(n.used, local)
	}
}

// listener is a TCP listener of a Net.
type listener struct {
	net  *Net
	addr netip.AddrPort

	mu     sync.Mutex
	cond   sync.Cond
	queue  []*streamConn
	closed bool
}

// Listen opens a TCP listener on addr, port 0 as for ListenPacket. Up to 128
// connections wait to be accepted; what comes on top is refused. UDP and TCP
// have separate ports.
func (n *Net) Listen(addr netip.AddrPort) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	addr, err := n.choose(addr, func(a netip.AddrPort) bool { return n.listeners[a] != nil || n.used[a] > 0 && addr.Port() == 0 })
	if err != nil {
		return nil, err
	}
	l := &listener{net: n, addr: addr}
	l.cond.L = &l.mu
	n.listeners[addr] = l
	return l, nil
}

// Dial opens a TCP connection from local to remote; it never waits. An invalid
// local address takes that of the remote one, local port 0 a free one. Errors:
// ErrRefused, and those of Listen.
func (n *Net) Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	if !local.Addr().IsValid() {
		local = netip.AddrPortFrom(remote.Addr(), 0)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	local, err := n.choose(local, func(a netip.AddrPort) bool { return n.used[a] > 0 || n.listeners[a] != nil })
	if err != nil {
		return nil, err
	}
	l := n.listeners[remote]
	if l == nil {
		return nil, fmt.Errorf("%w by %s", ErrRefused, remote)
	}
	there, back := newPipe(), newPipe()
	near := &streamConn{net: n, local: local, remote: remote, in: back, out: there}
	far := &streamConn{net: n, local: remote, remote: local, in: there, out: back}
	if !l.push(far) {
		return nil, fmt.Errorf("%w by %s: backlog full", ErrRefused, remote)
	}
	for _, c := range []*streamConn{near, far} {
		n.streams[c] = struct{}{}
		n.used[c.local]++
	}
	return near, nil
}

func (l *listener) push(c *streamConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.queue) >= backlog {
		return false
	}
	l.queue = append(l.queue, c)
	l.cond.Signal()
	return true
}

func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 {
		if l.closed {
			return nil, net.ErrClosed
		}
		l.cond.Wait()
	}
	if l.closed {
		return nil, net.ErrClosed
	}
	c := l.queue[0]
	l.queue = l.queue[1:]
	return c, nil
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// Close frees the address and closes the connections nobody accepted.
func (l *listener) Close() error {
	l.net.mu.Lock()
	if l.net.listeners[l.addr] == l {
		delete(l.net.listeners, l.addr)
	}
	l.net.mu.Unlock()
	if !l.shut() {
		return net.ErrClosed
	}
	return nil
}

func (l *listener) shut() bool {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return false
	}
	l.closed = true
	waiting := l.queue
	l.queue = nil
	l.cond.Broadcast()
	l.mu.Unlock()
	for _, c := range waiting {
		_ = c.Close() // nobody has seen this connection
	}
	return true
}
