package actor

import (
	"runtime"
	"time"
)

const (
	// StuckAfter is how long an actor may be at one batch (L9).
	StuckAfter = 10 * time.Second
	// dumpsApart keeps a machine that is stuck again and again from filling its
	// disk with stacks.
	dumpsApart = time.Hour
	dumpBytes  = 1 << 20
)

// Progress is what an actor had done when it was last looked at. The zero value
// has not looked yet. For one goroutine at a time.
type Progress struct {
	done  uint64
	since time.Time
	stuck bool
}

// Stuck compares with the look before: done is how much the actor has done since
// it was made, busy whether there is something it should be doing. It returns true
// once each time that the actor has been busy for StuckAfter with nothing done.
func (p *Progress) Stuck(done uint64, busy bool, now time.Time) bool {
	if done != p.done || !busy || p.since.IsZero() {
		*p = Progress{done: done, since: now}
		return false
	}
	if p.stuck || now.Sub(p.since) < StuckAfter {
		return false
	}
	p.stuck = true
	return true
}

// Dumps writes down what everybody is doing, once an hour at most. For one
// goroutine at a time.
type Dumps struct{ last time.Time }

// Stacks returns the stacks of all goroutines, up to 1 MiB, or "" if it did less
// than an hour ago.
func (d *Dumps) Stacks(now time.Time) string {
	if !d.last.IsZero() && now.Sub(d.last) < dumpsApart {
		return ""
	}
	d.last = now
	b := make([]byte, dumpBytes)
	return string(b[:runtime.Stack(b, true)])
}
