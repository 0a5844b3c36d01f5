package call

import (
	"context"
	"slices"
)

// TakeOver lets the caller take the place of a leg of another call of its tenant:
// of a party that talks, or of a phone that rings, which stops. That leg is hung
// up. The call ends with it, so ctx does; an outcome means that nothing came of
// it: OutcomeFailed with CauseNoCall if the leg is not there any more or has a
// place that nobody can take.
func (c *Call) TakeOver(ctx context.Context, leg LegID) (Outcome, error) {
	return c.goOver(ctx, func(done func(Outcome)) {
		to, ok := c.reg.CallOf(leg)
		if !ok || to == c || to.invite.Client != c.invite.Client {
			done(Outcome{Kind: OutcomeFailed, Cause: CauseNoCall})
			return
		}
		c.give(c.main(), &offer{replaces: leg}, to, &going{done: done, cause: CauseNormal})
	})
}

// Return lets the party go back to the conversation it was transferred from,
// where it talks again to the one who waits there; the call ends, with cause.
// OutcomeUnreachable means that nobody waits there any more.
func (c *Call) Return(ctx context.Context, cause Cause) (Outcome, error) {
	return c.goOver(ctx, func(done func(Outcome)) {
		if c.origin == nil || c.origin.refused {
			done(Outcome{Kind: OutcomeUnreachable, Cause: cause})
			return
		}
		c.give(c.main(), &offer{back: true, cause: cause}, c.origin.call, &going{done: done, cause: cause, back: true})
	})
}

// going is Call.going: the main party is offered to another call by a script.
type going struct {
	line  *Line
	done  func(Outcome) // it stays
	cause Cause         // that the call ends with when it has gone
	back  bool          // to where it came from
}

// goOver lets the loop offer the main party and waits for what comes of it.
func (c *Call) goOver(ctx context.Context, begin func(done func(Outcome))) (Outcome, error) {
	result := make(chan Outcome, 1) // the loop never waits
	err := c.ask(ctx, func() error {
		begin(func(o Outcome) { result <- o })
		return nil
	})
	if err != nil {
		return Outcome{}, err
	}
	select {
	case o := <-result:
		return o, nil
	case <-ctx.Done():
		return Outcome{}, context.Cause(ctx)
	}
}

// give offers a party to another call.
func (c *Call) give(s *seat, o *offer, to *Call, g *going) {
	o.line, o.from = s.leg.line(), c
	g.line, c.going = o.line, g
	if !c.mayGive(s) || !to.send(o) {
		c.stay()
		return
	}
	s.promised = true
}

// stay: the party that was offered by a script is not wanted.
func (c *Call) stay() {
	g := c.going
	c.going = nil
	if !g.back {
		g.done(Outcome{Kind: OutcomeFailed, Cause: CauseNoCall})
		return
	}
	if c.origin != nil { // nobody has got through meanwhile
		c.tellOrigin(Progress{ProgressFailed, g.cause}) // should somebody wait there all the same
		c.origin.refused = true
	}
	g.done(Outcome{Kind: OutcomeUnreachable, Cause: g.cause})
}

// went: the party that was offered by a script has gone over, and the call is over.
func (c *Call) went(s *seat) {
	g := c.going
	c.going = nil
	if g.back {
		c.origin = nil
	}
	c.legs = without(c.legs, s)
	c.end(g.cause, "")
}

// place puts a party that has come in where another one was, which is hung up.
// It reports whether it could be done.
func (c *Call) place(s, old *seat) bool {
	switch {
	case c.ring != nil && slices.Contains(c.ring.ringing, old): // a phone that rings is picked up
		c.join(s)
	case c.state == StateTalking && c.peerOf(old) != nil:
		c.swap(s, old)
		for i := range c.pair {
			if c.pair[i] == old {
				c.pair[i] = s
			}
		}
		c.mix()
		c.answer(s)
		c.arrived()
	case old == c.main() && c.state == StateRinging:
		c.swap(s, old)
		c.hearRing(s)
	case old == c.main() && c.state == StateScripted:
		c.swap(s, old)
		c.again()
	default:
		return false
	}
	if old.state == LegWaiting {
		c.hangup(old, CauseCancelled)
	} else {
		c.hangup(old, CauseNormal)
	}
	return true
}

// swap seats a party where another one sits, whose script dies.
func (c *Call) swap(s, old *seat) {
	c.stopLegScript(old, ErrRedirected)
	c.legs = without(c.legs, s)
	for i, other := range c.legs {
		if other == old {
			c.legs = append(c.legs[:i:i], append([]*seat{s}, c.legs[i:]...)...)
			break
		}
	}
	s.fresh = s.state == LegUp && c.answered.IsZero()
}

// again begins the step under way anew, for a party that was not here before.
func (c *Call) again() {
	if c.script == nil {
		return
	}
	if c.script.stopped == nil {
		c.steps = append([]Step{c.script.step}, c.steps...)
	}
	c.stopScript(ErrRedirected)
}

// hearRing lets a party that came into a ring hear what its caller heard.
func (c *Call) hearRing(s *seat) {
	switch {
	case c.ring.early != nil:
		c.reg.cfg.Mixer.Join(s.leg.Media(), c.ring.early.leg.Media())
	case c.ring.alerted:
		c.ringback(s)
		c.tellOrigin(Progress{Kind: ProgressRinging})
	}
}

// ringbackTone is what a party hears that is up while another one is rung.
var ringbackTone = []string{"ringback"}

// ringback tells a party that the far end rings: by signalling, or by tone if it
// is up already.
func (c *Call) ringback(s *seat) {
	if s.state == LegUp {
		s.leg.Media().Play(ringbackTone, true, func(error) {})
		return
	}
	s.leg.Ring(false)
}

// claim is what a conversation tells the first one when the party that consulted
// there has hung up: the one who waits takes its place.
type claim struct {
	from *Call
	leg  LegID // of the party that has gone
}

func (m *claim) handle(c *Call) {
	if c.state != StateWaiting || c.away.to != m.from || !c.mayGive(c.away.waits) {
		m.from.send(&unclaimed{})
		return
	}
	s := c.away.waits
	c.away.moving, s.promised = s, true
	if !m.from.send(&offer{line: s.leg.line(), from: c, replaces: m.leg}) {
		c.end(CauseNormal, "")
	}
}

// unclaimed answers a claim: nobody waits any more.
type unclaimed struct{}

func (*unclaimed) handle(c *Call) { c.letGo() }

// consults reports whether a party is here to ask before it transfers.
func (c *Call) consults(s *seat) bool {
	return c.origin != nil && c.origin.Consult && !c.origin.refused && s == c.main() && c.state < StateEnding
}

// follows reports whether another party takes the place of one that has ended: one
// that is on its way, or the one who waits for it to end a consultation. Then the
// end is handled when that one has come.
func (c *Call) follows(s *seat, m *legEvent) bool {
	switch {
	case c.gone != nil || c.state >= StateEnding || s.state == LegLeaving:
		return false
	case c.replacing() == s.leg.ID():
	case c.consults(s) && c.going == nil && c.origin.call.send(&claim{from: c, leg: s.leg.ID()}):
		c.origin.Consult = false // from now on it is the other one who was transferred
	default:
		return false
	}
	c.gone = m
	return true
}

// letGo handles the end of a leg whose place was to be taken, unless it still is.
func (c *Call) letGo() {
	m := c.gone
	if m == nil || c.state < StateEnding && c.replacing() != "" {
		return
	}
	c.gone = nil
	if s := c.seatOf(m.line); s != nil {
		c.ended(s, m)
	}
}
