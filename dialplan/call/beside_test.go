//go:build unix

package call_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
)

// BenchmarkCall is a whole call while others are up.
func BenchmarkCall(b *testing.B) {
	for _, others := range []int{100, 3000, 10000} {
		b.Run(fmt.Sprint("beside ", others), func(b *testing.B) {
			w := newBench(b, others)
			defer w.close()
			for range others {
				w.answered(b)
			}
			w.read()
			runtime.GC()
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				w.call(b)
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpu is the time this process has used: machines are shared, so time that has passed
// says little.
func cpu(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
