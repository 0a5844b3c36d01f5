package feed

import (
	"context"
	"fmt"
	"testing"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store/storetest"
)

// What an event of a call costs with readers that do not read, and with one that
// does. ns/op and allocations must not depend on the number of idle readers.
func BenchmarkEvent(b *testing.B) {
	for _, idle := range []int{0, 1, 1000} {
		b.Run(fmt.Sprintf("idle=%d", idle), func(b *testing.B) {
			bench := newBench(b, Options{})
			for range idle {
				r := bench.f.Read(7, 0, Filter{})
				defer r.Close()
			}
			events(b, bench)
		})
	}
	b.Run("reading=1", func(b *testing.B) { benchmarkReading(b, 1) })
	b.Run("reading=100", func(b *testing.B) { benchmarkReading(b, 100) })
}

func events(b *testing.B, bench *bench) {
	ev := &call.Event{Call: "C", Client: 7, Kind: call.EventRinging, Leg: "b", Party: bob}
	c := &conversation{ends: &between{CallerNumber: alice.Number, CallerName: alice.Name, CalledNumber: "102"}, seen: []int64{1, 2}}
	b.ReportAllocs()
	for b.Loop() {
		bench.f.append(7, c.item("call.ringing", ev))
	}
}

func benchmarkReading(b *testing.B, readers int) {
	bench := newBench(b, Options{})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan int)
	for range readers {
		go func() { // ends with ctx
			r := bench.f.Read(7, 0, Filter{})
			n := 0
			for ctx.Err() == nil {
				events, err := r.Next(ctx)
				n += len(events)
				if err == ErrBehind {
					r.Close()
					r = bench.f.Read(7, r.At(), Filter{})
				}
			}
			r.Close()
			ended <- n
		}()
	}
	events(b, bench)
	cancel()
	for range readers {
		<-ended
	}
}

// The bus and the feed together, as calls see them: what Publish costs the call.
func BenchmarkPublish(b *testing.B) {
	for _, idle := range []int{0, 1000} {
		b.Run(fmt.Sprintf("idle=%d", idle), func(b *testing.B) {
			bench := startBench(b, storetest.Open(b), Options{})
			for range idle {
				r := bench.f.Read(7, 0, Filter{})
				defer r.Close()
			}
			ev := call.Event{Call: "C", Client: 7, Kind: call.EventRinging, Leg: "b", Party: bob}
			b.ReportAllocs()
			for b.Loop() {
				bench.bus.Publish(ev)
			}
		})
	}
}

// What the JSON of an event costs, once for all readers.
func BenchmarkRender(b *testing.B) {
	c := &conversation{ends: &between{CallerNumber: alice.Number, CallerName: alice.Name, CalledNumber: "102"}}
	ev := &call.Event{Call: "C", Client: 7, Kind: call.EventRinging, Leg: "b", Party: bob}
	for b.Loop() {
		c.item("call.ringing", ev).event()
	}
}
