//go:build linux

package gauge

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestStartAndStop(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 60 & wait")
	if err := Start(cmd, Place{Core: 0}); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	theirs, err := exec.Command("grep", "Cpus_allowed_list", "/proc/"+strconv.Itoa(pid)+"/status").Output()
	if err != nil || strings.Fields(string(theirs))[1] != "0" {
		t.Errorf("the child may run on %s (%v)", theirs, err)
	}
	if rss, pss := Memory([]int{pid}); rss <= 0 || pss <= 0 || pss > rss {
		t.Errorf("RSS %d, PSS %d", rss, pss)
	}
	if !slices.Contains(Tree(os.Getpid()), pid) {
		t.Errorf("%d is not below %d", pid, os.Getpid())
	}
	if !Running(pid) {
		t.Errorf("%d does not run", pid)
	}
	Stop(cmd, time.Minute)
	if Running(pid) || slices.Contains(Tree(os.Getpid()), pid) {
		t.Errorf("%d is still there", pid)
	}
}

func TestOwnCosts(t *testing.T) {
	me := []int{os.Getpid()}
	if CPU(me) <= 0 {
		t.Error("this process has used no CPU")
	}
	if Busy() < CPU(me) {
		t.Error("the machine was less busy than this process")
	}
	if CPU([]int{1<<22 + 1}) != 0 {
		t.Error("a process that is none has used CPU")
	}
}

// TestDrops: a socket nobody reads loses datagrams, and they are found.
func TestDrops(t *testing.T) {
	me := []int{os.Getpid()}
	in, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := in.SetReadBuffer(1); err != nil { // the kernel has a least size
		t.Fatal(err)
	}
	out, err := net.Dial("udp4", in.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	before := Drops(me)
	for range 100 {
		if _, err := out.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if n := Drops(me) - before; n < 50 || n > 100 {
		t.Errorf("%d of 100 lost in a socket that holds two or three", n)
	}
}
