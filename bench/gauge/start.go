//go:build linux

package gauge

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// Place is where and how a process runs.
type Place struct {
	// Core is the one core it may use, from 0; below 0 leaves it free.
	Core int
	// Nice is its priority, -20 (first) to 19; 0 leaves it alone.
	Nice int
}

// Start starts a command in its place; everything it starts inherits that. It is
// killed when the thread that called Start ends, so call it from a goroutine
// that is locked to the main thread.
func Start(cmd *exec.Cmd, p Place) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	// A child inherits both from the thread that forks.
	if p.Core >= 0 {
		var before cores
		if err := before.get(); err != nil {
			return fmt.Errorf("cores: %w", err)
		}
		only := cores{}
		only[p.Core/64] = 1 << (p.Core % 64)
		if err := only.set(); err != nil {
			return fmt.Errorf("core %d: %w", p.Core, err)
		}
		defer func() { _ = before.set() }() // what was allowed is allowed
	}
	if p.Nice != 0 {
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), p.Nice); err != nil {
			return fmt.Errorf("priority %d: %w", p.Nice, err)
		}
		defer func() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), 0) }() // as it was
	}
	return cmd.Start()
}

// Stop ends a started command: it gets a signal, after patience its whole
// process group is killed. It returns once the process is gone.
func Stop(cmd *exec.Cmd, patience time.Duration) {
	if cmd.Process == nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGTERM) // gone already is fine
	kill := time.AfterFunc(patience, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	_ = cmd.Wait() // how it ended is no figure
	if kill.Stop() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it may have left behind
	}
}

// cores is a set of cores as the kernel wants it.
type cores [16]uint64

func (c *cores) set() error { return c.call(syscall.SYS_SCHED_SETAFFINITY) }
func (c *cores) get() error { return c.call(syscall.SYS_SCHED_GETAFFINITY) }

func (c *cores) call(trap uintptr) error {
	_, _, errno := syscall.RawSyscall(trap, 0, unsafe.Sizeof(*c), uintptr(unsafe.Pointer(c)))
	if errno != 0 {
		return errors.Join(errno)
	}
	return nil
}
