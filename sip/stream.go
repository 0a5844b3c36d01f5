package sip

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// firstMessageWithin and wholeMessageWithin are S8.
	firstMessageWithin = 10 * time.Second
	wholeMessageWithin = 30 * time.Second
	// streamBacklog is how much may wait for a far end that does not read
	// before its connection is closed.
	streamBacklog    = 256 << 10
	streamsPerSource = 50
	streamsInAll     = 10000
	// lingerFor is how long a refused connection may take to close.
	lingerFor = 2 * time.Second
)

// streamListener accepts connections.
type streamListener struct {
	server *Server
	name   string
	ln     net.Listener
	addr   netip.AddrPort
	announcer
	closed atomic.Bool
}

// accept runs until the listener is closed. Running out of descriptors is
// survived: it pauses and tries again (O8).
func (l *streamListener) accept() {
	for {
		c, err := l.ln.Accept()
		if err != nil {
			if l.closed.Load() || errors.Is(err, net.ErrClosed) {
				return
			}
			l.server.metrics.readErrors.Inc()
			time.Sleep(50 * time.Millisecond)
			continue
		}
		l.server.streams.admit(l, c)
	}
}

func (l *streamListener) close() {
	l.closed.Store(true)
	_ = l.ln.Close() // nothing is left to do about a listener that will not close
}

// streams is the flow table of connection-oriented transports.
type streams struct {
	server *Server
	seq    flowSeq

	mu     sync.Mutex
	flows  map[uint64]*streamFlow
	source map[netip.Addr]int
	ended  bool
	wg     sync.WaitGroup
}

func newStreams(s *Server) *streams {
	return &streams{server: s, flows: map[uint64]*streamFlow{}, source: map[netip.Addr]int{}}
}

// admit takes a connection into the table and starts its reader, or closes it
// when its source or the node has too many (S8).
func (t *streams) admit(l *streamListener, c net.Conn) {
	remote := addrPortOf(c.RemoteAddr())
	t.mu.Lock()
	if t.ended || t.source[sourceOf(remote)] >= streamsPerSource || len(t.flows) >= streamsInAll {
		t.mu.Unlock()
		t.server.metrics.refused("stream_limit")
		_ = c.Close()
		return
	}
	f := &streamFlow{table: t, l: l, conn: c, n: t.seq.next(), to: remote}
	t.flows[f.n] = f
	t.source[sourceOf(remote)]++
	t.wg.Add(1)
	t.mu.Unlock()
	go f.read() // ends when the connection does
}

func (t *streams) remove(f *streamFlow) {
	t.mu.Lock()
	delete(t.flows, f.n)
	if t.source[sourceOf(f.to)]--; t.source[sourceOf(f.to)] <= 0 {
		delete(t.source, sourceOf(f.to))
	}
	t.mu.Unlock()
	t.server.flowGone(f)
	t.wg.Done()
}

// find returns the flow with the given id if it is still up.
func (t *streams) find(n uint64) *streamFlow {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.flows[n]
}

func (t *streams) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.flows)
}

// close ends every connection and waits for the readers.
func (t *streams) close() {
	t.mu.Lock()
	t.ended = true
	for _, f := range t.flows {
		f.close()
	}
	t.mu.Unlock()
	t.wg.Wait()
}

// streamFlow is one connection. Writers never wait: what the kernel does not
// take at once is queued and written by a goroutine that lives only while
// something is queued.
type streamFlow struct {
	table *streams
	l     *streamListener
	conn  net.Conn
	n     uint64
	to    netip.AddrPort
	down  atomic.Bool

	mu      sync.Mutex
	pending []byte
	writing bool
	// finishing ends our direction once everything pending is written.
	finishing bool
}

func (f *streamFlow) id() string             { return "tcp:" + strconv.FormatUint(f.n, 10) }
func (f *streamFlow) transport() string      { return transportTCP }
func (f *streamFlow) reliable() bool         { return true }
func (f *streamFlow) local() netip.AddrPort  { return f.l.announced(f.to.Addr()) }
func (f *streamFlow) host() string           { return f.l.host(f.to.Addr()) }
func (f *streamFlow) advertised() netip.Addr { return f.l.advertised }
func (f *streamFlow) own() netip.Addr        { return f.l.own(f.l.addr, f.to.Addr()) }
func (f *streamFlow) remote() netip.AddrPort { return f.to }
func (f *streamFlow) closed() bool           { return f.down.Load() }

func (f *streamFlow) send(b []byte) error {
	f.table.server.taps.sent(f, b)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down.Load() {
		return errFlowClosed
	}
	if len(f.pending)+len(b) > streamBacklog {
		f.close()
		f.table.server.metrics.refused("stream_backlog")
		return errFlowClosed
	}
	f.pending = append(f.pending, b...)
	if !f.writing {
		f.writing = true
		go f.write() // ends when nothing is pending or the connection breaks
	}
	return nil
}

func (f *streamFlow) write() {
	for {
		f.mu.Lock()
		out := f.pending
		f.pending = nil
		if len(out) == 0 || f.down.Load() {
			f.writing = false
			finished := f.finishing
			f.mu.Unlock()
			if finished {
				f.closeWrite()
			}
			return
		}
		f.mu.Unlock()
		if err := f.conn.SetWriteDeadline(time.Now().Add(wholeMessageWithin)); err != nil {
			f.close()
			continue
		}
		if _, err := f.conn.Write(out); err != nil {
			f.table.server.metrics.sendErrors.Inc()
			f.close()
		}
	}
}

// finish sends b as the last thing and waits for the far end to close, because
// closing with unread input would take b back with a reset. It is for the
// reader, which has nothing left to read.
func (f *streamFlow) finish(b []byte) {
	f.mu.Lock()
	f.finishing = true
	f.mu.Unlock()
	if f.send(b) == nil {
		f.linger()
	}
}

// linger reads what nobody wants any more, for a while.
func (f *streamFlow) linger() {
	if f.conn.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
		_, _ = io.Copy(io.Discard, f.conn) // ends with the deadline at the latest
	}
}

func (f *streamFlow) closeWrite() {
	if half, ok := f.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the reader closes the rest
		return
	}
	f.close()
}

// close ends the connection; its reader then leaves the table.
func (f *streamFlow) close() {
	if f.down.CompareAndSwap(false, true) {
		_ = f.conn.Close() // the reader's error is what counts
	}
}

func addrPortOf(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
