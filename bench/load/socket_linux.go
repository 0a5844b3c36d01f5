package load

import (
	"errors"
	"fmt"
	"syscall"
	"time"
	"unsafe"
)

// Socket options and control messages that package syscall does not name.
const (
	soTimestampNS = 35 // SO_TIMESTAMPNS
	soRxqOvfl     = 40 // SO_RXQ_OVFL
	soRcvBufForce = 33 // SO_RCVBUFFORCE, which needs a right to it
	sipBuffer     = 4 << 20
)

var loopback = [4]byte{127, 0, 0, 1}

// socket is a UDP socket on the loopback that talks to one address. Its owner is
// the loop.
type socket struct {
	fd    int
	port  uint16
	local []byte // "127.0.0.1:PORT"
	drops uint32 // SO_RXQ_OVFL of the last datagram
	// got is called with every datagram and its arrival.
	got func(s *socket, b []byte, at time.Time)
	// flow is the RTP flow that it carries.
	flow int
}

// openSocket binds a port; 0 takes any.
func openSocket(port uint16) (*socket, error) { return openSocketAt(loopback, port) }

// openSocketAt is openSocket of another address of this machine.
func openSocketAt(host [4]byte, port uint16) (*socket, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	s := &socket{fd: fd}
	err = errors.Join(
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, soTimestampNS, 1),
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, soRxqOvfl, 1),
		syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(port), Addr: host}),
	)
	if err != nil {
		_ = syscall.Close(fd) // it holds nothing
		return nil, fmt.Errorf("bind %d: %w", port, err)
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		return nil, fmt.Errorf("getsockname: %w", err)
	}
	s.port = uint16(at.(*syscall.SockaddrInet4).Port)
	s.local = fmt.Appendf(nil, "%d.%d.%d.%d:%d", host[0], host[1], host[2], host[3], s.port)
	return s, nil
}

// roomy gives the socket a large receive buffer, as far as this user may.
func (s *socket) roomy() {
	if syscall.SetsockoptInt(s.fd, syscall.SOL_SOCKET, soRcvBufForce, sipBuffer) != nil {
		_ = syscall.SetsockoptInt(s.fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, sipBuffer) // the rest shows as drops
	}
}

// connect makes the socket talk to one port only.
func (s *socket) connect(port uint16) error {
	return syscall.Connect(s.fd, &syscall.SockaddrInet4{Port: int(port), Addr: loopback})
}

// send sends a datagram. It never waits; what the kernel does not take is lost,
// as on a network.
func (s *socket) send(b []byte) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
}

func (s *socket) close() {
	_ = syscall.Close(s.fd) // nothing is buffered
}

// receiver holds what recvmsg writes to.
type receiver struct {
	buf [4096]byte
	oob [128]byte
	iov syscall.Iovec
	hdr syscall.Msghdr
}

// receive reads one datagram with its time of arrival; ok is false when there is
// none. b is valid until the next call.
func (r *receiver) receive(s *socket) (b []byte, at time.Time, ok bool) {
	r.iov.Base = &r.buf[0]
	r.iov.SetLen(len(r.buf))
	r.hdr.Iov, r.hdr.Iovlen = &r.iov, 1
	r.hdr.Control = &r.oob[0]
	r.hdr.SetControllen(len(r.oob))
	n, _, errno := syscall.RawSyscall(syscall.SYS_RECVMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&r.hdr)), 0)
	if errno != 0 {
		// ECONNREFUSED tells of an earlier datagram; there may be more behind it.
		return nil, at, errno == syscall.ECONNREFUSED
	}
	return r.buf[:n], r.control(s), true
}

// control reads the arrival and the drops.
func (r *receiver) control(s *socket) time.Time {
	var at time.Time
	const head = syscall.SizeofCmsghdr
	for rest := r.oob[:r.hdr.Controllen]; len(rest) >= head; {
		h := (*syscall.Cmsghdr)(unsafe.Pointer(&rest[0]))
		if int(h.Len) < head || int(h.Len) > len(rest) {
			break
		}
		switch {
		case h.Level != syscall.SOL_SOCKET:
		case h.Type == soTimestampNS:
			ts := (*syscall.Timespec)(unsafe.Pointer(&rest[head]))
			at = time.Unix(ts.Unix())
		case h.Type == soRxqOvfl:
			s.drops = *(*uint32)(unsafe.Pointer(&rest[head]))
		}
		rest = rest[min(len(rest), int(h.Len+7)&^7):]
	}
	return at
}

// poller waits for sockets.
type poller struct {
	fd      int
	sockets map[int32]*socket
	events  [512]syscall.EpollEvent
	lost    int64 // at sockets that are closed
	receiver
}

func openPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &poller{fd: fd, sockets: map[int32]*socket{}}, nil
}

func (p *poller) add(s *socket) error {
	p.sockets[int32(s.fd)] = s
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, s.fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(s.fd)})
}

func (p *poller) remove(s *socket) {
	p.lost += int64(s.drops)
	delete(p.sockets, int32(s.fd))
	s.close()
}

// perSocket is how many datagrams are read from one socket in a row.
const perSocket = 64

// wait waits at most a millisecond and hands out what has arrived.
func (p *poller) wait() error {
	n, err := syscall.EpollWait(p.fd, p.events[:], 1)
	if err != nil && !errors.Is(err, syscall.EINTR) {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, e := range p.events[:max(n, 0)] {
		s := p.sockets[e.Fd]
		for range perSocket {
			b, at, ok := p.receive(s)
			if !ok {
				break
			}
			if len(b) > 0 {
				s.got(s, b, at)
			}
			if s.flow > 0 {
				break // it carries one packet in 20 ms
			}
		}
	}
	return nil
}

// drops are the datagrams lost at all sockets so far.
func (p *poller) drops() int64 {
	n := p.lost
	for _, s := range p.sockets {
		n += int64(s.drops)
	}
	return n
}

// ownCPU is the run time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
