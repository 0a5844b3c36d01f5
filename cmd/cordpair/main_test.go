package main

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain: who waits for a second signal ends with the process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/cordpair/cordpair/cmd/cordpair.untilSignal.func1"))
}
