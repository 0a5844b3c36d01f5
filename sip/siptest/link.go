package siptest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
)

// maxHeld is how much of one message a connection may bring before it is closed.
const maxHeld = 1 << 20

// path is how a message leaves the phone: over a connection, or as a datagram.
type path struct {
	to   netip.AddrPort
	link *link // nil for UDP
}

func (w path) reliable() bool { return w.link != nil }

// link is one TCP connection with a queue in front of it, so that nobody who
// holds the phone's lock waits for the far end.
type link struct {
	conn net.Conn
	peer netip.AddrPort

	mu   sync.Mutex
	cond sync.Cond
	out  [][]byte
	down bool
}

func (p *Phone) openUDP() error {
	conn, err := p.network.ListenPacket(p.cfg.Local)
	if err != nil {
		return err
	}
	p.udp, p.addr = conn, addrPort(conn.LocalAddr())
	p.readers.Add(1)
	go p.readUDP() // ends when the socket is closed
	return nil
}

func (p *Phone) openTCP() error {
	ln, err := p.network.Listen(p.cfg.Local)
	if err != nil {
		return err
	}
	p.tcp, p.addr = ln, addrPort(ln.Addr())
	p.readers.Add(1)
	go p.accept() // ends when the listener is closed
	return nil
}

func (p *Phone) readUDP() {
	defer p.readers.Done()
	buf := make([]byte, 65536)
	for {
		n, from, err := p.udp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error of an earlier datagram
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		p.receive(path{to: from}, bytes.Clone(buf[:n]))
	}
}

func (p *Phone) accept() {
	defer p.readers.Done()
	for {
		conn, err := p.tcp.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		if p.cfg.Switch.IsValid() {
			p.stats.Unexpected++
			_ = conn.Close() // behind a NAT this would not have come through
		} else {
			p.adopt(conn)
		}
		p.mu.Unlock()
	}
}

// adopt gives a connection its reader and writer. p.mu is held.
func (p *Phone) adopt(conn net.Conn) *link {
	l := &link{conn: conn, peer: addrPort(conn.RemoteAddr())}
	l.cond.L = &l.mu
	if p.closed {
		l.down = true
		_ = conn.Close() // nobody will use it
		return l
	}
	p.links[l.peer] = l
	p.open[l] = struct{}{}
	p.readers.Add(2)
	go p.readLink(l) // ends when the connection does
	go p.pump(l)     // ends when the link is shut
	return l
}

func (p *Phone) pump(l *link) {
	defer p.readers.Done()
	for {
		l.mu.Lock()
		for len(l.out) == 0 && !l.down {
			l.cond.Wait()
		}
		if l.down {
			l.mu.Unlock()
			return
		}
		next := l.out[0]
		l.out = l.out[1:]
		l.mu.Unlock()
		if _, err := l.conn.Write(next); err != nil {
			l.shut()
			return
		}
	}
}

// shut closes the connection; its reader then takes it off the phone.
func (l *link) shut() {
	l.mu.Lock()
	l.down = true
	l.cond.Broadcast()
	l.mu.Unlock()
	_ = l.conn.Close() // closing twice is no concern
}

func (l *link) send(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out = append(l.out, b)
	l.cond.Signal()
}

func (p *Phone) readLink(l *link) {
	defer p.readers.Done()
	defer p.lost(l)
	var held []byte
	buf := make([]byte, 16384)
	for {
		n, err := l.conn.Read(buf)
		held = append(held, buf[:n]...)
		for {
			frame, rest, ok := nextFrame(held)
			held = rest
			if !ok {
				break
			}
			p.receive(path{to: l.peer, link: l}, frame)
		}
		if err != nil || len(held) > maxHeld {
			return
		}
	}
}

func (p *Phone) lost(l *link) {
	l.shut()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.links[l.peer] == l {
		delete(p.links, l.peer)
	}
	delete(p.open, l)
	if p.closed {
		return
	}
	// A transport error ends the transaction (RFC 3261 section 17.1.4).
	for _, tx := range p.clients {
		if tx.way.link == l && tx.final == nil && tx.err == nil {
			tx.fail(ErrDisconnected)
		}
	}
	p.wake()
}

func (l *link) isDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}

// nextFrame cuts the first message from a stream (RFC 3261 section 18.3). Line
// ends before it, which are keep-alives, are dropped.
func nextFrame(held []byte) (frame, rest []byte, ok bool) {
	held = bytes.TrimLeft(held, "\r\n")
	end := bytes.Index(held, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, held, false
	}
	size := end + 4
	for line := range bytes.SplitSeq(held[:end], []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		name = bytes.ToLower(bytes.TrimSpace(name))
		if string(name) == "content-length" || string(name) == "l" {
			if n, err := strconv.Atoi(string(bytes.TrimSpace(value))); err == nil && n > 0 {
				size += min(n, maxHeld) // more will never be held
			}
		}
	}
	if len(held) < size {
		return nil, held, false
	}
	return bytes.Clone(held[:size]), held[size:], true
}

// Disconnect breaks the phone's TCP connections, as a lost network does. The
// next request opens a new one.
func (p *Phone) Disconnect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.open {
		l.shut() // its reader does the rest
	}
	clear(p.links)
}

// reach finds the way to an address, opening a connection where the phone
// speaks TCP and has none.
func (p *Phone) reach(ctx context.Context, to netip.AddrPort) (path, error) {
	if p.cfg.Transport == "udp" {
		return path{to: to}, nil
	}
	p.mu.Lock()
	if l := p.links[to]; l != nil && !l.isDown() {
		p.mu.Unlock()
		return path{to: to, link: l}, nil
	}
	p.mu.Unlock()
	conn, err := p.network.Dial(ctx, netip.AddrPortFrom(p.addr.Addr(), 0), to)
	if err != nil {
		return path{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close() // nobody will use it
		return path{}, ErrPhoneClosed
	}
	return path{to: to, link: p.adopt(conn)}, nil
}

// transmit sends a message. Losing it is the transactions' concern: an error of a
// socket is what an unreachable far end looks like. p.mu is held.
func (p *Phone) transmit(w path, m *Message, raw []byte, again bool) {
	p.stats.Sent++
	if again {
		p.stats.Retransmitted++
	}
	p.note(Record{Sent: true, Repeated: again, Peer: w.to, Message: m, Raw: raw})
	if w.link != nil {
		w.link.send(raw)
		return
	}
	_, _ = p.udp.WriteToUDPAddrPort(raw, w.to)
}

func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
