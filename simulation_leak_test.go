package cordpair_test

import (
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/sip/siptest"
)

// TestNothingGrows is L7 at its size for every build: after thousands of mixed
// calls and a minute of rest the process is what it was.
func TestNothingGrows(t *testing.T) {
	calls := 5000
	if raceEnabled {
		calls = 500
	}
	inWorld(t, func(w *world) {
		callers := []*siptest.Phone{w.phone("101"), w.phone("102", siptest.TCP)}
		callee := w.phone("103")
		r := dice(7, 7)
		mixed(w, callers, callee, r, calls/10) // maps and pools have their size
		before := rest()
		mixed(w, callers, callee, r, calls)
		after := rest()
		if st := w.sw.Stats(); st.Calls != 0 || st.Legs != 0 || st.MediaPorts != 0 {
			t.Errorf("left: %+v", st)
		}
		if after.goroutines > before.goroutines+5 || after.goroutines < before.goroutines-5 {
			t.Errorf("%d goroutines, were %d", after.goroutines, before.goroutines)
		}
		if after.descriptors != before.descriptors {
			t.Errorf("%d descriptors, were %d", after.descriptors, before.descriptors)
		}
		// The records of the calls lie in memory too, about 1 KiB each.
		records := uint64(calls) * 2 << 10
		if after.heap > before.heap+before.heap/10+records {
			t.Errorf("heap of %d MiB, was %d MiB", after.heap>>20, before.heap>>20)
		}
		t.Logf("before %+v, after %+v", before, after)
	}, func(cfg *cordpair.Config) { cfg.Log.Level = "error"; cfg.Logger = nil })
}

// holding is what a process holds.
type holding struct {
	goroutines, descriptors int
	heap                    uint64
}

// rest waits for a minute and looks.
func rest() (h holding) {
	time.Sleep(time.Minute) // virtual
	synctest.Wait()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.goroutines, h.heap = runtime.NumGoroutine(), m.HeapAlloc
	if list, err := os.ReadDir("/proc/self/fd"); err == nil {
		h.descriptors = len(list)
	}
	return h
}

// mixed makes calls of every outcome, two at a time.
func mixed(w *world, callers []*siptest.Phone, callee *siptest.Phone, r *rand.Rand, n int) {
	var all sync.WaitGroup
	for range n / 50 {
		w.must(callee.Register(w.ctx))
		for range 25 {
			for i, outcome := range []int{r.IntN(5), r.IntN(5)} {
				all.Go(func() { oneOf(w, callers[i], outcome) })
				if outcome == 4 {
					continue // reaches nobody
				}
				in, err := callee.Incoming(w.ctx)
				w.must(err)
				switch outcome {
				case 0:
					w.must(in.Reject(486))
				case 1:
					w.must(in.Ring())
				default:
					w.must(in.Answer())
				}
			}
			all.Wait()
		}
		time.Sleep(40 * time.Second) // virtual: transactions end
	}
}

// oneOf is the caller's side: refused, cancelled, hung up twice, not found.
func oneOf(w *world, p *siptest.Phone, outcome int) {
	number := "103"
	if outcome == 4 {
		number = "199"
	}
	c, err := p.Call(w.ctx, number)
	w.must(err)
	switch outcome {
	case 0, 4:
		_, err = c.WaitEnded(w.ctx)
	case 1:
		w.must(c.WaitRinging(w.ctx))
		err = c.Cancel(w.ctx)
	default:
		w.must(c.WaitAnswered(w.ctx))
		err = c.Hangup(w.ctx)
	}
	w.must(err)
}
