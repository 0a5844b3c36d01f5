package store

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// syncers are the most syncs that are under way at once without a thread each.
const syncers = 8

// idleSyncers are those that are not in use. They stay until the process ends: a
// store may be opened and closed many times.
var idleSyncers = make(chan *syncer, syncers)

// syncFile brings a file to the disk, whoever has written it, by mapping it or
// otherwise. A thread that waits in a system call keeps the core from all other
// goroutines until Go's monitor notices, milliseconds later: with few cores that is as
// long as a sync takes. So the kernel is asked to do it aside (io_submit(2)), and
// tells when it has. Where that cannot be, the thread waits.
func syncFile(f *os.File) error {
	s := takeSyncer()
	if s == nil {
		return f.Sync()
	}
	err := s.sync(f)
	if errors.Is(err, errNotAside) {
		return errors.Join(f.Sync(), s.close())
	}
	select {
	case idleSyncers <- s:
		return err
	default:
		return errors.Join(err, s.close())
	}
}

// errNotAside: this kernel or file system has no such sync.
var errNotAside = errors.New("the kernel does not sync aside")

// aside is whether there has been one that works.
var aside = sync.OnceValue(func() bool {
	s, err := newSyncer()
	return err == nil && s.close() == nil
})

// takeSyncer returns nil where there is none to be had.
func takeSyncer() *syncer {
	select {
	case s := <-idleSyncers:
		return s
	default:
	}
	if !aside() {
		return nil
	}
	s, err := newSyncer()
	if err != nil {
		return nil // for want of descriptors: it can be done without
	}
	return s
}

// syncer is a queue of the kernel's that syncs one file at a time.
type syncer struct {
	queue uintptr
	done  *os.File // an eventfd(2) that says so
	ask   request
}

// request is struct iocb of linux/aio_abi.h; what has no name must be 0.
type request struct {
	_              [2]uint64
	opcode, _      uint16
	fd             uint32
	_              [4]uint64
	flags, eventFD uint32
}

// event is struct io_event.
type event struct {
	_      [2]uint64
	result int64
	_      int64
}

const (
	opFdatasync = 3 // IOCB_CMD_FDSYNC: the file's times may be lost, its length not
	tellEventFD = 1 // IOCB_FLAG_RESFD
)

func newSyncer() (*syncer, error) {
	fd, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno != 0 {
		return nil, fmt.Errorf("eventfd: %w", errno)
	}
	s := &syncer{done: os.NewFile(fd, "eventfd")}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(&s.queue)), 0); errno != 0 {
		return nil, errors.Join(fmt.Errorf("io_setup: %w", errno), s.done.Close())
	}
	s.ask = request{opcode: opFdatasync, flags: tellEventFD, eventFD: uint32(fd)}
	return s, nil
}

// sync returns when the file is on the disk, or with errNotAside at once.
func (s *syncer) sync(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	ask, errno := &s.ask, syscall.Errno(0)
	err = raw.Control(func(fd uintptr) {
		s.ask.fd = uint32(fd)
		_, _, errno = syscall.RawSyscall(syscall.SYS_IO_SUBMIT, s.queue, 1, uintptr(unsafe.Pointer(&ask)))
	})
	switch {
	case err != nil: // of its own, and only because the file is closed
		return fmt.Errorf("sync %s: %w", f.Name(), os.ErrClosed)
	case errno != 0:
		return errNotAside
	}
	return s.wait()
}

// wait returns what became of the sync that was asked for.
func (s *syncer) wait() error {
	var count [8]byte
	if _, err := s.done.Read(count[:]); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	var ev event
	n, _, errno := syscall.RawSyscall6(syscall.SYS_IO_GETEVENTS, s.queue, 1, 1, uintptr(unsafe.Pointer(&ev)), 0, 0)
	switch {
	case errno != 0 || n != 1:
		return fmt.Errorf("io_getevents: %d, %w", n, errno)
	case ev.result < 0:
		return fmt.Errorf("fdatasync: %w", syscall.Errno(-ev.result))
	}
	return nil
}

func (s *syncer) close() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_IO_DESTROY, s.queue, 0, 0); errno != 0 {
		return errors.Join(fmt.Errorf("io_destroy: %w", errno), s.done.Close())
	}
	return s.done.Close()
}
