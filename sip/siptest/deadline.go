package siptest

import (
	"sync"
	"time"
)

// deadline is a point in time after which waits on a sync.Cond give up. Its
// fields are guarded by the Cond's lock.
type deadline struct {
	timer   *time.Timer
	gen     int
	expired bool
}

// set moves the deadline; the zero time takes it away. The lock of cond is held.
func (d *deadline) set(t time.Time, cond *sync.Cond) {
	d.stop()
	d.expired = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.expired = true
		cond.Broadcast()
		return
	}
	gen := d.gen
	d.timer = time.AfterFunc(wait, func() {
		cond.L.Lock()
		defer cond.L.Unlock()
		// A timer that fired while it was being replaced is of no concern.
		if d.gen == gen {
			d.expired = true
			cond.Broadcast()
		}
	})
}

func (d *deadline) stop() {
	d.gen++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
