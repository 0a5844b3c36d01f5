//go:build linux && (amd64 || arm64)

package media

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// gatherTime is how long a loop that is busy lets packets gather, in ns. Waking for
// each costs as much as relaying it; the kernel's own slack of 50 µs comes on top,
// and a packet waits half of both on average.
const gatherTime = 150e3

// holdTime is how long a loop keeps its P while nothing comes: a phone's packets are
// this far apart.
const holdTime = 20 // ms

// waitHere waits in the kernel, on the thread that runs the loop. The first waits do
// not tell the scheduler, which would give the P away and make the loop queue for
// another. Who wants the P for a moment, as the collector does, sends the thread a
// signal, and that ends both of them; they are asked again until they listen. The
// goroutine is not locked to its thread: the scheduler's watchdog makes it yield every
// 10 ms, and a locked one would have to be woken again from another thread.
func (e *epoll) waitHere(timeout int64) {
	if e.n > 0 {
		e.gather()
	}
	e.n = 0
	ms := -1
	if timeout >= 0 {
		ms = int((timeout + int64(time.Millisecond) - 1) / int64(time.Millisecond))
	}
	short := holdTime
	if ms >= 0 {
		short = min(short, ms)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.ready[0])), uintptr(len(e.ready)), uintptr(short), 0, 0)
	if errno == 0 && n == 0 && short != ms {
		n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.ready[0])), uintptr(len(e.ready)), uintptr(ms), 0, 0)
	}
	if errno == 0 {
		e.n = int(n)
	}
	e.looked = e.loop.clock()
}

// gather sleeps until gatherTime after the last look. A signal may end it: it is late
// by less than that, then.
func (e *epoll) gather() {
	left := e.looked + gatherTime - e.loop.clock()
	if left <= 0 {
		return
	}
	pause := unix.Timespec{Nsec: left}
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
}
