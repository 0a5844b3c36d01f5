//go:build system

package system

import (
	"bytes"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for something that takes a moment.
const patience = 30 * time.Second

// output collects what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process is a running program of ours; it is killed when the test ends.
type process struct {
	name     string
	cmd      *exec.Cmd
	in       io.WriteCloser
	out, err output
	done     chan struct{} // closed once it has ended
}

// start runs a program. What it wrote is shown if the test fails.
func start(t *testing.T, dir, name string, args ...string) *process {
	t.Helper()
	p := &process{name: filepath.Base(name), cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.out, &p.err
	p.cmd.Env = append(p.cmd.Environ(), "HOME="+home(t, dir), "TERM=dumb")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // until the process ends
		_ = p.cmd.Wait() // ended() reads the state
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // what it started, too; gone already is fine
		<-p.done
		if t.Failed() {
			t.Logf("%s %s:\n%s%s", p.name, strings.Join(args, " "), tail(p.out.String()), tail(p.err.String()))
		}
	})
	return p
}

// tail is the end of a long text.
func tail(s string) string {
	const most = 6000
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
}

// running tells whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// wait returns the exit code of a process that ends by itself.
func (p *process) wait(t *testing.T, bound time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(bound):
		t.Fatalf("%s did not end within %v", p.name, bound)
	}
	return p.cmd.ProcessState.ExitCode()
}

// says waits until the process has written text.
func (p *process) says(t *testing.T, text string) {
	t.Helper()
	until(t, patience, p.name+": "+text, func() bool {
		return strings.Contains(p.out.String()+p.err.String(), text)
	})
}
