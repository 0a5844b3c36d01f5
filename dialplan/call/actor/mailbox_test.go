package actor_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cordpair/cordpair/dialplan/call/actor"
)

func TestOrderAndCap(t *testing.T) {
	m := actor.New[int](2)
	steps := []struct {
		name  string
		push  func(int) bool
		v     int
		want  bool
		waits int
	}{
		{"first", m.Push, 1, true, 1},
		{"exempt does not count", m.PushExempt, 2, true, 2},
		{"second", m.Push, 3, true, 3},
		{"full", m.Push, 4, false, 3},
		{"exempt though full", m.PushExempt, 5, true, 4},
	}
	for _, s := range steps {
		if m.Overflowed() != (s.name == "exempt though full") {
			t.Errorf("%s: overflowed %v", s.name, m.Overflowed())
		}
		if got := s.push(s.v); got != s.want || m.Deepest() != s.waits {
			t.Errorf("%s: pushed %v, deepest %d", s.name, got, m.Deepest())
		}
	}
	batch := m.TakeAll(nil)
	for i, want := range []int{1, 2, 3, 5} {
		if batch[i] != want {
			t.Fatalf("batch %v", batch)
		}
	}
	if !m.Push(6) || !m.Overflowed() {
		t.Error("room is not free again, or the overflow is forgotten")
	}
	if batch := m.TakeAll(batch); len(batch) != 1 || batch[0] != 6 {
		t.Errorf("second batch %v", batch)
	}
}

func TestNoCap(t *testing.T) {
	m := actor.New[int](0)
	for i := range 1000 {
		if !m.Push(i) {
			t.Fatal("refused")
		}
	}
}

// TestClose: a mailbox closes only when empty, and then refuses everything.
func TestClose(t *testing.T) {
	m := actor.New[int](1)
	m.Push(1)
	if m.CloseIfEmpty() || m.Closed() {
		t.Fatal("closed with a message waiting")
	}
	m.TakeAll(nil)
	if !m.CloseIfEmpty() || !m.Closed() {
		t.Fatal("not closed")
	}
	if m.Push(2) || m.PushExempt(3) || m.Overflowed() || !m.CloseIfEmpty() {
		t.Error("a closed mailbox takes messages")
	}
}

// TestCloseFromOutside: Close wakes the reader, who still gets what waits.
func TestCloseFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := actor.New[int](0)
		woken := make(chan []int)
		// Ends when Close wakes it.
		go func() {
			<-m.Wake()
			woken <- m.TakeAll(nil)
		}()
		synctest.Wait()
		m.Close()
		if got := <-woken; len(got) != 0 {
			t.Errorf("got %v", got)
		}
		m = actor.New[int](0)
		m.Push(1)
		m.Close()
		if got := m.TakeAll(nil); len(got) != 1 || m.Push(2) {
			t.Errorf("got %v", got)
		}
	})
}

// TestNothingLost (rules 2 and 6): every push that returned true is taken, with
// pushers racing against the close.
func TestNothingLost(t *testing.T) {
	for range 50 {
		m := actor.New[int](0)
		var pushers sync.WaitGroup
		accepted := make([]int, 4)
		for p := range accepted {
			pushers.Go(func() {
				for m.Push(p) {
					accepted[p]++
				}
			})
		}
		taken := make([]int, len(accepted))
		var batch []int
		for n := 0; n < 100 || !m.CloseIfEmpty(); n++ {
			batch = m.TakeAll(batch)
			for _, p := range batch {
				taken[p]++
			}
		}
		pushers.Wait()
		for p := range accepted {
			if taken[p] != accepted[p] {
				t.Fatalf("pusher %d: %d accepted, %d taken", p, accepted[p], taken[p])
			}
		}
	}
}

// TestNoAllocations: posting and taking cost no memory once the two buffers
// have their size.
func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	m := actor.New[int](8)
	var batch []int
	allocs := testing.AllocsPerRun(1000, func() {
		m.Push(1)
		m.PushExempt(2)
		<-m.Wake()
		batch = m.TakeAll(batch)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestBurstForgotten: one burst does not cost memory for ever, and taken
// messages are not kept from the garbage collector.
func TestBurstForgotten(t *testing.T) {
	m := actor.New[*int](0)
	for range 10000 {
		m.Push(new(int))
	}
	burst := m.TakeAll(nil)
	small := m.TakeAll(burst)
	if burst[0] != nil || burst[9999] != nil {
		t.Error("taken messages are still referred to")
	}
	m.Push(nil)
	if again := m.TakeAll(small); cap(again) >= 10000 {
		t.Errorf("buffer of %d is kept", cap(again))
	}
}

// BenchmarkPost is one message from push to taken, without another goroutine.
func BenchmarkPost(b *testing.B) {
	m := actor.New[int](0)
	var batch []int
	b.ReportAllocs()
	for b.Loop() {
		m.Push(1)
		<-m.Wake()
		batch = m.TakeAll(batch)
	}
}

// BenchmarkAsk is a question and its answer across two goroutines.
func BenchmarkAsk(b *testing.B) {
	m := actor.New[chan struct{}](0)
	done := make(chan struct{})
	// Ends when the mailbox is closed at the end of the benchmark.
	go func() {
		defer close(done)
		var batch []chan struct{}
		for !m.Closed() {
			<-m.Wake()
			batch = m.TakeAll(batch)
			for _, answer := range batch {
				answer <- struct{}{}
			}
		}
	}()
	answer := make(chan struct{}, 1)
	b.ReportAllocs()
	for b.Loop() {
		m.Push(answer)
		<-answer
	}
	m.Close()
	<-done
}
