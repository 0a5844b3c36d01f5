//go:build linux && (amd64 || arm64)

package media

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hasEpoll says which engine is the default.
const hasEpoll = true

// rawAddr is a socket address as the kernel reads it, prepared once per target.
type rawAddr struct {
	sa  unix.RawSockaddrInet6 // an IPv4 one lies in its first 16 bytes
	len uint32
}

// set prepares the address; an invalid one stays empty.
func (r *rawAddr) set(a netip.AddrPort) {
	*r = rawAddr{}
	switch {
	case a.Addr().Is4():
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.sa))
		v4.Family, v4.Addr = unix.AF_INET, a.Addr().As4()
		putPort(&v4.Port, a.Port())
		r.len = unix.SizeofSockaddrInet4
	case a.Addr().Is6():
		r.sa.Family, r.sa.Addr = unix.AF_INET6, a.Addr().As16()
		putPort(&r.sa.Port, a.Port())
		r.len = unix.SizeofSockaddrInet6
	}
}

// get reads an address the kernel wrote.
func (r *rawAddr) get() netip.AddrPort {
	if r.sa.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.sa))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), getPort(&v4.Port))
	}
	return netip.AddrPortFrom(netip.AddrFrom16(r.sa.Addr).Unmap(), getPort(&r.sa.Port))
}

// putPort and getPort: ports are in network order.
func putPort(at *uint16, port uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(at))[:], port)
}

func getPort(at *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(at))[:])
}

// rawSocket is a non-blocking UDP socket read by an epoll loop. Its system calls
// never block, so they do not tell the Go scheduler.
type rawSocket struct {
	fd int

	// Of the loop that reads it.
	stream  *stream // whose packets arrive; nil while they are thrown away
	control bool
	slot    int32 // its place in the loop's table, -1 while none reads it
	gen     int32 // tells a stale event of an earlier owner
	strays  int   // what was thrown away since it had a stream
	stale   bool  // nobody read what came, and it was nobody's
}

// maxStrays is how many packets of a port without a session are thrown away one by
// one. A phone that has not heard of its call's end sends 50 a second; who sends
// more is left to the kernel, which drops what the socket's buffer does not hold.
const maxStrays = 500

// openRaw binds a port.
func openRaw(a netip.AddrPort) (socket, error) {
	family := unix.AF_INET6
	if a.Addr().Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("media socket: %w", err)
	}
	var at rawAddr
	at.set(a)
	_, _, errno := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&at.sa)), uintptr(at.len))
	if errno != 0 {
		_ = unix.Close(fd) // nothing was sent or received
		return nil, fmt.Errorf("media socket %s: %w", a, errno)
	}
	return &rawSocket{fd: fd, slot: -1}, nil
}

// send implements socket. A full network drops the packet, as it always may.
func (s *rawSocket) send(b []byte, to *target) {
	if len(b) == 0 || to.raw.len == 0 {
		return
	}
	_, _, _ = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.raw.sa)), uintptr(to.raw.len))
}

// receive reads one datagram; n is its true length, which may exceed b.
func (s *rawSocket) receive(b []byte, from *rawAddr) (n int, errno syscall.Errno) {
	from.len = unix.SizeofSockaddrInet6
	r, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_TRUNC, uintptr(unsafe.Pointer(&from.sa)), uintptr(unsafe.Pointer(&from.len)))
	return int(r), e
}

// drain throws away what arrived while nobody read. What the receive buffer can
// hold bounds it.
func (s *rawSocket) drain() {
	var b [1]byte
	var from rawAddr
	for range 1 << 14 {
		if _, errno := s.receive(b[:], &from); errno != 0 {
			return
		}
	}
}

// close implements socket.
func (s *rawSocket) close() {
	_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(s.fd), 0, 0) // UDP: nothing left to flush
}

// epoll serves the sockets of one loop. It waits for its own epoll descriptor in
// Go's poller, where a waiting goroutine costs neither a thread nor the
// attention of the scheduler: a blocking epoll_wait would hold a P until the
// scheduler's watchdog takes it away, which polls every 20 µs to do so. A loop that
// has a P of its own (Config.Dedicated) waits in the kernel itself: waitHere.
type epoll struct {
	loop *loop
	fd   int
	file *os.File // owns fd; nil for a dedicated loop
	conn syscall.RawConn
	due  time.Time // the deadline of file
	n    int       // sockets that are ready
	read func(uintptr) bool
	lazy *time.Timer // wakes it for what was posted for later
	done chan struct{}

	dedicated bool
	looked    int64 // when waitHere ended

	mu     sync.Mutex // guards wakeFD
	wakeFD int        // -1 when it is closed

	slots []*rawSocket // by epoll data; nil when free
	spare []int32
	gen   int32
	from  rawAddr
	buf   [maxDatagram]byte
	ready [128]unix.EpollEvent
}

// startEpoll gives a loop its poller and starts it. The goroutine ends with
// loop.stop.
func startEpoll(l *loop, dedicated bool) error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("media epoll: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(fd) // unused so far
		return fmt.Errorf("media eventfd: %w", err)
	}
	e := &epoll{loop: l, fd: fd, wakeFD: wake, done: make(chan struct{}), dedicated: dedicated}
	e.read = e.look
	e.lazy = time.AfterFunc(time.Hour, e.wake)
	if err := e.open(); err != nil {
		e.lazy.Stop()
		_ = unix.Close(fd) // unused so far
		_ = unix.Close(wake)
		return fmt.Errorf("media epoll: %w", err)
	}
	l.io = e
	go e.run() // ends when the loop is stopping
	return nil
}

// open hands the descriptor to Go's poller, unless the loop waits for it itself.
func (e *epoll) open() (err error) {
	if err := unix.EpollCtl(e.fd, unix.EPOLL_CTL_ADD, e.wakeFD, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1}); err != nil {
		return err
	}
	if e.dedicated {
		return nil
	}
	if err := unix.SetNonblock(e.fd, true); err != nil {
		return err
	}
	e.file = os.NewFile(uintptr(e.fd), "media epoll")
	e.conn, err = e.file.SyscallConn()
	return err
}

// run is the loop. It waits in one place.
func (e *epoll) run() {
	defer close(e.done)
	for {
		timeout := e.loop.turn()
		if e.loop.stopping {
			e.loop.finish()
			return
		}
		e.await(timeout)
		e.loop.now = e.loop.clock()
		e.loop.runPosted()
		for i := range e.ready[:e.n] {
			e.serve(&e.ready[i])
		}
	}
}

// await waits for sockets to be ready, for at most timeout ns unless that is less
// than 0. Setting a deadline costs more than a packet, so the one that is set
// stays while it is early enough.
func (e *epoll) await(timeout int64) {
	if e.dedicated {
		e.waitHere(timeout)
		return
	}
	if timeout >= 0 {
		if now := time.Now(); e.due.Before(now) || e.due.After(now.Add(time.Duration(timeout))) {
			e.due = now.Add(time.Duration(timeout))
			_ = e.file.SetReadDeadline(e.due)
		}
	}
	e.n = 0
	_ = e.conn.Read(e.read) // an error is the deadline
	if e.n == 0 {
		e.due = time.Time{}
	}
}

// look asks for ready sockets without waiting.
func (e *epoll) look(uintptr) bool {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.ready[0])), uintptr(len(e.ready)), 0, 0, 0)
	if errno != 0 {
		return false
	}
	e.n = int(n)
	return e.n > 0
}

// serve reads one datagram of a ready socket: a phone sends one in 20 ms, so a
// second look would nearly always find nothing and cost a system call a packet.
// If more are left epoll reports the socket again, after the others' turn.
func (e *epoll) serve(ev *unix.EpollEvent) {
	if ev.Fd < 0 {
		var b [8]byte
		// Resets the counter; what was posted runs next turn.
		_, _, _ = unix.RawSyscall(unix.SYS_READ, uintptr(e.wakeFD), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		return
	}
	s := e.slots[ev.Fd]
	if s == nil || s.gen != ev.Pad {
		return // released in this very turn
	}
	n, errno := s.receive(e.buf[:], &e.from)
	switch {
	case errno != 0: // empty, or an ICMP error that is now read off
	case s.stream == nil:
		e.stray(s)
	case n > len(e.buf):
		s.stream.counters.dropped.add(1)
	default:
		e.loop.arrived(s.stream, s.control, e.buf[:n], e.from.get())
	}
}

// stray counts a packet that nobody wants. The socket of somebody who sends too
// many is not read until it is attached again.
func (e *epoll) stray(s *rawSocket) {
	if s.strays++; s.strays == maxStrays {
		e.drop(s)
	}
}

// attach implements poller. The sockets stay in the set when the stream is over, so
// this is rarely more than an assignment.
func (e *epoll) attach(s *stream) error {
	s.pair.home = e.loop
	for i, x := range [2]socket{s.pair.rtp, s.pair.rtcp} {
		raw := x.(*rawSocket)
		raw.stream, raw.control, raw.strays = s, i == 1, 0
		if raw.slot >= 0 {
			continue
		}
		if raw.stale {
			raw.drain()
			raw.stale = false
		}
		if err := e.add(raw); err != nil {
			return err
		}
	}
	return nil
}

// detach implements poller.
func (e *epoll) detach(s *stream) {
	s.pair.rtp.(*rawSocket).stream = nil
	s.pair.rtcp.(*rawSocket).stream = nil
}

// release implements poller.
func (e *epoll) release(x *pair) {
	x.home = nil
	e.drop(x.rtp.(*rawSocket))
	e.drop(x.rtcp.(*rawSocket))
}

// add begins to read a socket.
func (e *epoll) add(s *rawSocket) error {
	s.slot = e.place(s)
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: s.slot, Pad: s.gen}
	if err := unix.EpollCtl(e.fd, unix.EPOLL_CTL_ADD, s.fd, &ev); err != nil {
		e.vacate(s)
		return fmt.Errorf("media epoll: %w", err)
	}
	return nil
}

// drop stops reading a socket, if it is read.
func (e *epoll) drop(s *rawSocket) {
	if s.slot >= 0 {
		// It cannot fail for a socket that is in the set.
		_ = unix.EpollCtl(e.fd, unix.EPOLL_CTL_DEL, s.fd, nil)
		e.vacate(s)
		s.stale = s.stream == nil
	}
}

// vacate frees the slot of a socket.
func (e *epoll) vacate(s *rawSocket) {
	e.slots[s.slot] = nil
	e.spare = append(e.spare, s.slot)
	s.slot = -1
}

// place finds a slot for a socket; its number is what epoll reports.
func (e *epoll) place(s *rawSocket) int32 {
	e.gen++
	s.gen = e.gen
	if n := len(e.spare); n > 0 {
		i := e.spare[n-1]
		e.spare = e.spare[:n-1]
		e.slots[i] = s
		return i
	}
	e.slots = append(e.slots, s)
	return int32(len(e.slots) - 1)
}

// wakeLater implements poller.
func (e *epoll) wakeLater() { e.lazy.Reset(lazyTime) }

// wake implements poller.
func (e *epoll) wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.wakeFD < 0 {
		return // somebody was late; the number may be another file's by now
	}
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	// Fails only if the counter is full: it is awake then.
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(e.wakeFD), uintptr(unsafe.Pointer(&one[0])), uintptr(len(one)))
}

// wait implements poller.
func (e *epoll) wait() {
	<-e.done
	if e.dedicated {
		_ = unix.Close(e.fd) // nothing is buffered in it
	} else {
		_ = e.file.Close()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lazy.Stop()
	_ = unix.Close(e.wakeFD)
	e.wakeFD = -1
}
