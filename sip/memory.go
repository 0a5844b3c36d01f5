package sip

import (
	"math"
	"runtime/debug"
	runtime "runtime/metrics"
	"sync/atomic"
)

// New work is refused from memoryFull of the limit on, until less than memoryFree
// is used (O5); both in per cent.
const (
	memoryFull = 80
	memoryFree = 75
)

// memory watches what the process uses of its memory limit.
type memory struct {
	// read gives the bytes in use and the limit, 0 for none.
	read  func() (used, limit uint64)
	used  atomic.Uint64
	limit atomic.Uint64
	short atomic.Bool
}

// look reads once.
func (m *memory) look() {
	used, limit := m.read()
	m.used.Store(used)
	m.limit.Store(limit)
	switch {
	case limit == 0 || used < limit/100*memoryFree:
		m.short.Store(false)
	case used >= limit/100*memoryFull:
		m.short.Store(true)
	}
}

// newMemoryReading returns a reading of what the runtime cannot give back under
// the limit GOMEMLIMIT sets: what the last collection found alive, and all that
// is no heap. Garbage does not count: it is collected before the limit is reached.
func newMemoryReading() func() (used, limit uint64) {
	samples := []runtime.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"},
	}
	return func() (used, limit uint64) {
		runtime.Read(samples)
		v := func(i int) uint64 { return samples[i].Value.Uint64() }
		used = v(0) - v(1) - v(2) - v(3) - v(4) + v(5)
		if n := debug.SetMemoryLimit(-1); n < math.MaxInt64 {
			limit = uint64(n)
		}
		return used, limit
	}
}
