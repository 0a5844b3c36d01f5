package sip_test

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip"
)

// TestFirstNotifyOnce: whatever is said to have changed while a SUBSCRIBE is being
// stored, repeated and answered, its state goes out once, and again only when it is
// another one. That it goes out again at all is proved by the last part.
func TestFirstNotifyOnce(t *testing.T) {
	for _, delay := range []time.Duration{0, ms(1), ms(700)} { // the last lets the phone repeat its SUBSCRIBE
		st := &slowSubscriptions{delay: delay}
		inLamps(t, func(e *edge, l *lamps) {
			a := e.phone("101")
			l.set(e, 2, 7)
			for at := range 200 {
				time.AfterFunc(time.Duration(at)*ms(10), func() { e.srv.Changed("lamp", 2) })
			}
			s, err := a.Subscribe(e.ctx, "lamp", "102", time.Hour)
			e.must(err)
			e.has(e.notify(s, "active"), "is 7")
			time.Sleep(5 * time.Second)
			if n := len(s.Notified()); n != 1 {
				t.Errorf("%d NOTIFYs of one state, with a store that takes %v", n, delay)
			}
			l.set(e, 2, 8)
			e.has(e.notify(s, "active"), "is 8")
			e.quiet(s)
		}, func(c *sip.Config) { c.Events.Subscriptions = st })
	}
}
