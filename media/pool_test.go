package media

import (
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPoolTakesTheOldest(t *testing.T) {
	opened := map[netip.AddrPort]int{}
	taken := netip.AddrPortFrom(here, 20005)
	p := newPool(here, 20001, 20201, nil, func() int64 { return 0 }, func(a netip.AddrPort) (socket, error) {
		if a == taken {
			return nil, errors.New("another program's")
		}
		opened[a]++
		return &wire{}, nil
	})
	if free := p.unbound; len(free) != 100 || free[0].local.Port() != 20002 || free[99].local.Port() != 20200 {
		t.Fatalf("%d pairs from %v", len(free), free[0].local)
	}
	now := int64(1e9)
	varied := map[string]bool{}
	for range 400 {
		var free []int64 // when those that are bound came back
		for _, x := range p.pairs {
			if x.rtp != nil {
				free = append(free, x.freed)
			}
		}
		slices.Sort(free)
		x, err := p.take(now, false)
		if err != nil {
			t.Fatal(err)
		}
		if at, bound := slices.BinarySearch(free, x.freed); bound && at > len(free)/4+1 {
			t.Fatalf("pair %d of %d was taken", at, len(free))
		}
		if x.freed != 0 && now-x.freed < restTime {
			t.Fatal("a pair did not rest")
		}
		varied[x.local.String()] = true
		p.put(x, now)
		now += 1e9
	}
	if len(varied) < 50 {
		t.Errorf("only %d of 100 pairs were used", len(varied))
	}
	for a, n := range opened {
		if n != 1 && a.Port() != taken.Port()-1 {
			t.Errorf("%s was opened %d times", a, n)
		}
	}
	if free, used := p.count(); free != 100 || used != 0 {
		t.Errorf("%d free, %d used", free, used)
	}
}

// TestBoundPairsAreUsedAgain: under a steady load sockets are opened until what
// comes back has rested, and then no more; and never are there but a few to choose
// from.
func TestBoundPairsAreUsedAgain(t *testing.T) {
	opened := 0
	p := newPool(here, 20000, 39999, nil, func() int64 { return 0 }, func(netip.AddrPort) (socket, error) {
		opened++
		return &wire{}, nil
	})
	defer p.close()
	now := int64(1e9)
	varied := map[*pair]bool{}
	for i := range 10000 { // 100 a second
		if i == 5000 {
			clear(varied)
			opened = 0
		}
		x, err := p.take(now, false)
		if err != nil {
			t.Fatal(err)
		}
		varied[x] = true
		p.put(x, now)
		now += 1e7
	}
	if opened > 100 || len(varied) < 200 {
		t.Errorf("%d sockets opened by 5000 calls after the first minute, %d pairs used", opened, len(varied))
	}
}

// TestShortCalls: 3,000 calls a second of half a second each find their ports among
// 7,500 pairs, and at 300 a second every pair rests as long as it should.
func TestShortCalls(t *testing.T) {
	const lasts = 500 // ms
	for _, c := range []struct {
		perMS float64 // sessions
		rest  int64   // at least
	}{{0.6, restTime}, {6, shortRest}} {
		p := newPool(here, 16384, 32767, &budget{most: 7500}, func() int64 { return 0 }, func(netip.AddrPort) (socket, error) { return &wire{}, nil })
		var used [lasts][]*pair // by the ms they are given back in
		due := 0.0
		for ms := range 8000 {
			now := int64(ms+1) * 1e6
			ending := &used[ms%lasts]
			for _, x := range *ending {
				p.put(x, now)
			}
			*ending = (*ending)[:0]
			for due += c.perMS; due >= 1; due-- {
				x, err := p.take(now, false)
				if err != nil {
					t.Fatalf("%v sessions a ms: %v after %d ms", c.perMS, err, ms)
				}
				if x.freed != 0 && now-x.freed < c.rest {
					t.Fatalf("%v sessions a ms: a pair rested for %d ms", c.perMS, (now-x.freed)/1e6)
				}
				*ending = append(*ending, x)
			}
		}
		p.close()
	}
}

func TestIdlePairsAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		clock := func() int64 { return int64(time.Since(begin)) + 1e9 }
		var open atomic.Int64
		p := newPool(here, 20000, 20099, nil, clock, func(netip.AddrPort) (socket, error) {
			open.Add(1)
			return &countedSocket{open: &open}, nil
		})
		var used [3]*pair
		for i := range used {
			x, err := p.take(clock(), false)
			if err != nil {
				t.Fatal(err)
			}
			used[i] = x
		}
		p.put(used[0], clock())
		time.Sleep(keepFor / 2)
		p.put(used[1], clock())
		time.Sleep(keepFor/2 + time.Second)
		synctest.Wait()
		if open.Load() != 4 || p.owns(used[0].local) || !p.owns(used[1].local) {
			t.Errorf("%d sockets open after the first pair's time, want those of the second and the one in use", open.Load())
		}
		time.Sleep(keepFor)
		synctest.Wait()
		if open.Load() != 2 || !p.owns(used[2].local) || p.reaper != nil {
			t.Errorf("%d sockets open, want the pair in use", open.Load())
		}
		p.put(used[2], clock())
		p.close()
		if open.Load() != 0 {
			t.Errorf("%d sockets open after close", open.Load())
		}
	})
}

// TestBudget: pools share what may be open; a pair nobody uses gives way to a new
// one, a pair in use never does.
func TestBudget(t *testing.T) {
	var open atomic.Int64
	now := int64(1e9)
	limit := &budget{most: 3}
	var pools []*pool
	for _, first := range []int{20000, 30000} {
		pools = append(pools, newPool(here, first, first+99, limit, func() int64 { return now }, func(netip.AddrPort) (socket, error) {
			open.Add(1)
			return &countedSocket{open: &open}, nil
		}))
	}
	var used []*pair
	for i := range 3 {
		x, err := pools[i%2].take(now, false)
		if err != nil {
			t.Fatal(err)
		}
		used = append(used, x)
	}
	if x, err := pools[0].take(now, false); !errors.Is(err, ErrNoPorts) {
		t.Errorf("a fourth pair: %v, %v", x, err)
	}
	pools[0].put(used[0], now)
	x, err := pools[0].take(now, false)
	if err != nil || open.Load() != 6 {
		t.Errorf("after one came back: %v, %d sockets open", err, open.Load())
	}
	if x == used[0] {
		t.Error("a pair was taken again before it had rested")
	}
	for _, p := range pools {
		p.close()
	}
	if open.Load() != 0 || limit.open.Load() != 0 {
		t.Errorf("%d sockets open, %d pairs in the budget", open.Load(), limit.open.Load())
	}
}

// countedSocket counts itself out when it closes.
type countedSocket struct{ open *atomic.Int64 }

func (*countedSocket) send([]byte, *target) {}
func (s *countedSocket) close()             { s.open.Add(-1) }

// TestPoolAllocatesNothing: once its pairs are open, a call costs the pool no memory.
func TestPoolAllocatesNothing(t *testing.T) {
	p := newPool(here, 20000, 29999, nil, func() int64 { return 0 }, func(netip.AddrPort) (socket, error) { return &wire{}, nil })
	defer p.close()
	now := int64(1e9)
	turn := func() {
		x, err := p.take(now, false)
		if err != nil {
			t.Fatal(err)
		}
		p.put(x, now)
		now += 1e8
	}
	for range 2000 {
		turn()
	}
	if n := testing.AllocsPerRun(1000, turn); n > 0.1 {
		t.Errorf("%v allocations", n)
	}
}

// TestSpare (F8): the last pairs are for urgent sessions, and an urgent one does
// not wait for a pair to rest.
func TestSpare(t *testing.T) {
	for _, c := range []struct {
		name            string
		last            int // port
		limit           *budget
		ordinary, spare int
	}{
		{"of the range", 20063, nil, 30, 2},
		{"of the budget", 29999, &budget{most: 32}, 30, 2},
		{"small range", 20019, nil, 10, 0},
		{"large range", 20999, nil, 484, 16},
	} {
		now := int64(1e9)
		p := newPool(here, 20000, c.last, c.limit, func() int64 { return now }, func(netip.AddrPort) (socket, error) { return &wire{}, nil })
		fill := func(urgent bool) (taken []*pair) {
			for {
				x, err := p.take(now, urgent)
				if err != nil {
					return taken
				}
				taken = append(taken, x)
			}
		}
		if got := fill(false); len(got) != c.ordinary {
			t.Errorf("%s: %d ordinary pairs, want %d", c.name, len(got), c.ordinary)
		}
		last := fill(true)
		if len(last) != c.spare {
			t.Errorf("%s: %d urgent pairs, want %d", c.name, len(last), c.spare)
		}
		for _, x := range last {
			p.put(x, now)
		}
		if got := len(fill(false)); got != 0 {
			t.Errorf("%s: %d of the spare pairs went to others", c.name, got)
		}
		if got := len(fill(true)); got != c.spare {
			t.Errorf("%s: %d urgent pairs that have not rested, want %d", c.name, got, c.spare)
		}
		p.close()
	}
}
