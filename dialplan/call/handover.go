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
	offer
	early []*legEvent // emitted after the owner was set, before moved came
}

// handover is Call.Handover in the giver's loop.
type handover struct {
	leg LegID
	to  *Call
}

func (m *handover) handle(c *Call) {
	s := c.seatByID(m.leg)
	if m.to == c || !c.mayGive(s) || !m.to.send(&offer{line: s.leg.line(), from: c}) {
		c.reg.stats.refuse(RefusedHandover)
		return
	}
	s.promised = true
}

// mayGive reports whether a leg can leave for another call: it is here, is not
// leaving, is no called party that still rings, and is promised to nobody. With
// one promise at a time a taker never expects a leg that comes by another way.
func (c *Call) mayGive(s *seat) bool {
	return s != nil && !s.promised && !c.isGone(s) && (s.state == LegUp || s.state == LegWaiting && s.direction == Inbound)
}

// isGone reports whether a leg has ended that only waits to be replaced.
func (c *Call) isGone(s *seat) bool { return c.gone != nil && c.gone.line == s.leg.line() }

// offer asks the taker.
type offer struct {
	line *Line
	from *Call
	// replaces is the leg of the taker whose place it shall take; empty to talk to
	// the party that is there.
	replaces LegID
	// back: it was transferred from the taker, in vain, and comes back with the
	// cause of that.
	back  bool
	cause Cause
	// origin comes with one that is transferred into a call that is there already.
	origin *origin
}

func (m *offer) handle(c *Call) {
	yes := c.wants(m)
	if yes {
		c.arriving = append(c.arriving, &arrival{offer: *m})
	}
	if !m.from.send(&reply{line: m.line, from: c, yes: yes}) && yes {
		c.notComing(m.line) // the giver has ended, and the leg with it
	}
	if !yes && c.origin != nil && c.origin.call == m.from {
		c.letGo() // this was the answer to our claim
	}
}

// wants reports whether the call takes the leg of an offer.
func (c *Call) wants(m *offer) bool {
	switch {
	case c.state >= StateEnding:
		return false
	case m.back:
		return c.state == StateWaiting && c.away.to == m.from && c.away.waits.state != LegLeaving
	case c.state == StateWaiting:
		return false
	case m.replaces == "":
		return true
	}
	old := c.seatByID(m.replaces)
	if old == nil || old.state == LegLeaving || old.promised || c.going != nil || c.replacing() != "" {
		return false
	}
	return c.origin == nil || c.origin.call == m.from
}

// replacing is the leg whose place one that arrives shall take, empty if there is
// none.
func (c *Call) replacing() LegID {
	for _, a := range c.arriving {
		if a.replaces != "" {
			return a.replaces
		}
	}
	return ""
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
		c.notGoing(m.line, s)
		return
	}
	if s == nil || s.state == LegLeaving || c.isGone(s) {
		c.reg.stats.refuse(RefusedHandover)
		m.from.send(&withdrawn{line: m.line})
		return
	}
	seat := c.departing(s)
	m.line.owner.Store(m.from)
	if !m.from.send(&moved{seat: &seat, from: c.ref.ID}) {
		m.line.owner.Store(c) // the taker gave up after lingerLimit
		c.notGoing(m.line, s)
		return
	}
	c.emitJoined(s, m.from)
	switch {
	case c.state == StateWaiting && c.away.moving == s:
		c.wentAway(s)
	case c.going != nil && c.going.line == m.line:
		c.went(s)
	default:
		c.leave(s, CauseNormal)
	}
}

// departing is the seat of a leg as the taker gets it; what follows here still
// looks at ours.
func (c *Call) departing(s *seat) seat {
	c.stopLegScript(s, ErrRedirected)
	seat := *s
	seat.pause, seat.fresh, seat.until = timer{}, false, c.until
	return seat
}

// notGoing: a leg that was offered stays, if it is here still.
func (c *Call) notGoing(l *Line, s *seat) {
	c.reg.stats.refuse(RefusedHandover)
	switch {
	case c.going != nil && c.going.line == l:
		c.stay()
	case c.state == StateWaiting && s != nil && s == c.away.moving:
		c.notTaken(s)
	}
}

// moved hands the leg to the taker.
type moved struct {
	seat *seat
	from ID
}

func (m *moved) handle(c *Call) {
	s := m.seat
	a := c.expected(s.leg.line())
	c.face(s, a)
	c.endBy(s.until)
	c.legs = append(c.legs, s)
	c.reg.seated(s.leg.ID(), c)
	c.emit(Event{Kind: EventJoined, Leg: s.leg.ID(), Party: s.leg.Party(), Direction: s.direction, Other: m.from})
	c.receive(s, a)
	c.letGo()
	for _, ev := range a.early {
		ev.handle(c)
	}
}

// face gives a leg the direction it has here: its former one when it comes back, and
// that of the leg whose place it takes if it is up.
func (c *Call) face(s *seat, a *arrival) {
	if a.back && c.state == StateWaiting {
		s.direction = c.away.direction
	}
	if old := c.seatByID(a.replaces); old != nil && s.state == LegUp {
		s.direction = old.direction
	}
}

// receive gives a leg that has come what it came for.
func (c *Call) receive(s *seat, a *arrival) {
	switch {
	case c.state >= StateEnding:
		c.hangup(s, c.cause)
		a.inVain(c)
	case c.state == StateWaiting:
		c.reunite(s, a.cause)
	case a.replaces != "":
		c.takePlace(s, a)
	default:
		c.join(s)
	}
}

// takePlace gives a leg the place it came for, if that is still one.
func (c *Call) takePlace(s *seat, a *arrival) {
	was := c.origin
	if a.origin != nil {
		c.origin = a.origin
	}
	if old := c.seatByID(a.replaces); old != nil && c.place(s, old) {
		return
	}
	c.origin = was
	c.hangup(s, CauseNormal)
	a.inVain(c)
}

// inVain tells the conversation that waits for what becomes of a leg that it came
// too late.
func (a *arrival) inVain(c *Call) {
	if a.origin != nil {
		a.origin.call.send(&progress{from: c, Progress: Progress{ProgressFailed, CauseNoCall}})
	}
}

// join lets a leg that has come talk to the party that is here.
func (c *Call) join(s *seat) {
	if c.state == StateTalking {
		s.leg.Media().Quiet() // waits beside the talk, see part
		c.answer(s)
		return
	}
	c.dropRing(CauseAnsweredElsewhere)
	if c.script != nil {
		c.talk = c.script.step.Branch // its place in the plan is told when the talk ends
	}
	c.stopScript(ErrRedirected)
	c.steps, c.last = nil, Outcome{}
	c.connect(s)
}

// withdrawn tells the taker not to expect the leg any more.
type withdrawn struct{ line *Line }

func (m *withdrawn) handle(c *Call) { c.notComing(m.line) }

// notComing: a leg that was to come does not, so whom it was to replace may go.
func (c *Call) notComing(l *Line) {
	c.expected(l)
	c.letGo()
}

// expected takes a leg off the list of those the call waits for.
func (c *Call) expected(l *Line) *arrival {
	for i, a := range c.arriving {
		if a.line == l {
			c.arriving = append(c.arriving[:i], c.arriving[i+1:]...)
			return a
		}
	}
	return &arrival{offer: offer{line: l}}
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
