//go:build linux && (amd64 || arm64)

package sip

import (
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of sendmmsg(2) and recvmmsg(2).
type mmsghdr struct {
	hdr syscall.Msghdr
	len uint32
	_   [4]byte
}

// rawInbox is room for what one system call reads. All but try and waited, which
// are the reader's, is for who holds the lock that receive was given.
type rawInbox struct {
	try    func(fd uintptr) bool
	once   func(fd uintptr)
	owner  *sync.Mutex
	waited bool

	hdrs  [inMost]mmsghdr
	iovs  [inMost]syscall.Iovec
	addrs [inMost]rawAddr
	room  []byte // inMost times maxDatagram; what is not written to costs no memory
	list  [inMost]arrival
	n     int
	errno syscall.Errno
}

func (r *rawInbox) prepare() {
	r.room = make([]byte, inMost*maxDatagram)
	for i := range r.hdrs {
		r.iovs[i].Base = &r.room[i*maxDatagram]
		r.iovs[i].SetLen(maxDatagram)
		h := &r.hdrs[i].hdr
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&r.addrs[i].sa)), syscall.SizeofSockaddrInet6
		h.Iov, h.Iovlen = &r.iovs[i], 1
	}
	r.try = r.wait
	r.once = r.read
}

// wait is what the poller calls until it returns true, and then owner is locked.
func (r *rawInbox) wait(fd uintptr) bool {
	r.owner.Lock()
	r.read(fd)
	if r.errno != syscall.EAGAIN {
		return true
	}
	r.owner.Unlock()
	r.waited = true
	return false
}

// read reads what there is. Between two datagrams it ends with the first error, which
// the socket keeps for the next call.
func (r *rawInbox) read(fd uintptr) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.hdrs)), inMost, 0, 0, 0)
		if errno == syscall.EINTR {
			continue
		}
		r.n, r.errno = int(n), errno
		if errno != 0 {
			r.n = 0
		}
		break
	}
	for i := range r.n {
		h := &r.hdrs[i]
		r.list[i] = arrival{r.addrs[i].addrPort(), r.room[i*maxDatagram:][:h.len]}
		h.hdr.Namelen = syscall.SizeofSockaddrInet6
	}
}

// receive implements batchReader.
func (u *rawUDP) receive(owner *sync.Mutex) (list []arrival, waited bool, err error) {
	r := &u.in
	r.owner, r.waited = owner, false
	if err := u.raw.Read(r.try); err != nil {
		return nil, r.waited, err
	}
	if errno := r.errno; errno != 0 {
		owner.Unlock()
		return nil, r.waited, errno
	}
	return r.list[:r.n], r.waited, nil
}

// peek implements batchReader.
func (u *rawUDP) peek() []arrival {
	if err := u.raw.Control(u.in.once); err != nil {
		return nil
	}
	return u.in.list[:u.in.n]
}

// rawBatch is room for many datagrams in one system call.
type rawBatch struct {
	try   func(fd uintptr) bool
	hdrs  [outMost]mmsghdr
	iovs  [outMost]syscall.Iovec
	addrs [outMost]rawAddr
	next  int // the first that is not sent
	n     int
	lost  int
}

// prepare points every header at its address and its piece of memory.
func (r *rawBatch) prepare() {
	for i := range r.hdrs {
		h := &r.hdrs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&r.addrs[i].sa))
		h.Iov, h.Iovlen = &r.iovs[i], 1
	}
}

func (r *rawBatch) put(i int, b []byte) {
	r.iovs[i].Base = &b[0]
	r.iovs[i].SetLen(len(b))
}

// writeAll sends datagrams with as few system calls as it can. What the socket's
// buffer has no room for is dropped, as the network may.
func (u *rawUDP) writeAll(list []datagram) (failed int) {
	r := u.batches.Get().(*rawBatch)
	defer u.batches.Put(r)
	r.next, r.n, r.lost = 0, 0, 0
	for _, d := range list {
		if len(d.b) == 0 || !d.to.IsValid() || !u.v6 && !d.to.Addr().Unmap().Is4() {
			r.lost++
			continue
		}
		r.addrs[r.n].set(d.to, u.v6)
		r.hdrs[r.n].hdr.Namelen = r.addrs[r.n].len
		r.put(r.n, d.b)
		r.n++
	}
	if err := u.raw.Write(r.try); err != nil {
		r.lost += r.n - r.next
	}
	clear(r.iovs[:r.n]) // it must not hold on to what was sent
	return r.lost
}

// send sends what is left. A datagram that is refused does not hold up those
// behind it.
func (r *rawBatch) send(fd uintptr) bool {
	for r.next < r.n {
		sent, _, errno := syscall.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&r.hdrs[r.next])),
			uintptr(r.n-r.next), syscall.MSG_NOSIGNAL|syscall.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			r.next += int(sent)
		case syscall.EINTR:
		default:
			r.next, r.lost = r.next+1, r.lost+1
		}
	}
	return true
}
