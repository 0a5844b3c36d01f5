//go:build linux && (amd64 || arm64)

package sip

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
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
	v6      bool // its addresses are those of AF_INET6
	in      rawInbox
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
	u.in.prepare()
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

// age is how long the datagram that was read last had waited. It is for whoever holds
// the lock that receive was given.
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
	ip := netip.AddrFrom16(a.sa.Addr).Unmap()
	if a.sa.Scope_id != 0 { // a link-local address means nothing without its link
		ip = ip.WithZone(strconv.FormatUint(uint64(a.sa.Scope_id), 10))
	}
	return netip.AddrPortFrom(ip, port)
}

func (a *rawAddr) set(to netip.AddrPort, v6 bool) {
	a.sa = syscall.RawSockaddrInet6{}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&a.sa.Port))[:], to.Port())
	if v6 {
		a.sa.Family, a.sa.Addr, a.len = syscall.AF_INET6, to.Addr().As16(), syscall.SizeofSockaddrInet6
		if zone := to.Addr().Zone(); zone != "" {
			a.sa.Scope_id = scopeOf(zone)
		}
		return
	}
	sa := (*syscall.RawSockaddrInet4)(unsafe.Pointer(&a.sa))
	sa.Family, sa.Addr, a.len = syscall.AF_INET, to.Addr().Unmap().As4(), syscall.SizeofSockaddrInet4
}

// scopeOf is the number of a link, which addrPort writes for its name.
func scopeOf(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	link, err := net.InterfaceByName(zone)
	if err != nil {
		return 0 // the kernel refuses to send
	}
	return uint32(link.Index)
}
