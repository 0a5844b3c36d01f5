package call

import (
	"slices"
)

// hangup is Call.Hangup and Registry.EndAll in the loop.
type hangup struct{ cause Cause }

func (m *hangup) handle(c *Call) { c.end(m.cause, "") }

// hangupLeg is Call.HangupLeg in the loop.
type hangupLeg struct {
	leg   LegID
	cause Cause
}

func (m *hangupLeg) handle(c *Call) {
	at := slices.IndexFunc(c.legs, func(s *seat) bool { return s.leg.ID() == m.leg })
	if at < 0 || c.legs[at].state == LegLeaving {
		return
	}
	s, was, cause := c.legs[at], c.main(), m.cause
	if c.consults(s) { // its end transfers, and it is not over before
		s.bye = cause
		if c.tellHangup(s); c.seatByID(m.leg) != nil {
			return
		}
		c.carryOn(s, was, cause)
		return
	}
	if cause == CauseNormal && s.state == LegWaiting {
		cause = CauseRejected // what a party that hangs up before the answer does
		if s.direction == Inbound {
			cause = CauseCancelled
		}
	}
	c.hangup(s, cause)
	if c.state < StateEnding { // a leg that panics has ended the call
		c.carryOn(s, was, cause)
	}
}

// end hangs up every leg and stops everything that runs. By is the leg that
// brought it about, empty if the switch did. A call ends once.
func (c *Call) end(cause Cause, by LegID) {
	if !c.state.can(opEnd) {
		return
	}
	c.move(opEnd)
	c.cause, c.by = cause, by
	c.disarm(&c.duration)
	c.tellOrigin(Progress{ProgressFailed, hungUp(cause)})
	c.origin = nil
	if c.away != nil {
		c.disarm(&c.away.grace)
	}
	c.stopLegScripts(ErrEnded)
	c.dropRing(cancelled(cause))
	c.stopScript(ErrEnded)
	c.pair, c.steps, c.last, c.going = [2]*seat{}, nil, Outcome{}, nil
	c.hangupAll(c.legs, cause)
	c.arm(&c.linger, lingerLimit, (*Call).abandon)
}

// cancelled is what legs that ring are told when the call ends with cause: one
// that would be a normal end of a talk is a cancellation for them.
func cancelled(cause Cause) Cause {
	if cause == CauseNormal {
		return CauseCancelled
	}
	return cause
}

// limit ends the call because it reached a limit, and leaves a trace of that.
func (c *Call) limit(name string, cause Cause) {
	c.trace(&TraceEntry{Kind: TraceLimit, Name: name, Verdict: VerdictTaken, Outcome: &Outcome{Kind: OutcomeFailed, Cause: cause}})
	c.end(cause, "")
}

// abandon ends a call whose legs or script did not report in time. Nothing of
// them can reach it any more.
func (c *Call) abandon() {
	for _, s := range c.legs {
		c.abandonLeg(s)
	}
	if c.script != nil {
		c.reg.stats.abandoned.Add(1)
		c.log().Error("script did not return", "step", c.script.step.Name)
	}
	c.script, c.arriving, c.legScripts = nil, nil, 0
}

// abandonLeg lets go of a leg that was told to end and does not say so.
func (c *Call) abandonLeg(s *seat) {
	c.reg.stats.abandoned.Add(1)
	c.log().Error("leg did not end", "leg", s.leg.ID(), "cause", s.bye)
	stats := s.leg.Stats()
	c.report(s, Event{Cause: s.bye, Stats: &stats})
	s.leg.line().owner.Store(nil)
	c.legs = without(slices.Clone(c.legs), s) // some other list of legs may be gone through
}

// finish is the last thing a call does.
func (c *Call) finish() {
	c.move(opFinish)
	c.disarm(&c.linger)
	c.emit(Event{Kind: EventEnded, Party: c.invite.From, Dialled: c.invite.Dialled, Cause: c.cause, By: c.by})
	c.reg.stats.end(c.cause)
	c.story()
}
