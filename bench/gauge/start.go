//go:build linux

package gauge

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
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
	cmd.SysProcAttr.Setsid = true // a group of its own for signals and for the scheduler
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
	if err := cmd.Start(); err != nil || p.Nice == 0 {
		return err
	}
	if err := prefer(cmd.Process.Pid, p.Nice); err != nil {
		Stop(cmd, 0)
		return fmt.Errorf("priority %d: %w", p.Nice, err)
	}
	return nil
}

// prefer sets the priority of a fresh process. Where the kernel groups sessions
// (sched_autogroup_enabled) it is that of the group which counts.
func prefer(pid, nice int) error {
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, pid, nice); err != nil {
		return err
	}
	err := os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte(strconv.Itoa(nice)), 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // a kernel without groups
	}
	return err
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
