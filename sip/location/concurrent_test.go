package location

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Everything at once on a few extensions: afterwards memory, store and the sum of
// the events say the same, and every done was called.
func TestConcurrently(t *testing.T) {
	const extensions, workers, rounds = 5, 8, 400
	shelf := newShelf()
	online := map[int64]int{} // by the events; they come in order for an extension
	var mu sync.Mutex
	b := open(t, Config{Store: shelf, Events: func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		switch id := e.Binding.Extension; e.Kind {
		case Added:
			online[id]++
		case Removed, Expired:
			online[id]--
		}
		if got := online[e.Binding.Extension]; got != e.Left {
			t.Errorf("%s: %d left, events say %d", e.Kind, e.Left, got)
		}
	}})
	var pending atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(w)))
			for i := range rounds {
				id := rnd.Int64N(extensions) + 1
				switch rnd.IntN(10) {
				case 0:
					pending.Add(1)
					if !b.Remove(id, "", time.Now(), func(error) { pending.Add(-1) }) {
						pending.Add(-1)
					}
				case 1:
					b.FlowClosed(rnd.Uint64N(4), time.Now())
				case 2:
					b.Lookup(id, time.Now(), nil)
					b.Registrations(id, time.Now())
				default:
					r := register(fmt.Sprint(w), uint32(i+1), hour, contact(fmt.Sprintf("sip:%d@h", rnd.IntN(4))))
					r.Extension = id
					if r.Flow = udp; rnd.IntN(2) == 0 {
						r.Flow = tcp(rnd.Uint64N(4) + 1)
					}
					if rnd.IntN(4) == 0 {
						r.Expires = 0
					}
					pending.Add(1)
					res, err := b.Update(r, time.Now(), func(error) { pending.Add(-1) })
					if err != nil || !res.Pending {
						pending.Add(-1)
					}
				}
			}
		})
	}
	wg.Wait()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if pending.Load() != 0 {
		t.Errorf("%d answers are missing", pending.Load())
	}
	if p := inconsistent(b); p != "" {
		t.Error(p)
	}
	for id := int64(1); id <= extensions; id++ {
		have := b.Lookup(id, time.Now(), nil)
		stored := map[string]uint32{}
		for _, x := range shelf.row(id).Bindings {
			stored[x.ID] = x.CSeq
		}
		bound := map[string]uint32{}
		for _, x := range have {
			bound[x.ID] = x.CSeq
		}
		if d := cmp.Diff(bound, stored); d != "" {
			t.Errorf("extension %d: %s", id, d)
		}
		if online[id] != len(have) {
			t.Errorf("extension %d: %d bound, events say %d", id, len(have), online[id])
		}
	}
}
