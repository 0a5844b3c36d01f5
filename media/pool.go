package media

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// restTime is how long a pair is left alone after a session, in ns (M6). shortRest
// is how long at least while there is no other pair: a phone that missed its BYE has
// got it again by then (RFC 3261 timer T1), and what it still sends is told from the
// next call's packets, see quarantine. With 7500 pairs 3,000 calls a second of half a
// second each go on; with restTime alone 1,500 would.
const (
	restTime  = 2e9
	shortRest = 6e8
)

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
	used atomic.Int64
}

// spareMost bounds what is kept for urgent sessions.
const spareMost = 16

// spare is how many of so many pairs are kept for urgent sessions.
func spare(of int) int { return min(of/16, spareMost) }

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

// low tells that what is left is for urgent sessions.
func (b *budget) low() bool {
	return b != nil && b.used.Load() >= b.most-int64(spare(int(b.most)))
}

// use notes that n more pairs are in use.
func (b *budget) use(n int64) {
	if b != nil {
		b.used.Add(n)
	}
}

// socket is one bound UDP port. send is for the loop the port belongs to, the
// rest for whoever holds the pair.
type socket interface {
	// send passes a datagram to the network, or drops it when that is full.
	send(b []byte, to *target)
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
	// home is the loop that reads the ports, also between two sessions: what comes
	// then is thrown away. nil while none does. It belongs to whoever has the pair.
	home *loop
}

// pool holds the pairs of one media address. Those that are free and bound are
// used again before others are bound: opening sockets costs more than all else a
// session does. They stand in two lists, so that nothing is moved about: oldest
// holds a quarter of them, all of which have rested for longer than those of resting.
type pool struct {
	addr  netip.Addr
	first int // lowest RTP port
	open  func(netip.AddrPort) (socket, error)
	clock func() int64
	limit *budget // shared by the pools of an engine

	mu sync.Mutex
	// reaper closes what nobody takes; nil while no free pair is bound.
	reaper  *time.Timer
	resting queue   // free and bound, by freed
	oldest  []*pair // free and bound, rested, in no order
	unbound []*pair // free, in no order
	freshAt int64   // no pair of unbound has rested before
	pairs   []*pair // all, by port
	bound   []bool  // by port; read by owns
	used    int
	closed  bool
}

// newPool makes a pool of the pairs within lo..hi; nothing is opened yet.
func newPool(addr netip.Addr, lo, hi int, limit *budget, clock func() int64, open func(netip.AddrPort) (socket, error)) *pool {
	p := &pool{addr: addr, first: (lo + 1) &^ 1, open: open, clock: clock, limit: limit}
	for port := p.first; port < hi; port += 2 {
		x := &pair{local: netip.AddrPortFrom(addr, uint16(port))}
		p.pairs, p.unbound = append(p.pairs, x), append(p.unbound, x)
	}
	p.bound = make([]bool, len(p.pairs))
	return p
}

// take gives a bound pair, a random one of the oldest free quarter
// among those that rested (M6), the one that rested longest while there are none, or
// ErrNoPorts, or ErrClosed after close. An urgent session may have the last ones, and
// one that has not rested at all if nothing else is left.
func (p *pool) take(now int64, urgent bool) (*pair, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	if !urgent && (p.used >= len(p.pairs)-spare(len(p.pairs)) || p.limit.low()) {
		return nil, ErrNoPorts
	}
	for range bindTries {
		x := p.pick(now)
		if x == nil && p.resting.len() > 0 && now-p.resting.first().freed >= shortRest {
			x = p.resting.pop()
		}
		if x == nil && urgent {
			x = p.pick(now + restTime)
		}
		if x == nil {
			return nil, ErrNoPorts
		}
		if p.bind(x) {
			p.used++
			p.limit.use(1)
			return x, nil
		}
		x.freed = now // another program's: it may be free later
		p.unbound = append(p.unbound, x)
	}
	return nil, ErrNoPorts
}

// choices is how many pairs there are to choose from at least, while the range
// and the budget allow: a small pool would give the same ports again and again.
const choices = 32

// pick takes a free pair out of the lists, nil when none rested. One that is not
// bound has been entered into the budget. The generator of math/rand/v2 is a
// stream cipher under a key of the system: nobody outside can tell what comes.
func (p *pool) pick(now int64) *pair {
	p.ripen(now)
	i := rand.IntN(max(len(p.oldest), choices))
	if i < len(p.oldest) {
		return drawOut(&p.oldest, i)
	}
	if at := p.fresh(now); at >= 0 && p.makeRoom() {
		return drawOut(&p.unbound, at)
	}
	if n := len(p.oldest); n > 0 {
		return drawOut(&p.oldest, i%n)
	}
	return nil
}

// fresh is the place of a pair that is not bound and rested, -1 without one.
func (p *pool) fresh(now int64) int {
	n := len(p.unbound)
	if n == 0 || now < p.freshAt {
		return -1
	}
	first := rand.IntN(n)
	p.freshAt = now + restTime
	for i := range n {
		at := (first + i) % n
		rested := p.unbound[at].freed + restTime
		if p.unbound[at].freed == 0 || now >= rested {
			p.freshAt = 0
			return at
		}
		p.freshAt = min(p.freshAt, rested)
	}
	return -1
}

// ripen fills up the oldest quarter with what rested.
func (p *pool) ripen(now int64) {
	for 3*len(p.oldest) < p.resting.len() && now-p.resting.first().freed >= restTime {
		p.oldest = append(p.oldest, p.resting.pop())
	}
}

// drawOut takes one of a list that has no order.
func drawOut(list *[]*pair, i int) *pair {
	l := *list
	last := len(l) - 1
	x := l[i]
	l[i], l[last] = l[last], nil
	*list = l[:last]
	return x
}

// makeRoom enters another open pair into the budget, at the cost of the one that
// was left alone longest if none can be taken as it is.
func (p *pool) makeRoom() bool {
	if p.limit.enter() {
		return true
	}
	if len(p.oldest) > 0 || p.resting.len() == 0 {
		return false
	}
	p.retire(p.resting.pop())
	return p.limit.enter()
}

// retire closes a free pair.
func (p *pool) retire(x *pair) {
	p.release(x)
	p.unbound = append(p.unbound, x)
	p.freshAt = min(p.freshAt, x.freed+restTime)
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
	shut := &pair{rtp: x.rtp, rtcp: x.rtcp, home: x.home}
	x.rtp, x.rtcp, x.home = nil, nil, nil
	if shut.home == nil || !shut.home.note(errand{fn: shut.close}, later) {
		shut.closeNow()
	}
	p.bound[p.index(x)] = false
	p.limit.leave()
}

// close closes the sockets of a pair on the loop that reads them: nobody must read
// a descriptor that may be another file by then.
func (x *pair) close() {
	x.home.io.release(x)
	x.closeNow()
}

func (x *pair) closeNow() {
	x.rtp.close()
	x.rtcp.close()
}

func (p *pool) index(x *pair) int { return (int(x.local.Port()) - p.first) / 2 }

// reap closes the pairs that nobody took for keepFor, about.
func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaper = nil
	late := p.clock() - int64(keepFor)
	for i := len(p.oldest) - 1; i >= 0; i-- {
		if p.oldest[i].freed <= late {
			p.retire(drawOut(&p.oldest, i))
		}
	}
	for p.resting.len() > 0 && p.resting.first().freed <= late {
		p.retire(p.resting.pop())
	}
	if len(p.oldest)+p.resting.len() > 0 {
		p.reaper = time.AfterFunc(keepFor/4, p.reap)
	}
}

// put returns a pair.
func (p *pool) put(x *pair, now int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x.freed = max(now, 1)
	p.resting.push(x)
	p.used--
	p.limit.use(-1)
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
	return len(p.unbound) + len(p.oldest) + p.resting.len(), p.used
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
	p.unbound, p.oldest, p.resting = nil, nil, queue{}
}

// queue is a list of pairs that grows at one end and shrinks at the other.
type queue struct {
	ring    []*pair
	head, n int
}

func (q *queue) len() int { return q.n }

// first is the one pushed longest ago; there is one.
func (q *queue) first() *pair { return q.ring[q.head] }

func (q *queue) push(x *pair) {
	if q.n == len(q.ring) {
		ring := make([]*pair, max(16, 2*q.n))
		copy(ring[copy(ring, q.ring[q.head:]):], q.ring[:q.head])
		q.ring, q.head = ring, 0
	}
	q.ring[(q.head+q.n)%len(q.ring)] = x
	q.n++
}

func (q *queue) pop() *pair {
	x := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	return x
}
