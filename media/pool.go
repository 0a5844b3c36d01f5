package media

import (
	"crypto/rand"
	"math/big"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// restTime is how long a pair is left alone after a session, in ns (M6).
const restTime = 2e9

// keepFor is how long a pair that nobody takes stays bound. Under load pairs come
// round sooner and keep their sockets; after it the descriptors are given back.
const keepFor = 30 * time.Second

// bindTries is how many pairs one session tries when others hold their ports.
const bindTries = 32

// budget is how many pairs the pools of an engine may have open together: each is
// two descriptors, and a process that has none left loses more than a call. A nil
// budget has no end.
type budget struct {
	most int64
	open atomic.Int64
}

func (b *budget) enter() bool {
	if b == nil {
		return true
	}
	if b.open.Add(1) <= b.most {
		return true
	}
	b.open.Add(-1)
	return false
}

func (b *budget) leave() {
	if b != nil {
		b.open.Add(-1)
	}
}

// socket is one bound UDP port. send is for the loop the port belongs to, the
// rest for whoever holds the pair.
type socket interface {
	// send passes a datagram to the network, or drops it when that is full.
	send(b []byte, to *target)
	// drain throws away what arrived while nobody listened.
	drain()
	close()
}

// pair is an even port for RTP and the next one for RTCP. Its sockets are opened
// when it is used and kept for keepFor after it: a port closed between two calls
// could be taken by another program, and its late packets would tell the sender
// so.
type pair struct {
	local     netip.AddrPort // of RTP
	rtp, rtcp socket         // nil before the first use
	freed     int64          // when it came back; 0 if never used
	old       quarantine     // who used it last
}

// pool holds the pairs of one media address.
type pool struct {
	addr  netip.Addr
	first int // lowest RTP port
	open  func(netip.AddrPort) (socket, error)
	clock func() int64
	limit *budget // shared by the pools of an engine

	mu sync.Mutex
	// reaper closes what nobody takes; nil while no free pair is bound.
	reaper *time.Timer
	free   []*pair // by freed, longest ago first
	pairs  []*pair // all, by port
	bound  []bool  // by port; read by owns
	used   int
	closed bool
}

// newPool makes a pool of the pairs within lo..hi; nothing is opened yet.
func newPool(addr netip.Addr, lo, hi int, limit *budget, clock func() int64, open func(netip.AddrPort) (socket, error)) *pool {
	p := &pool{addr: addr, first: (lo + 1) &^ 1, open: open, clock: clock, limit: limit}
	for port := p.first; port < hi; port += 2 {
		x := &pair{local: netip.AddrPortFrom(addr, uint16(port))}
		p.pairs, p.free = append(p.pairs, x), append(p.free, x)
	}
	p.bound = make([]bool, len(p.pairs))
	return p
}

// take gives a bound and drained pair, a random one of the oldest free quarter
// among those that rested (M6), or ErrNoPorts, or ErrClosed after close.
func (p *pool) take(now int64) (*pair, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	for range bindTries {
		x := p.pick(now)
		if x == nil {
			return nil, ErrNoPorts
		}
		if x.rtp == nil && !p.makeRoom() {
			p.free = append(p.free, x)
			return nil, ErrNoPorts
		}
		if p.bind(x) {
			x.rtp.drain()
			x.rtcp.drain()
			p.used++
			return x, nil
		}
		x.freed = now // another program's: it may be free later
		p.free = append(p.free, x)
	}
	return nil, ErrNoPorts
}

// pick takes a pair out of the free list, nil when none rested.
func (p *pool) pick(now int64) *pair {
	quarter := (len(p.free) + 3) / 4
	rested := 0
	for rested < quarter {
		if f := p.free[rested].freed; f != 0 && now-f < restTime {
			break
		}
		rested++
	}
	if rested == 0 {
		return nil
	}
	// Never fails: crypto/rand ends the program instead.
	n, _ := rand.Int(rand.Reader, big.NewInt(int64(rested)))
	i := int(n.Int64())
	x := p.free[i]
	copy(p.free[1:i+1], p.free[:i])
	p.free[0] = nil
	p.free = p.free[1:]
	return x
}

// makeRoom enters another open pair into the budget, at the cost of the one that
// was left alone longest if there is no other way.
func (p *pool) makeRoom() bool {
	if p.limit.enter() {
		return true
	}
	for _, x := range p.free {
		if x.rtp != nil {
			p.release(x)
			return p.limit.enter()
		}
	}
	return false
}

// bind opens what is not open yet; a pair that is has been entered into the
// budget.
func (p *pool) bind(x *pair) bool {
	if x.rtp != nil {
		return true
	}
	rtp, err := p.open(x.local)
	if err != nil {
		p.limit.leave()
		return false
	}
	rtcp, err := p.open(netip.AddrPortFrom(x.local.Addr(), x.local.Port()+1))
	if err != nil {
		rtp.close()
		p.limit.leave()
		return false
	}
	x.rtp, x.rtcp = rtp, rtcp
	p.bound[p.index(x)] = true
	return true
}

// release closes the sockets of a pair.
func (p *pool) release(x *pair) {
	x.rtp.close()
	x.rtcp.close()
	x.rtp, x.rtcp = nil, nil
	p.bound[p.index(x)] = false
	p.limit.leave()
}

func (p *pool) index(x *pair) int { return (int(x.local.Port()) - p.first) / 2 }

// reap closes the pairs that nobody took for keepFor.
func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaper = nil
	now := p.clock()
	for _, x := range p.free {
		if x.rtp == nil {
			continue
		}
		if left := x.freed + int64(keepFor) - now; left > 0 {
			p.reaper = time.AfterFunc(time.Duration(left), p.reap)
			return
		}
		p.release(x)
	}
}

// put returns a pair.
func (p *pool) put(x *pair, now int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x.freed = max(now, 1)
	p.free = append(p.free, x)
	p.used--
	if p.reaper == nil && !p.closed {
		p.reaper = time.AfterFunc(keepFor, p.reap)
	}
}

// owns tells whether one of our bound sockets has this address. Sending there
// would make a loop inside the switch.
func (p *pool) owns(a netip.AddrPort) bool {
	i := (int(a.Port()) - p.first) / 2
	if a.Addr() != p.addr || int(a.Port()) < p.first || i >= len(p.bound) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bound[i]
}

// count tells how many pairs are free and in use.
func (p *pool) count() (free, used int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.free), p.used
}

// close closes all sockets; no session may be left.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.reaper != nil {
		p.reaper.Stop()
	}
	for i, x := range p.pairs {
		if p.bound[i] {
			p.release(x)
		}
	}
	p.free = nil
}
