package history

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

// BenchmarkCall is a whole call of two legs: journal entry, answer, record, on
// the disk.
func BenchmarkCall(b *testing.B) {
	bus := call.NewBus()
	h := New(storetest.OpenDir(b, b.TempDir()), bus, Options{})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }() // ends with ctx
	n, begin := 0, time.Now()
	for b.Loop() {
		c := &teller{bus: bus, id: call.ID(fmt.Sprintf("%032X", n))}
		c.start(alice, "102")
		c.ring("b", bob)
		c.answer("b", bob)
		c.answer("a", alice)
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
	b.ReportMetric(0, "ns/op") // is the time to publish only
	rec, err := h.Get(call.ID(fmt.Sprintf("%032X", n-1)))
	if err != nil {
		b.Fatal(err)
	}
	if page, err := h.journal.List(store.Range{}); err != nil || len(page.Rows) > 0 || !rec.Bridged {
		b.Fatal(len(page.Rows), err)
	}
}
