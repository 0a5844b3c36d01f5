//go:build !race

package sip

import (
	"bytes"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// TestKeptMemory: a finished transaction takes at most 1 kB, all in (the issue's
// figure), with an answer to a REGISTER as phones get them.
func TestKeptMemory(t *testing.T) {
	const many, most = 20_000, 1000
	answer := fmt.Appendf(nil, "SIP/2.0 200 OK\r\n%s", bytes.Repeat([]byte("x"), 540))
	now := time.Now()
	w := &worker{now: now, wheel: newWheel(now), kept: newKept(now), merged: map[txKey]txKey{}}
	f := udpFlow{l: &udpListener{}, to: netip.MustParseAddrPort("10.0.0.1:5060")}
	before := heapInUse()
	for i := range many {
		key := keptKey(i)
		w.merged[key] = key
		w.keep(key, key, f, false, answer)
	}
	each := (heapInUse() - before) / many
	t.Logf("%d bytes for each", each)
	if each > most {
		t.Errorf("%d bytes for each, at most %d", each, most)
	}
	runtime.KeepAlive(w)
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestKeepingAllocatesNothing once as many come as go.
func TestKeepingAllocatesNothing(t *testing.T) {
	now := time.Now()
	k := newKept(now)
	text := make([]byte, 500)
	i := 0
	turn := func() {
		now = now.Add(timerLong / 1000)
		k.expire(now, func(*finished) {})
		k.add(finished{key: keptKey(i)}, text, now)
		i++
	}
	for range 5000 {
		turn()
	}
	if n := testing.AllocsPerRun(5000, turn); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
