//go:build unix

package main

import (
	"syscall"
	"testing"
)

// TestFirstSignalStops: the first request to stop ends the context and not the
// process (L1).
func TestFirstSignalStops(t *testing.T) {
	ctx := untilSignal()
	if ctx.Err() != nil {
		t.Fatal("stopped without a signal")
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
}
