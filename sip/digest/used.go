package digest

import (
	"sync"
	"sync/atomic"
)

const (
	usedShards = 16
	// usedSlots hold the nonces of one sixth of a nonce's life each, so a ring
	// of eight never meets a slot whose nonces still live.
	usedSlots    = 8
	slotsPerLife = 6
)

// used remembers which counts of which nonces were seen. A nonce enters with its
// first right digest, so only who knows a password can fill it. It leaves with
// the slot of its time of issue, all at once.
type used struct {
	slotLen  int64 // milliseconds
	perShard int
	newest   atomic.Int64 // last slot seen by sweep
	shards   [usedShards]usedShard
}

type usedShard struct {
	mu    sync.Mutex
	count int
	// floor makes nonces issued before it stale: their state was given up.
	floor int64
	slots [usedSlots]usedSlot
}

type usedSlot struct {
	index  int64 // issue time / slotLen
	latest int64 // issue time of the youngest nonce in seen
	seen   map[uint64]counts
}

// counts are the seen nonce counts: high and the 63 before it. Requests of one
// phone may overtake each other on UDP, so a lower count that was not used yet
// is still good.
type counts struct {
	window uint64 // bit i: high-i was used
	high   uint32
}

func newUsed(lifeMillis int64, limit int) *used {
	return &used{
		slotLen:  max(1, (lifeMillis+slotsPerLife-1)/slotsPerLife),
		perShard: max(1, limit/usedShards),
	}
}

// take marks count of nonce n as used; 0 stands for a request without qop, which
// uses up the whole nonce. It reports false if it was used before or what was
// seen of the nonce is forgotten.
func (u *used) take(n issued, count uint32) bool {
	sh := &u.shards[n.id%usedShards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if n.at < sh.floor {
		return false
	}
	slot := sh.slot(n.at / u.slotLen)
	c, known := slot.seen[n.id]
	if !known {
		for sh.count >= u.perShard {
			sh.giveUpOldest()
		}
		if n.at < sh.floor {
			return false
		}
		slot = sh.slot(n.at / u.slotLen)
		sh.count++
	}
	if !c.take(known, count) {
		return false
	}
	if slot.seen == nil {
		slot.seen = map[uint64]counts{}
	}
	slot.seen[n.id] = c
	slot.latest = max(slot.latest, n.at)
	return true
}

func (c *counts) take(known bool, count uint32) bool {
	const all = ^uint64(0)
	switch {
	case count == 0 && known:
		return false
	case count == 0:
		c.high, c.window = ^uint32(0), all
	case !known || count > c.high:
		if shift := count - c.high; shift < 64 {
			c.window <<= shift
		} else {
			c.window = 0
		}
		c.window |= 1
		c.high = count
	default:
		back := c.high - count
		if back > 63 || c.window&(1<<back) != 0 {
			return false
		}
		c.window |= 1 << back
	}
	return true
}

// slot finds the slot of a time, emptying what stood there a ring ago.
func (sh *usedShard) slot(index int64) *usedSlot {
	s := &sh.slots[index%usedSlots]
	if s.index != index {
		sh.count -= len(s.seen)
		s.index, s.latest, s.seen = index, 0, nil
	}
	return s
}

// giveUpOldest forgets the oldest slot in use. Every nonce up to its youngest
// becomes stale, so nothing of it can be replayed.
func (sh *usedShard) giveUpOldest() {
	var oldest *usedSlot
	for i := range sh.slots {
		s := &sh.slots[i]
		if len(s.seen) > 0 && (oldest == nil || s.index < oldest.index) {
			oldest = s
		}
	}
	if oldest == nil {
		sh.count = 0
		return
	}
	sh.count -= len(oldest.seen)
	oldest.seen = nil
	sh.floor = max(sh.floor, oldest.latest+1)
}

// sweep frees slots whose nonces have all expired. It is called with every
// challenge and does something once a slot.
func (u *used) sweep(nowMillis int64) {
	now := nowMillis / u.slotLen
	last := u.newest.Load()
	if now <= last || !u.newest.CompareAndSwap(last, now) {
		return
	}
	for i := range u.shards {
		sh := &u.shards[i]
		sh.mu.Lock()
		for j := range sh.slots {
			if s := &sh.slots[j]; s.seen != nil && s.index < now-slotsPerLife {
				sh.count -= len(s.seen)
				s.seen = nil
			}
		}
		sh.mu.Unlock()
	}
}

// len is the number of remembered nonces.
func (u *used) len() int {
	n := 0
	for i := range u.shards {
		u.shards[i].mu.Lock()
		n += u.shards[i].count
		u.shards[i].mu.Unlock()
	}
	return n
}
