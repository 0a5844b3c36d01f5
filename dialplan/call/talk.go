package call

// holdMusic is what a party hears while the other one holds it.
var holdMusic = []string{"music"}

// connect makes the main leg and another one talk. Joining comes before
// answering: the media answer prefers the codec of the peer.
func (c *Call) connect(s *seat) {
	c.pair = [2]*seat{c.main(), s}
	c.move(opConnect)
	c.mix()
	for _, s := range c.pair {
		c.answer(s)
	}
	c.arrived()
}

// mix lets the pair hear what their holds ask for: each other, or music for
// whom the other one holds or leaves alone, or nothing for whom both hold.
func (c *Call) mix() {
	a, b := c.pair[0], c.pair[1]
	apart := a.held || b.held || a.script != nil || b.script != nil
	if !apart {
		c.reg.cfg.Mixer.Join(a.leg.Media(), b.leg.Media())
	}
	a.connected(b.party())
	b.connected(a.party())
	if apart {
		c.hearApart()
	}
}

// hearApart is what a pair hears that does not hear each other.
func (c *Call) hearApart() {
	for _, s := range c.pair {
		switch {
		case s.script != nil: // lets it hear what it wants
		case s.held:
			s.leg.Media().Quiet()
		default:
			// Nobody waits for its end: it loops until something replaces it.
			s.leg.Media().Play(holdMusic, true, func(error) {})
		}
	}
}

// hold notes that a party held or resumed. Of two such events that overtook
// each other in a handover, the older one is dropped.
func (c *Call) hold(s *seat, m *legEvent) {
	held := m.Kind == LegHeld
	if m.number < s.heldBy {
		return
	}
	s.heldBy = m.number
	if s.held == held {
		return
	}
	s.held = held
	kind := EventResumed
	if held {
		kind = EventHeld
	}
	c.emit(Event{Kind: kind, Leg: s.leg.ID(), Party: s.leg.Party()})
	if c.state == StateTalking && (s == c.pair[0] || s == c.pair[1]) {
		c.mix()
	}
}

// inform passes on what a party has for the one it talks with; nobody else is
// there to hear it.
func (c *Call) inform(s *seat, m *legEvent) {
	switch s {
	case c.pair[0]:
		c.pair[1].leg.Inform(*m.Information)
	case c.pair[1]:
		c.pair[0].leg.Inform(*m.Information)
	}
}

// part: a party of the talk left. Whoever waits beside it takes its place
// (the attended transfer); otherwise the talk is over and the planner decides
// about the one who stays.
func (c *Call) part(s *seat, cause Cause) {
	stays := c.pair[0]
	switch s {
	case c.pair[0]:
		stays = c.pair[1]
	case c.pair[1]:
	default:
		return // the one who waited beside the talk
	}
	for _, next := range c.legs {
		if next != stays && next.state != LegLeaving {
			c.stopLegScripts(ErrRedirected)
			c.pair = [2]*seat{stays, next}
			c.mix()
			return
		}
	}
	c.stopLegScripts(ErrRedirected)
	c.move(opPart)
	c.pair = [2]*seat{}
	stays.leg.Media().Quiet()
	c.stopScript(ErrRedirected) // the ring's, if it has not returned yet
	c.steps = nil
	c.last = Outcome{Branch: c.talk, Kind: OutcomeTalkEnded, Cause: cause, By: s.leg.ID()}
	c.note("talk", "")
}
