package call

import (
	"slices"
	"time"
)

// timer is a deadline of a call; one that is set again or stopped is no deadline any
// more, whatever is in the mailbox already. Loop only.
type timer struct {
	due     time.Time // zero: not set
	expired func(*Call)
}

// clock wakes a call when the first of its deadlines has come. Most never come, so all
// share one timer of the runtime, which is only ever set to an earlier time: when it
// goes off and nothing is due, it is set again. Loop only, but for wakes going off.
type clock struct {
	timers []*timer // that are set
	room   [3]*timer
	wakes  *time.Timer // nil until it is needed
	at     time.Time   // when it goes off; zero: it does not
}

// arm has expired run in the loop after d.
func (c *Call) arm(t *timer, d time.Duration, expired func(*Call)) {
	if t.due.IsZero() {
		c.clock.timers = append(c.clock.timers, t)
	}
	t.due, t.expired = c.now.Add(d), expired
}

// disarm stops a timer, if it is set.
func (c *Call) disarm(t *timer) {
	if t.due.IsZero() {
		return
	}
	*t = timer{}
	at := slices.Index(c.clock.timers, t)
	c.clock.timers = slices.Delete(c.clock.timers, at, at+1)
}

// first is the timer that is due first, nil if none is set.
func (k *clock) first() *timer {
	var first *timer
	for _, t := range k.timers {
		if first == nil || t.due.Before(first.due) {
			first = t
		}
	}
	return first
}

// wind sets the clock by what a turn of the loop has armed and disarmed.
func (c *Call) wind() {
	k := &c.clock
	switch t := k.first(); {
	case t == nil || c.state == StateEnded:
		if !k.at.IsZero() {
			k.wakes.Stop()
			k.at = time.Time{}
		}
	case k.at.IsZero() || t.due.Before(k.at):
		k.at = t.due
		if k.wakes != nil {
			k.wakes.Reset(time.Until(t.due))
			return
		}
		k.wakes = time.AfterFunc(time.Until(t.due), func() {
			c.box.PushExempt(tick{}) // exempt: a full mailbox must not keep a call from ending
			c.run()
		})
	}
}

// tick says that the clock went off.
type tick struct{}

func (tick) handle(c *Call) {
	c.clock.at = time.Time{}
	for t := c.clock.first(); t != nil && !t.due.After(c.now); t = c.clock.first() {
		expired := t.expired
		c.disarm(t)
		expired(c)
	}
}
