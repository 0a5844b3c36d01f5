package call

import (
	"context"
	"runtime/debug"
)

// script is one run of an Effect. A call has at most one that has not returned.
type script struct {
	step   Step
	seat   *seat                   // of a leg script; nil for the call's
	cancel context.CancelCauseFunc // nil for one that the loop runs itself
	rings  *ringing                // that one; nil for others
	// stopped is why the script was told to return; nil while it may still ask.
	// Loop only.
	stopped error
}

// scriptKey finds the script in the ctx given to its effect.
type scriptKey struct{}

// scriptOf returns the script whose effect was given ctx, or nil.
func scriptOf(ctx context.Context) *script {
	s, _ := ctx.Value(scriptKey{}).(*script)
	return s
}

// startScript runs the effect of a step in a goroutine of its own.
func (c *Call) startScript(step Step) {
	effect, err := c.reg.cfg.Effects.Effect(step)
	if err != nil {
		c.fault(step, err)
		return
	}
	if r, ok := effect.(Ringer); ok {
		c.ringOnly(step, r)
		return
	}
	c.launch(&script{step: step}, effect)
}

// launch gives a script its goroutine.
func (c *Call) launch(s *script, effect Effect) {
	ctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), scriptKey{}, s))
	s.cancel = cancel
	if s.seat == nil {
		c.script = s
	} else {
		s.seat.script = s
		c.legScripts++
	}
	// Ends when the effect returns, which it does at the latest when the loop
	// cancels ctx.
	go c.perform(ctx, s, effect)
}

// ringing is a script without a goroutine: the loop itself rings and hears the
// outcome.
type ringing struct {
	script script
	ring   ring
	done   scriptDone
	told   bool // done has been posted
}

// ringOnly runs such a script.
func (c *Call) ringOnly(step Step, r Ringer) {
	s := &ringing{}
	s.script = script{step: step, rings: s}
	s.ring = ring{spec: r.RingSpec(c), script: s}
	s.done.script = &s.script
	c.script = &s.script
	c.startRing(&s.ring)
}

// over is its end.
func (s *ringing) over(c *Call, o Outcome) {
	if !s.told {
		s.told, s.done.outcome = true, o
		c.box.PushExempt(&s.done)
	}
}

// endScript tells a script to return because of why; nil says that it has.
func (c *Call) endScript(s *script, why error) {
	switch {
	case s.cancel != nil:
		s.cancel(why)
	case why != nil:
		s.rings.over(c, Outcome{})
	}
}

// perform is the script's goroutine.
func (c *Call) perform(ctx context.Context, s *script, effect Effect) {
	done := &scriptDone{script: s}
	defer func() {
		if v := recover(); v != nil {
			done.panic, done.stack = v, debug.Stack()
		}
		// Exempt: without it the call would never end. Refused only if the
		// call has given the script up, see abandon.
		c.tell(done)
	}()
	done.outcome, done.err = effect.Run(ctx, c)
}

// scriptDone is the last thing heard of a script.
type scriptDone struct {
	script  *script
	outcome Outcome
	err     error
	panic   any
	stack   []byte
}

func (m *scriptDone) handle(c *Call) {
	s := m.script
	if s.seat != nil && c.state < StateEnded {
		c.endScript(s, nil)
		c.legScriptDone(m)
		return
	}
	if c.script != s {
		return // given up by abandon
	}
	c.script = nil
	c.endScript(s, nil)
	c.cancelRing() // a script that returned cannot hear how its ring ends
	if !c.spoilt(m) && c.state == StateScripted {
		c.stepDone(s.step, m.outcome)
	}
}

// spoilt reports whether what a script says at its end is of no use, and deals with
// a fault of ours.
func (c *Call) spoilt(m *scriptDone) bool {
	s := m.script
	switch {
	case m.panic != nil:
		c.panicked("script "+s.step.Name, m.panic, m.stack)
		c.end(CauseInternal, "")
	case s.stopped != nil: // nobody wants to know any more
	case m.err != nil:
		c.fault(s.step, m.err)
	default:
		return false
	}
	return true
}

// stepDone lets the next step run, or keeps the outcome for the planner.
func (c *Call) stepDone(step Step, o Outcome) {
	if o.Branch == "" {
		o.Branch = step.Branch
	}
	c.note(step.Name, o.Kind)
	if o.Kind == OutcomeDone && len(c.steps) > 0 {
		return
	}
	c.steps = nil
	c.last = o
}

// fault ends the call because of an error of ours.
func (c *Call) fault(step Step, err error) {
	c.reg.stats.faults.Add(1)
	c.log().Error("step failed", "step", step.Name, "branch", step.Branch, "error", err)
	c.trace(&TraceEntry{Branch: step.Branch, Kind: TraceEffect, Name: step.Name, Verdict: VerdictFailed, Step: &step})
	c.end(CauseInternal, "")
}

// stopScript tells the running script to return; nothing it asks from now on is
// done. The next one starts after it has returned.
func (c *Call) stopScript(why error) {
	if c.script != nil && c.script.stopped == nil {
		c.script.stopped = why
		c.endScript(c.script, why)
	}
}

// ask is a question of the call's script to its loop.
type ask struct {
	script *script
	do     func() error // runs in the loop
	answer chan error   // one slot, so that the loop never waits
}

func (m *ask) handle(c *Call) {
	err := ErrEnded // if do panics
	defer func() { m.answer <- err }()
	if no := c.permit(m.script); no != nil {
		err = no
		return
	}
	err = m.do()
}

// tell pushes what a script leaves behind and runs the loop.
func (c *Call) tell(m message) {
	c.box.PushExempt(m)
	c.run()
}

// permit says whether a script may drive the call now.
func (c *Call) permit(s *script) error {
	switch {
	case c.state >= StateEnding:
		return ErrEnded
	case s != nil && s.stopped != nil:
		return s.stopped
	case s != nil && s.seat != nil:
		return nil
	case s == nil || s != c.script:
		return ErrNotScript
	case c.state != StateScripted:
		return ErrBusy
	}
	return nil
}

// ask has do run in the loop and waits for what it says.
func (c *Call) ask(ctx context.Context, do func() error) error {
	m := &ask{script: scriptOf(ctx), do: do, answer: make(chan error, 1)}
	if !c.post(m) {
		return ErrEnded
	}
	c.run()
	select {
	case err := <-m.answer:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// redirect is Call.Redirect in the loop.
type redirect struct {
	step   Step
	answer chan error // one slot
}

func (m *redirect) handle(c *Call) {
	err := ErrEnded
	defer func() { m.answer <- err }()
	if !c.state.can(opRedirect) {
		return
	}
	c.turn(m.step, c.main())
	err = nil
}

// turn makes the call do something else for one of its parties; the others are
// hung up.
func (c *Call) turn(step Step, stays *seat) {
	if c.away != nil && !c.away.refer.Consult {
		c.referred(c.away.waits, Progress{ProgressFailed, CauseCancelled})
	}
	c.forgetAway()
	c.stopLegScripts(ErrRedirected)
	c.move(opRedirect)
	c.dropRing(CauseCancelled)
	c.stopScript(ErrRedirected)
	c.note("redirected", "")
	c.trace(&TraceEntry{Branch: step.Branch, Kind: TraceEffect, Name: step.Name, Verdict: VerdictTaken, Step: &step})
	for _, s := range c.legs {
		if s != stays {
			c.hangup(s, CauseNormal)
		}
	}
	stays.leg.Media().Quiet()
	c.pair, c.last, c.steps = [2]*seat{}, Outcome{}, []Step{step}
}
