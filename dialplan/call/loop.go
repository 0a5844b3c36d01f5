package call

import (
	"runtime/debug"
	"time"
)

// lingerLimit is how long an ending call waits for its legs and its script.
// 64*T1 of RFC 3261 (32 s) is the longest a leg can need; what has not reported
// by then has a fault, and the call ends without it.
const lingerLimit = 40 * time.Second

// message is anything a loop can be told. Its handle runs in the loop and may
// touch everything marked "loop only"; it never waits.
type message interface{ handle(c *Call) }

// begin is the first message of a call.
type begin struct{}

// run is the loop on the goroutine of somebody who has posted, holds no lock and
// can wait as long as the call's next few steps take; if somebody else runs it, he
// will handle what was posted.
func (c *Call) run() {
	if c.box.Enter() {
		c.loop()
	}
}

// wake is run for everybody else, other loops included.
func (c *Call) wake() {
	if c.box.Enter() {
		// Ends when nothing waits any more.
		go c.loop()
	}
}

// loop is the life of a call: take what was posted, handle it, do what follows
// from the state it led to, show the result. It returns when nothing waits, and
// for good when the call has ended and nobody can post to it any more.
func (c *Call) loop() {
	for c.state != StateEnded || !c.box.CloseIfEmpty() {
		batch, ok := c.box.TakeOrLeave()
		if !ok {
			return
		}
		c.reg.stats.depth(len(batch))
		for _, m := range batch {
			c.guard(m)
		}
		c.wind()
		c.publish()
	}
	c.reg.remove(c)
}

// guard handles one message. A panic on the way, be it in a planner, a leg or
// here, ends this call and no other.
func (c *Call) guard(m message) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked("loop", v, debug.Stack())
			c.end(CauseInternal, "")
			c.settle()
		}
	}()
	c.now = time.Now()
	m.handle(c)
	c.settle()
}

// panicked counts and logs a recovered panic.
func (c *Call) panicked(where string, v any, stack []byte) {
	c.reg.stats.panics.Add(1)
	c.log().Error("panic in call", "where", where, "panic", v, "stack", string(stack))
}

func (begin) handle(c *Call) {
	caller := c.legs[0]
	c.emit(Event{Kind: EventStarted, Leg: caller.leg.ID(), Party: c.invite.From, Dialled: c.invite.Dialled})
	c.emit(Event{Kind: EventLegStarted, Leg: caller.leg.ID(), Party: caller.leg.Party(), Direction: Inbound})
	c.start()
}

// endBy ends the call at a time at the latest: a leg that comes from another call
// must not get a new limit by that, or a call would be made to last for ever by being
// transferred (F4).
func (c *Call) endBy(at time.Time) {
	if !at.Before(c.until) {
		return
	}
	c.until = at
	if !c.duration.due.IsZero() {
		c.arm(&c.duration, at.Sub(c.now), (*Call).tooLong)
	}
}

// tooLong ends a call that has run for as long as any may.
func (c *Call) tooLong() { c.limit("longest call", CauseDuration) }

// start asks the planner for the first time.
func (c *Call) start() {
	c.arm(&c.duration, c.until.Sub(c.now), (*Call).tooLong)
	c.planner = c.reg.cfg.Plan(c.invite)
	c.last = Outcome{Kind: OutcomeBegin}
	c.move(opBegin)
}

// settle does what the present state asks for and no message has to say.
// It is the only place that starts scripts, asks the planner and finishes.
func (c *Call) settle() {
	if c.state < StateEnding && c.box.Overflowed() {
		c.limit("mailbox", CauseOverload)
	}
	for c.state == StateScripted && c.script == nil {
		switch {
		case len(c.steps) > 0:
			step := c.steps[0]
			c.steps = c.steps[1:]
			c.startScript(step)
		case c.last.Kind != "":
			c.decide()
		default:
			panic("call: nothing to do")
		}
	}
	if c.state >= StateEnding {
		c.letGo()
	}
	if c.state == StateEnding && c.script == nil && c.legScripts == 0 && len(c.legs) == 0 && len(c.arriving) == 0 {
		c.finish()
	}
}

// decide tells the planner the last outcome and takes its steps.
func (c *Call) decide() {
	last := c.last
	c.last = Outcome{}
	d := c.planner.Next(c.situation(), last)
	for i := range d.Trace {
		c.trace(&d.Trace[i])
	}
	if len(d.Steps) > 0 {
		c.steps = d.Steps
		return
	}
	if d.Cause == "" {
		d.Cause = CauseNormal
	}
	if last.Kind != OutcomeTalkEnded {
		last.By = "" // a leg that failed to answer did not end the call
	}
	c.end(d.Cause, last.By)
}

// situation is what the planner sees of the call now.
func (c *Call) situation() Situation {
	in := Situation{At: c.now}
	if c.origin != nil {
		o := c.origin.Origin
		in.Origin = &o
	}
	return in
}
