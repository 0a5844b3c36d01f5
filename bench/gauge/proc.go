//go:build linux

package gauge

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// CPU is the run time of all threads of the processes since they started, those
// included that have ended: the processes' CPU clocks, which count the same run
// time as /proc/PID/task/*/schedstat.
func CPU(pids []int) time.Duration {
	var sum time.Duration
	for _, pid := range pids {
		var ts syscall.Timespec
		// The clock of another process by its number, as clock_getcpuclockid(3)
		// makes it: all its threads, by the scheduler's count.
		clock := ^pid<<3 | 2
		if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&ts)), 0); errno == 0 {
			sum += time.Duration(ts.Nano())
		}
	}
	return sum
}

// Running tells whether a process is there and has not ended.
func Running(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	state := bytes.TrimSpace(text[bytes.LastIndexByte(text, ')')+1:])
	return len(state) > 0 && state[0] != 'Z' && state[0] != 'X'
}

// Wakeups is how often threads of the processes have gone to sleep by themselves
// (voluntary_ctxt_switches): each such sleep ended with a wake-up.
func Wakeups(pids []int) int64 {
	var sum int64
	forTasks(pids, "status", func(text []byte) { sum += field(text, "voluntary_ctxt_switches:") })
	return sum
}

// forTasks reads one file of every thread.
func forTasks(pids []int, name string, read func(text []byte)) {
	for _, pid := range pids {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/%s", pid, name))
		if err != nil {
			continue // the pattern is ours
		}
		for _, f := range files {
			if text, err := os.ReadFile(f); err == nil {
				read(text)
			}
		}
	}
}

// Memory is the resident memory of the processes in bytes: RSS counts shared
// pages in each of them, PSS divides them up.
func Memory(pids []int) (rss, pss int64) {
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue // it ended
		}
		rss += field(text, "Rss:") << 10
		pss += field(text, "Pss:") << 10
	}
	return rss, pss
}

// Tree is a process and all below it.
func Tree(pid int) []int {
	parents := map[int]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is ours
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		// pid (name, which may hold anything) state ppid …
		rest := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		parents[int(number(filepath.Base(filepath.Dir(f))))] = int(number(rest[1]))
	}
	tree := []int{pid}
	for i := 0; i < len(tree); i++ {
		for child, parent := range parents {
			if parent == tree[i] {
				tree = append(tree, child)
			}
		}
	}
	return tree
}

// Drops is how many datagrams the kernel has thrown away so far at the UDP
// sockets of the processes because they were full, from /proc/net/udp.
func Drops(pids []int) int64 {
	mine := sockets(pids)
	text, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		return 0
	}
	var sum int64
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 13 && mine[f[9]] {
			sum += number(f[12])
		}
	}
	return sum
}

// sockets are the inodes of the sockets that the processes hold.
func sockets(pids []int) map[string]bool {
	inodes := map[string]bool{}
	for _, pid := range pids {
		folder := fmt.Sprintf("/proc/%d/fd", pid)
		links, _ := os.ReadDir(folder) // it ended: none
		for _, l := range links {
			target, _ := os.Readlink(filepath.Join(folder, l.Name())) // closed since: none
			if inode, ok := strings.CutPrefix(target, "socket:["); ok {
				inodes[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	return inodes
}

// Busy is how long the cores of the machine together have run anything.
func Busy() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	var ticks int64
	for i, f := range strings.Fields(first) {
		// cpu user nice system idle iowait irq softirq steal; guest is in user
		if i > 0 && i < 9 && i != 4 && i != 5 {
			ticks += number(f)
		}
	}
	return time.Duration(ticks) * (time.Second / 100) // USER_HZ is 100 everywhere Go runs
}

// field is the first number behind a label of a /proc file; 0 when missing.
func field(text []byte, label string) int64 {
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == label {
			return number(f[1])
		}
	}
	return 0
}

// number reads what the kernel wrote; what is no number is 0.
func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
