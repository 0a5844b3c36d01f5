//go:build linux && (amd64 || arm64)

package sip

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// rawUDP reads and writes a UDP socket by system calls the scheduler is not told
// of: they never wait, and handing a thread's work over for one costs more than
// the call. Waiting is left to the runtime's poller.
type rawUDP struct {
	*net.UDPConn
	raw     syscall.RawConn
	v6      bool       // its addresses are those of AF_INET6
	in      rawReceive // who waits
	look    rawReceive // who does not
	stamp   rawStamp
	senders sync.Pool // of *rawSend
	batches sync.Pool // of *rawBatch
}

// rawAddr has room for the address of either family.
type rawAddr struct {
	sa  syscall.RawSockaddrInet6
	len uint32
}

// fast returns c with raw system calls, or c itself where that cannot be.
func fast(c *net.UDPConn) PacketConn {
	raw, err := c.SyscallConn()
	if err != nil {
		return c
	}
	u := &rawUDP{UDPConn: c, raw: raw}
	domain := 0
	err = raw.Control(func(fd uintptr) {
		domain, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_DOMAIN)
	})
	if err != nil || domain != syscall.AF_INET && domain != syscall.AF_INET6 {
		return c
	}
	u.v6 = domain == syscall.AF_INET6
	u.in.try = u.in.receive
	u.look.once = func(fd uintptr) { u.look.receive(fd) }
	u.stamp.ask = u.stamp.read
	_ = raw.Control(u.stamp.ask) // has the kernel note when datagrams come
	u.senders.New = func() any {
		s := &rawSend{}
		s.try = s.send
		return s
	}
	u.batches.New = func() any {
		r := &rawBatch{}
		r.try = r.send
		r.prepare()
		return r
	}
	return u
}

// receive reads one datagram into b, whose owner it locks to do so and leaves locked
// unless it fails; waited tells that the socket was empty before it came. It is for
// one reader.
func (u *rawUDP) receive(b []byte, owner *sync.Mutex) (n int, from netip.AddrPort, waited bool, err error) {
	r := &u.in
	r.b, r.owner, r.waited = b, owner, false
	if err := u.raw.Read(r.try); err != nil {
		return 0, netip.AddrPort{}, r.waited, err
	}
	if r.errno != 0 {
		owner.Unlock()
		return 0, netip.AddrPort{}, r.waited, r.errno
	}
	return r.n, r.from.addrPort(), r.waited, nil
}

// peek reads one datagram into b, which is the caller's, if there is one.
func (u *rawUDP) peek(b []byte) (n int, from netip.AddrPort, ok bool) {
	r := &u.look
	r.b, r.waited = b, false
	if err := u.raw.Control(r.once); err != nil || r.waited || r.errno != 0 {
		return 0, netip.AddrPort{}, false
	}
	return r.n, r.from.addrPort(), true
}

type rawReceive struct {
	try    func(fd uintptr) bool
	once   func(fd uintptr)
	b      []byte
	owner  *sync.Mutex // of b; nil if whoever asks is
	n      int
	from   rawAddr
	errno  syscall.Errno
	waited bool
}

func (r *rawReceive) receive(fd uintptr) bool {
	if r.owner != nil {
		r.owner.Lock()
	}
	for {
		r.from.len = syscall.SizeofSockaddrInet6
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&r.b[0])), uintptr(len(r.b)),
			0, uintptr(unsafe.Pointer(&r.from.sa)), uintptr(unsafe.Pointer(&r.from.len)))
		switch errno {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			r.waited = true
			if r.owner != nil {
				r.owner.Unlock()
			}
			return false
		}
		r.n, r.errno = int(n), errno
		return true
	}
}

// age is how long the datagram that receive returned last had waited. It is for
// the reader.
func (u *rawUDP) age(now time.Time) time.Duration {
	if err := u.raw.Control(u.stamp.ask); err != nil || u.stamp.errno != 0 {
		return 0
	}
	// By the wall clock; while that is set, the answer is wrong for a moment.
	return min(max(now.Sub(time.Unix(u.stamp.at.Unix())), 0), longestWait)
}

// longestWait is more than a socket buffer holds.
const longestWait = time.Second

// siocGStampNS asks when the last datagram came in (socket(7), SIOCGSTAMPNS).
const siocGStampNS = 0x8907

// rawStamp asks for one datagram in many: as a part of each it would cost more.
type rawStamp struct {
	ask   func(fd uintptr)
	at    syscall.Timespec
	errno syscall.Errno
}

func (r *rawStamp) read(fd uintptr) {
	_, _, r.errno = syscall.RawSyscall(syscall.SYS_IOCTL, fd, siocGStampNS, uintptr(unsafe.Pointer(&r.at)))
}

// WriteToUDPAddrPort sends one datagram. A socket whose buffer is full drops it,
// as the network may.
func (u *rawUDP) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if len(b) == 0 || !to.IsValid() || !u.v6 && !to.Addr().Unmap().Is4() {
		return u.UDPConn.WriteToUDPAddrPort(b, to)
	}
	s := u.senders.Get().(*rawSend)
	defer u.senders.Put(s)
	s.b = b
	s.to.set(to, u.v6)
	err := u.raw.Write(s.try)
	s.b = nil
	switch {
	case err != nil:
		return 0, err
	case s.errno != 0:
		return 0, s.errno
	}
	return len(b), nil
}

type rawSend struct {
	try   func(fd uintptr) bool
	b     []byte
	to    rawAddr
	errno syscall.Errno
}

func (s *rawSend) send(fd uintptr) bool {
	for {
		_, _, s.errno = syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&s.b[0])), uintptr(len(s.b)),
			syscall.MSG_NOSIGNAL|syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&s.to.sa)), uintptr(s.to.len))
		if s.errno != syscall.EINTR {
			return true
		}
	}
}

func (a *rawAddr) addrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&a.sa.Port))[:])
	if a.sa.Family == syscall.AF_INET {
		sa := (*syscall.RawSockaddrInet4)(unsafe.Pointer(&a.sa))
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(a.sa.Addr).Unmap(), port)
}

func (a *rawAddr) set(to netip.AddrPort, v6 bool) {
	a.sa = syscall.RawSockaddrInet6{}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&a.sa.Port))[:], to.Port())
	if v6 {
		a.sa.Family, a.sa.Addr, a.len = syscall.AF_INET6, to.Addr().As16(), syscall.SizeofSockaddrInet6
		return
	}
	sa := (*syscall.RawSockaddrInet4)(unsafe.Pointer(&a.sa))
	sa.Family, sa.Addr, a.len = syscall.AF_INET, to.Addr().Unmap().As4(), syscall.SizeofSockaddrInet4
}
