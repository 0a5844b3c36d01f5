package sip

import (
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call/calltest"
	"github.com/cordpair/cordpair/sip/event"
)

// TestClockIsSet (L6): a timer fires, an answer is kept and a NOTIFY waits as long as if
// nobody had set the wall clock meanwhile.
func TestClockIsSet(t *testing.T) {
	const years = 10 * 365 * 24 * time.Hour
	for _, step := range []time.Duration{time.Hour, -time.Hour, years, -years} {
		begin := time.Now()
		at := func(after time.Duration) time.Time { return calltest.SetClock(begin.Add(after), step) }

		fired := false
		var timer timer
		w := newWheel(begin)
		w.set(&timer, begin, time.Minute, wakeFunc(func() { fired = true }))
		w.advance(at(59 * time.Second))
		if wait, _ := w.next(at(59 * time.Second)); fired || wait < time.Second || wait > 2*wheelTick+time.Second {
			t.Errorf("clock set by %v: fired after 59 s of 60: %v, or else in %v", step, fired, wait)
		}
		if w.advance(at(61 * time.Second)); !fired {
			t.Errorf("clock set by %v: not fired after 61 s of 60", step)
		}

		k := newKept(begin)
		k.add(finished{key: keptKey(1)}, nil, begin)
		nothing := func(*finished) {}
		if k.expire(at(timerLong-time.Second), nothing); k.len() != 1 {
			t.Errorf("clock set by %v: forgotten early", step)
		}
		if k.expire(at(timerLong), nothing); k.len() != 0 {
			t.Errorf("clock set by %v: kept for too long", step)
		}

		var p event.Pace
		p.Sent(begin)
		p.Answered(200)
		p.Change()
		if act, wait := p.Next(at(event.Gap / 4)); act != event.Wait || wait != event.Gap*3/4 {
			t.Errorf("clock set by %v: %v, %v", step, act, wait)
		}
		if act, _ := p.Next(at(event.Gap)); act != event.Send {
			t.Errorf("clock set by %v: %v", step, act)
		}
	}
}
