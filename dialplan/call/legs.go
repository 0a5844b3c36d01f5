package call

import (
	"runtime/debug"
	"slices"
	"time"
)

// seat is a leg's place in its call. It belongs to the loop of the call whose
// legs hold it and travels with the leg in a handover.
type seat struct {
	leg       Leg
	direction Direction
	state     LegState
	started   time.Time
	answered  time.Time // zero before
	until     time.Time // the call it is in, or comes into, ends then at the latest
	held      bool
	heldBy    uint64  // number of the event that set held
	bye       Cause   // why we hung it up
	promised  bool    // to another call, which has not replied yet
	private   bool    // does not want to be shown
	told      Party   // whom it was told it talks with
	fresh     bool    // came up into a call that has not been answered
	script    *script // its leg script
	gather    *gather // of its script
	keys      string  // pressed so far of what may be a code
	pause     timer   // until keys are forgotten
	found     codes   // the findings that have been told
}

// party is the party at the leg as others are told of it.
func (s *seat) party() Party {
	p := s.leg.Party()
	p.Anonymous = p.Anonymous || s.private
	return p
}

// connected tells a party whom it talks with, unless it knows.
func (s *seat) connected(p Party) {
	if s.told != p {
		s.told = p
		s.leg.Connected(p)
	}
}

// seat takes a leg into the call.
func (c *Call) seat(leg Leg, d Direction) *seat {
	s := c.newSeat(leg, d)
	c.reg.seated(leg.ID(), c)
	return s
}

// newSeat is seat for a call that is not in the registry yet.
func (c *Call) newSeat(leg Leg, d Direction) *seat {
	var s *seat
	if c.seated < len(c.seats) {
		s = &c.seats[c.seated]
		c.seated++
	} else {
		s = new(seat)
	}
	s.leg, s.direction, s.started = leg, d, c.now
	c.legs = append(c.legs, s)
	return s
}

// seatOf finds the seat of a line, or nil.
func (c *Call) seatOf(l *Line) *seat {
	for _, s := range c.legs {
		if s.leg.line() == l {
			return s
		}
	}
	return nil
}

// seatByID finds the seat of a leg, or nil.
func (c *Call) seatByID(id LegID) *seat {
	for _, s := range c.legs {
		if s.leg.ID() == id {
			return s
		}
	}
	return nil
}

// main is the party a script is for and a ring is on behalf of: the one that
// has been here longest and is not leaving. Before StateEnding there is one.
func (c *Call) main() *seat {
	for _, s := range c.legs {
		if s.state != LegLeaving {
			return s
		}
	}
	return nil
}

// legEvent is a LegEvent on its way. Number counts the events of its line: a
// handover can make one overtake another.
type legEvent struct {
	LegEvent
	line   *Line
	number uint64
}

// handled makes room for the next event of the line.
func (m *legEvent) handled() {
	if m == &m.line.event {
		m.LegEvent = LegEvent{}
		m.line.busy.Store(false)
	}
}

func (m *legEvent) handle(c *Call) {
	s := c.seatOf(m.line)
	if s == nil {
		c.stray(m)
		return
	}
	if m.Kind != LegGone { // which may be handled once more
		defer m.handled()
	}
	ringing := c.ring != nil && slices.Contains(c.ring.ringing, s)
	s.private = s.private || m.Private
	switch m.Kind {
	case LegRinging:
		if ringing {
			c.alerting(s)
		}
	case LegEarlyMedia:
		if ringing {
			c.earlyMedia(s)
		}
	case LegAnswered:
		c.legAnswered(s, ringing)
	case LegHeld, LegResumed:
		c.hold(s, m)
	case LegDigit:
		c.pressed(s, m.Digit)
	case LegInform:
		c.inform(s, m)
	case LegFinding:
		c.found(s, *m.Finding)
	case LegRefer:
		c.refer(s, *m.Refer)
	case LegGone:
		if !c.follows(s, m) {
			c.ended(s, m)
		}
	}
}

// legAnswered: the first contact to answer wins. One that answers after it was
// told to stop must be told again, or it would wait for us for ever. A caller's
// confirmation changes nothing.
func (c *Call) legAnswered(s *seat, ringing bool) {
	switch {
	case ringing:
		c.won(s)
	case s.state == LegLeaving:
		c.tellHangup(s)
	}
}

// ended takes out a leg that has ended and draws the conclusions.
func (c *Call) ended(s *seat, m *legEvent) {
	cause := m.Cause
	if cause == "" {
		cause = s.bye
	}
	if cause == "" {
		cause = CauseNormal
	}
	c.report(s, Event{Cause: cause, Remote: m.Remote, Stats: m.Stats})
	m.line.owner.Store(nil) // who still holds the leg does not hold the call
	if c.ring != nil && cause == CauseRedirected && slices.Contains(c.ring.ringing, s) {
		c.legs = without(c.legs, s)
		c.redirected(s, m)
		return
	}
	c.leave(s, cause)
}

// report emits the end of a leg, after what is to be said of its audio.
func (c *Call) report(s *seat, end Event) {
	id, party := s.leg.ID(), s.leg.Party()
	for _, f := range findings(end.Stats, s.answered, c.now) {
		c.found(s, f)
	}
	end.Kind, end.Leg, end.Party, end.Direction = EventLegEnded, id, party, s.direction
	c.emit(end)
	c.reg.unseated(id, c)
}

// leave is what follows when a leg is not here any more, be it gone or moved.
// A leg that was hung up has been accounted for when that happened.
func (c *Call) leave(s *seat, cause Cause) {
	was := c.main()
	c.stopLegScript(s, ErrEnded)
	c.legs = without(c.legs, s)
	if s.state != LegLeaving {
		c.carryOn(s, was, cause)
	}
}

// carryOn goes on without s, which takes no part any more; was is the party the
// script was for until then.
func (c *Call) carryOn(s, was *seat, cause Cause) {
	switch {
	case c.state == StateWaiting:
		c.waitedFor(s, cause)
	case c.state == StateTalking:
		c.part(s, cause)
	case c.ring != nil && s != was:
		c.lost(s, cause)
	default:
		if s.fresh { // it was up, but the call was not answered
			cause = hungUp(cause)
		}
		c.end(cause, s.leg.ID())
	}
}

// up marks a leg as answered.
func (c *Call) up(s *seat) {
	s.state, s.answered = LegUp, c.now
	c.emit(Event{Kind: EventAnswered, Leg: s.leg.ID(), Party: s.leg.Party()})
}

// answer accepts a caller that has not been answered.
func (c *Call) answer(s *seat) {
	switch {
	case s.fresh:
		s.fresh = false
		c.emit(Event{Kind: EventAnswered, Leg: s.leg.ID(), Party: s.leg.Party()})
	case s.state == LegWaiting && s.direction == Inbound:
		s.leg.Answer()
		c.up(s)
	default:
		return
	}
	if c.answered.IsZero() {
		c.answered = c.now
	}
}

// hangup tells a leg, once, to end. Its seat stays until it reports that it has.
func (c *Call) hangup(s *seat, cause Cause) {
	if s.state == LegLeaving {
		return
	}
	s.state, s.bye = LegLeaving, cause
	c.tellHangup(s)
}

// tellHangup passes the verb on. The way out of every trouble leads through
// here, so a leg that panics is given up at once.
func (c *Call) tellHangup(s *seat) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked("hangup", v, debug.Stack())
			c.abandonLeg(s)
		}
	}()
	s.leg.Hangup(s.bye)
}

func (c *Call) hangupAll(legs []*seat, cause Cause) {
	for _, s := range legs {
		c.hangup(s, cause)
	}
}

// without takes s off a list that nobody is going through.
func without(legs []*seat, s *seat) []*seat {
	return slices.DeleteFunc(legs, func(other *seat) bool { return other == s })
}
