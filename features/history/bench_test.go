//go:build unix

package history

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store/storetest"
)

// cpu is what the process has used so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPaced is calls that come one after another at a rate, so that the
// wake-ups count: CPU of the whole process for each, the store's at rest (about
// 12 ms a second) and the benchmark's own waking included.
func BenchmarkPaced(b *testing.B) {
	for _, rate := range []int{100, 500, 1000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			benchCalls(b, time.Second/time.Duration(rate))
		})
	}
}

// BenchmarkCall is a whole call of two legs: journal entry, answer, record, on
// the disk.
func BenchmarkCall(b *testing.B) { benchCalls(b, 0) }

func benchCalls(b *testing.B, gap time.Duration) {
	bus := call.NewBus()
	h := New(storetest.OpenDir(b, b.TempDir()), bus, Options{})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }() // ends with ctx
	b.ReportAllocs()
	n, begin, used := 0, time.Now(), cpu(b)
	for b.Loop() {
		c := &teller{bus: bus, id: call.ID(fmt.Sprintf("%032X", n))}
		c.start(alice, "102")
		c.ring("b", bob)
		<-time.After(gap / 2)
		c.answer("b", bob)
		c.answer("a", alice)
		<-time.After(gap / 2)
		c.gone("a", alice, call.CauseNormal, true)
		c.gone("b", bob, call.CauseNormal, false)
		c.end(call.CauseNormal, "a")
		n++
	}
	cancel()
	if err := <-ended; err != nil { // all of them are on the disk now
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "calls/s")
	b.ReportMetric(float64((cpu(b)-used).Nanoseconds())/1000/float64(n), "cpu-µs/op")
	b.ReportMetric(0, "ns/op") // is the time to publish only
	rec, err := h.Get(call.ID(fmt.Sprintf("%032X", n-1)))
	if err != nil {
		b.Fatal(err)
	}
	if left, err := h.journal.Entries(); err != nil || len(left) > 0 || !rec.Bridged {
		b.Fatal(len(left), err)
	}
}

// BenchmarkRunning is the memory of a call while two parties talk.
func BenchmarkRunning(b *testing.B) {
	const calls = 10000
	memory := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	bus := call.NewBus()
	h := New(storetest.Open(b), bus, Options{})
	defer h.sub.Close()
	for b.Loop() {
		clear(h.open)
		before := memory()
		for i := range calls {
			c := &teller{bus: bus, id: call.ID(fmt.Sprintf("%032X", i))}
			c.start(alice, "102")
			c.ring("b", bob)
			c.answer("b", bob)
			c.answer("a", alice)
			events, _ := h.sub.Gather(b.Context(), 0, time.Time{})
			h.take(events)
		}
		h.dirty = nil
		b.ReportMetric(float64(memory()-before)/calls, "B/call")
	}
}

// BenchmarkRow is the stored form of a record with something in every field.
func BenchmarkRow(b *testing.B) {
	rec := fullRecord()
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := rec.AppendRow(make([]byte, 0, 1024)); err != nil {
				b.Fatal(err)
			}
		}
	})
	row, _ := rec.AppendRow(nil)
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var rec brief
			if err := rec.ParseRow(recordVersion, row); err != nil {
				b.Fatal(err)
			}
		}
	})
}
