package call

// A leg moves between two calls in three messages, none of which waits:
//
//	giver                                taker
//	  │ offer ─────────────────────────────► │  is not ending: expects the leg
//	  │ ◄───────────────────────────── reply │
//	  │ still has the leg:                   │
//	  │ owner := taker; moved ─────────────► │  takes the seat, or hangs it up
//	  │                                      │  if it has begun to end meanwhile
//
// The giver owns the leg until it sets the owner; a taker that expects a leg
// does not finish. All three are exempt from the mailbox's limit. Instead of
// moved the giver can say withdrawn, when the leg went its own way meanwhile.

// arrival is a leg the call has agreed to take.
type arrival struct {
	line  *Line
	early []*legEvent // emitted after the owner was set, before moved came
}

// handover is Call.Handover in the giver's loop.
type handover struct {
	leg LegID
	to  *Call
}

func (m *handover) handle(c *Call) {
	var s *seat
	for _, other := range c.legs {
		if other.leg.ID() == m.leg {
			s = other
		}
	}
	if m.to == c || !mayGive(s) || !m.to.send(&offer{line: s.leg.line(), from: c}) {
		c.reg.stats.refuse(RefusedHandover)
		return
	}
	s.promised = true
}

// mayGive reports whether a leg can leave for another call: it is here, is not
// leaving, is no called party that still rings, and is promised to nobody. With
// one promise at a time a taker never expects a leg that comes by another way.
func mayGive(s *seat) bool {
	return s != nil && !s.promised && (s.state == LegUp || s.state == LegWaiting && s.direction == Inbound)
}

// offer asks the taker.
type offer struct {
	line *Line
	from *Call
}

func (m *offer) handle(c *Call) {
	yes := c.state < StateEnding
	if yes {
		c.arriving = append(c.arriving, &arrival{line: m.line})
	}
	if !m.from.send(&reply{line: m.line, from: c, yes: yes}) && yes {
		c.expected(m.line) // the giver has ended, and the leg with it
	}
}

// reply answers the giver.
type reply struct {
	line *Line
	from *Call
	yes  bool
}

func (m *reply) handle(c *Call) {
	s := c.seatOf(m.line)
	if s != nil {
		s.promised = false
	}
	if !m.yes {
		c.reg.stats.refuse(RefusedHandover)
		return
	}
	if s == nil || s.state == LegLeaving {
		c.reg.stats.refuse(RefusedHandover)
		m.from.send(&withdrawn{line: m.line})
		return
	}
	seat := *s // the taker's; what follows here still looks at ours
	m.line.owner.Store(m.from)
	if !m.from.send(&moved{seat: &seat, from: c.ref.ID}) {
		m.line.owner.Store(c) // the taker gave up after lingerLimit
		c.reg.stats.refuse(RefusedHandover)
		return
	}
	c.emit(Event{Kind: EventJoined, Leg: s.leg.ID(), Party: s.leg.Party(), Direction: s.direction, Other: m.from.ref.ID})
	c.leave(s, CauseNormal)
}

// moved hands the leg to the taker.
type moved struct {
	seat *seat
	from ID
}

func (m *moved) handle(c *Call) {
	s := m.seat
	a := c.expected(s.leg.line())
	c.legs = append(c.legs, s)
	c.reg.seated(s.leg.ID(), c)
	c.emit(Event{Kind: EventJoined, Leg: s.leg.ID(), Party: s.leg.Party(), Direction: s.direction, Other: m.from})
	switch c.state {
	case StateTalking:
		s.leg.Media().Quiet() // waits beside the talk, see part
		c.answer(s)
	case StateScripted, StateRinging:
		c.dropRing(CauseAnsweredElsewhere)
		if c.script != nil {
			c.talk = c.script.step.Branch // its place in the plan is told when the talk ends
		}
		c.stopScript(ErrRedirected)
		c.steps, c.outcome = nil, nil
		c.connect(s)
	default:
		c.hangup(s, c.cause)
	}
	for _, ev := range a.early {
		ev.handle(c)
	}
}

// withdrawn tells the taker not to expect the leg any more.
type withdrawn struct{ line *Line }

func (m *withdrawn) handle(c *Call) { c.expected(m.line) }

// expected takes a leg off the list of those the call waits for.
func (c *Call) expected(l *Line) *arrival {
	for i, a := range c.arriving {
		if a.line == l {
			c.arriving = append(c.arriving[:i], c.arriving[i+1:]...)
			return a
		}
	}
	return &arrival{line: l}
}

// stray handles an event of a leg that is not here: it is on its way to us, or
// has moved on, or is gone.
func (c *Call) stray(m *legEvent) {
	for _, a := range c.arriving {
		if a.line == m.line {
			a.early = append(a.early, m)
			return
		}
	}
	if owner := m.line.owner.Load(); owner != nil && owner != c {
		if owner := m.line.send(m, true); owner != nil {
			owner.wake()
		}
	}
}
