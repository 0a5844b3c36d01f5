//go:build system

package system

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program is the binary under test, built once.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cordpair-system")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "cordpair")
	if err := keepCaches(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	build := exec.Command("go", "build", "-trimpath", "-o", program, "./cmd/cordpair")
	build.Dir, build.Env = root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	go machine.watch(dir) // ends with the process
	return m.Run()
}

// keepCaches names Go's folders to those who get another home directory.
func keepCaches() error {
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			return err
		}
		if err := os.Setenv(name, strings.TrimSpace(string(out))); err != nil {
			return err
		}
	}
	return nil
}

// root is the checkout.
func root() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err) // only without a working directory
	}
	return dir
}

// need skips the test where a program is not installed.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

// Blocks of ports, below those of media and of outgoing connections.
const (
	firstBlock = 7000
	lastBlock  = 15000
	blockSize  = 1000
)

// block is a range of ports that is ours until the test ends.
type block int

// Where things stand in a block; softphones take +100 to +459 (cmd/cordpair).
const (
	atSIP       = 0
	atHTTP      = 1
	atMetrics   = 2
	atSipp      = 500 // one SIP port each
	mostSipps   = 20
	atSippMedia = 540 // sippMedia ports each, more if needed
	sippMedia   = 20
	atLock      = 999
)

// takeBlock finds a block whose lock port and SIP port are free and holds the
// lock port.
func takeBlock(t *testing.T) block {
	t.Helper()
	var b block
	until(t, time.Minute, "a free block of ports", func() bool {
		for at := firstBlock; at <= lastBlock; at += blockSize {
			lock, err := net.Listen("tcp", block(at).addr(atLock))
			if err != nil {
				continue
			}
			b = block(at)
			t.Cleanup(func() { _ = lock.Close() })
			return true
		}
		return false
	})
	return b
}

func (b block) addr(at int) string { return fmt.Sprintf("127.0.0.1:%d", int(b)+at) }

// until polls for what must come true; the bound only ends a test that hangs.
func until(t *testing.T, bound time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(bound); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v: no %s", bound, what)
		}
	}
}
