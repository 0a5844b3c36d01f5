//go:build linux

package main

import (
	"fmt"
	"os"
	"syscall"
)

// filesWanted are enough for the sockets of some ten thousand calls.
const filesWanted = 200000

// roomForFiles lets what is started open more files, where that is allowed: with the
// usual 20,000 the sockets of the calls end before the switch does.
func roomForFiles() {
	var have syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &have) != nil || have.Cur >= filesWanted {
		return
	}
	want := syscall.Rlimit{Cur: filesWanted, Max: max(have.Max, filesWanted)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want); err != nil {
		fmt.Fprintln(os.Stderr, "bench: only", have.Cur, "files: few calls fit in")
	}
}
