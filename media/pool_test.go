package media

import (
	"errors"
	"net/netip"
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
	free := p.free
	if len(free) != 100 || free[0].local.Port() != 20002 || free[99].local.Port() != 20200 {
		t.Fatalf("%d pairs from %v", len(free), free[0].local)
	}
	now := int64(1e9)
	varied := map[string]bool{}
	for range 400 {
		order := append([]*pair(nil), p.free...)
		x, err := p.take(now)
		if err != nil {
			t.Fatal(err)
		}
		for i, y := range order {
			if x == y && i >= 25+2 { // two ports of another program may have gone to the end
				t.Fatalf("pair %d of %d was taken", i, len(order))
			}
		}
		if x.freed != 0 && now-x.freed < restTime {
			t.Fatal("a pair did not rest")
		}
		varied[x.local.String()] = true
		p.put(x, now)
		for i := 1; i < len(p.free); i++ {
			if p.free[i-1].freed > p.free[i].freed {
				t.Fatal("the free list is out of order")
			}
		}
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

func TestIdlePairsAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		clock := func() int64 { return int64(time.Since(begin)) + 1e9 }
		var open atomic.Int64
		p := newPool(here, 20000, 20099, nil, clock, func(netip.AddrPort) (socket, error) {
			open.Add(1)
			return &countedSocket{open: &open}, nil
		})
		take := func() *pair {
			x, err := p.take(clock())
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		a, b := take(), take()
		p.put(a, clock())
		time.Sleep(keepFor / 2)
		synctest.Wait()
		p.put(b, clock())
		c := take()
		time.Sleep(keepFor/2 + time.Second)
		synctest.Wait()
		if open.Load() != 4 || p.owns(a.local) || !p.owns(b.local) {
			t.Errorf("%d sockets open after the first pair's time, want those of the second and the one in use", open.Load())
		}
		time.Sleep(keepFor)
		synctest.Wait()
		if open.Load() != 2 || !p.owns(c.local) {
			t.Errorf("%d sockets open, want the pair in use", open.Load())
		}
		p.put(c, clock())
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
		x, err := pools[i%2].take(now)
		if err != nil {
			t.Fatal(err)
		}
		used = append(used, x)
	}
	if x, err := pools[0].take(now); !errors.Is(err, ErrNoPorts) {
		t.Errorf("a fourth pair: %v, %v", x, err)
	}
	pools[0].put(used[0], now)
	x, err := pools[0].take(now)
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
func (*countedSocket) drain()               {}
func (s *countedSocket) close()             { s.open.Add(-1) }
