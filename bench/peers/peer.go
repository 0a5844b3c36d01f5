//go:build linux

package peers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cordpair/cordpair/bench/gauge"
	"github.com/cordpair/cordpair/bench/load"
)

// ErrNotInstalled: the machine has no such program.
var ErrNotInstalled = errors.New("not installed")

// Setting says how a peer is started.
type Setting struct {
	// Dir is an empty folder of its own.
	Dir   string
	Place gauge.Place
	// Phones are as many accounts as it needs, Calls as many relayed calls.
	Phones, Calls int
	// Ports of the switch for RTP, "14000-31999" if empty: the load's own lie
	// above.
	Ports string
	// Program is the built switch or relay.
	Program string
	// Procs is GOMAXPROCS of a switch, 1 if 0.
	Procs int
}

// Peer is a running process that is measured.
type Peer struct {
	// Addr is where it takes SIP, NG where rtpengine takes commands.
	Addr, NG string
	Domain   string
	Phones   []load.Phone
	// Flows are the ports of a relay without signalling.
	Flows [][2]uint16
	// PIDs are the process and its children.
	PIDs []int

	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr tail
	stdin  io.Closer
}

// Bounds of a start and a stop.
const (
	startBound = 3 * time.Minute // of a million accounts
	stopBound  = 15 * time.Second
)

// start starts a program whose output can be read line by line.
func start(s Setting, name string, args ...string) (*Peer, error) {
	p := &Peer{cmd: exec.Command(name, args...)}
	p.cmd.Dir = s.Dir
	p.cmd.Env = append(p.cmd.Environ(), "GOMAXPROCS="+strconv.Itoa(max(s.Procs, 1)))
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdout = bufio.NewReaderSize(out, 1<<16)
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := gauge.Start(p.cmd, s.Place); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.PIDs = []int{p.cmd.Process.Pid}
	return p, nil
}

// Stop ends the process and waits until it is gone.
func (p *Peer) Stop() {
	_ = p.stdin.Close() // the C relay ends with its input
	gauge.Stop(p.cmd, stopBound)
}

// Died tells what the process wrote if it has ended by itself; nil while it runs.
func (p *Peer) Died() error {
	if p.cmd == nil || gauge.Running(p.cmd.Process.Pid) {
		return nil // one that somebody else has started is theirs to watch
	}
	return p.failed(errDied)
}

var errDied = errors.New("it ended by itself")

// failed ends the process and tells what it wrote.
func (p *Peer) failed(err error) error {
	p.Stop()
	return fmt.Errorf("%s: %w\n%s", p.cmd.Path, err, p.stderr.String())
}

// line reads a line of output; the process is killed when it takes too long.
func (p *Peer) line() (string, error) {
	late := time.AfterFunc(startBound, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	text, err := p.stdout.ReadString('\n')
	return strings.TrimSuffix(text, "\n"), err
}

// await asks until the peer answers.
func (p *Peer) await(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startBound)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		err := ask()
		if err == nil {
			p.PIDs = gauge.Tree(p.cmd.Process.Pid)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, last: %w", ctx.Err(), err)
		case <-again.C:
		}
	}
}

// installed finds a program.
func installed(name string) error {
	if _, err := exec.LookPath(name); err != nil {
		return fmt.Errorf("%s: %w", name, ErrNotInstalled)
	}
	return nil
}

// freePort is a UDP port that nobody has on the loopback.
func freePort() (int, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

// tail keeps the end of what a process writes.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	const most = 4000
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if len(t.text) > 2*most {
		t.text = bytes.Clone(t.text[len(t.text)-most:])
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
