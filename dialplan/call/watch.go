package call

import "time"

// watchEvery is how often running calls are looked at.
const watchEvery = 5 * time.Second

// watch keeps the calls looked at while there are any; the lock is held.
func (r *Registry) watch() {
	if r.watching {
		return
	}
	r.watching = true
	time.AfterFunc(watchEvery, r.look)
}

// look notes the calls whose mailbox makes no progress (L9), and comes again if
// there are calls left.
func (r *Registry) look() {
	now := time.Now()
	for _, c := range r.running() {
		if rounds, busy := c.box.Rounds(); c.progress.Stuck(rounds, busy, now) {
			r.stats.stuck.Add(1)
			c.log().Error("a call is stuck", "stacks", r.dumps.Stacks(now))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watching = false
	if len(r.calls) > 0 {
		r.watch()
	}
}
