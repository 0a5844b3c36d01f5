package sip

import "sync"

// couriers are the targets to which stored messages are being carried, one at a
// time each; true when the target registered meanwhile. away counts the attempts of
// which a phone has yet to say its word, stored message or not.
type couriers struct {
	mu   sync.Mutex
	busy map[int64]bool
	away map[int64]int
}

// left notes an attempt that begins, back one that has ended.
func (c *couriers) left(target int64) { c.count(target, 1) }
func (c *couriers) back(target int64) { c.count(target, -1) }

func (c *couriers) count(target int64, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away == nil {
		c.away = map[int64]int{}
	}
	if c.away[target] += n; c.away[target] == 0 {
		delete(c.away, target)
	}
}

// all is how many attempts are under way.
func (c *couriers) all() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.away {
		n += k
	}
	return n
}

// out is how many are under way to a target.
func (c *couriers) out(target int64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away[target]
}

// begin reports whether nobody is on the way to target.
func (c *couriers) begin(target int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, on := c.busy[target]; on {
		c.busy[target] = true
		return false
	}
	if c.busy == nil {
		c.busy = map[int64]bool{}
	}
	c.busy[target] = false
	return true
}

// end reports whether target registered meanwhile.
func (c *couriers) end(target int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	again := c.busy[target]
	delete(c.busy, target)
	return again
}
