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
	var conns atomic.Uint64 // the last connection opened
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(w)))
			for i := range rounds {
				id := rnd.Int64N(extensions) + 1
				disturb(b, rnd, id, &pending, &conns)
				r := register(fmt.Sprint(w), uint32(i+1), hour, contact(fmt.Sprintf("sip:%d@h", rnd.IntN(4))))
				r.Extension = id
				r.Flow = []Flow{udp, tcp(conns.Load() + 1), tcp(conns.Load() + 2)}[rnd.IntN(3)]
				r.Expires = []time.Duration{0, hour, hour, hour}[rnd.IntN(4)]
				pending.Add(1)
				res, err := b.Update(r, time.Now(), func(error) { pending.Add(-1) })
				if err != nil || !res.Pending {
					pending.Add(-1)
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
	for id := range int64(extensions + 1) {
		have := b.Lookup(id, time.Now(), nil)
		if d := cmp.Diff(sequences(have), sequences(shelf.row(id).Bindings)); d != "" {
			t.Errorf("extension %d, bound and stored: %s", id, d)
		}
		if online[id] != len(have) {
			t.Errorf("extension %d: %d bound, events say %d", id, len(have), online[id])
		}
	}
}

// disturb sometimes does something else than a REGISTER.
func disturb(b *Bindings, rnd *rand.Rand, id int64, pending *atomic.Int64, conns *atomic.Uint64) {
	switch rnd.IntN(8) {
	case 0:
		pending.Add(1)
		if !b.Remove(id, "", time.Now(), func(error) { pending.Add(-1) }) {
			pending.Add(-1)
		}
	case 1:
		b.FlowClosed(conns.Add(1), time.Now())
	case 2:
		b.Lookup(id, time.Now(), nil)
		b.Registrations(id, time.Now())
	}
}

func sequences(list []Binding) map[string]uint32 {
	out := map[string]uint32{}
	for _, x := range list {
		out[x.ID] = x.CSeq
	}
	return out
}

// A callback that panics takes nothing with it but itself.
func TestEventsPanic(t *testing.T) {
	var events log
	bad := true
	b := open(t, Config{Store: newShelf(), Events: func(e Event) {
		if bad {
			bad = false
			panic("a fault of the receiver")
		}
		events.add(e)
	}})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = b.Update(register("a", 1, hour, contact("sip:x@h"), contact("sip:y@h")), time.Now(), nil)
	}()
	if res := mustUpdate(t, b, register("b", 1, hour, contact("sip:z@h"))); len(res.Bindings) != 3 {
		t.Errorf("%d bound", len(res.Bindings))
	}
	if d := cmp.Diff([]string{"added sip:y@h 2", "added sip:z@h 3"}, events.take()); d != "" {
		t.Error(d)
	}
}
