package sip

import "net/netip"

const (
	// outMost is how many datagrams a worker gathers before it hands them to the
	// kernel, and outBytes of how many bytes.
	outMost  = 32
	outBytes = 48 << 10
)

// datagram is one on its way out.
type datagram struct {
	to netip.AddrPort
	b  []byte
}

// batchConn is a PacketConn that takes many datagrams at once.
type batchConn interface {
	// writeAll sends what it can and returns how many of list it did not. It keeps
	// nothing.
	writeAll(list []datagram) (failed int)
}

// outbox gathers what is sent over UDP in one turn: under load that is many answers
// for one system call, and far ends that are woken once; a message that came alone
// is answered at once all the same. A worker has one, and a listener for what is
// refused.
type outbox struct {
	l    *udpListener // whose socket sends list
	list []datagram
	room []byte // what list points into
}

// put takes a datagram for the next flush, and sends what there is no more room
// beside. b stays the caller's.
func (o *outbox) put(u udpFlow, b []byte) {
	if o.l != u.l || len(o.list) == outMost || len(o.room)+len(b) > cap(o.room) {
		o.flush()
	}
	if o.room == nil {
		o.room = make([]byte, 0, outBytes)
	}
	if len(b) > cap(o.room) {
		_ = u.send(b) // counted by the flow
		return
	}
	from := len(o.room)
	o.room = append(o.room, b...)
	o.l, o.list = u.l, append(o.list, datagram{u.to, o.room[from:]})
}

// flush sends what was gathered.
func (o *outbox) flush() {
	if len(o.list) == 0 {
		return
	}
	l := o.l
	if l.server.taps.now.Load() != nil {
		for _, d := range o.list {
			l.server.taps.sent(udpFlow{l: l, to: d.to}, d.b)
		}
	}
	if failed := l.write(o.list); failed > 0 {
		l.server.metrics.sendErrors.Add(float64(failed))
	}
	clear(o.list)
	o.l, o.list, o.room = nil, o.list[:0], o.room[:0]
}

// transmit sends b over f, a datagram with the end of this turn. b stays the
// caller's. It reports false if f cannot carry anything any more; what an open
// socket does not take is counted and lost, as on a network.
func (w *worker) transmit(f flow, b []byte) bool {
	u, ok := f.(udpFlow)
	if !ok {
		return f.send(b) == nil // counted by the flow
	}
	w.out.put(u, b)
	return !f.closed()
}

// flush sends what this turn has gathered.
func (w *worker) flush() { w.out.flush() }

// write sends datagrams and returns how many it could not.
func (l *udpListener) write(list []datagram) (failed int) {
	if c, ok := l.conn.(batchConn); ok && len(list) > 1 {
		return c.writeAll(list)
	}
	for _, d := range list {
		if _, err := l.conn.WriteToUDPAddrPort(d.b, d.to); err != nil {
			failed++
		}
	}
	return failed
}
