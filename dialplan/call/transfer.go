package call

import "time"

// A transfer is two handovers at most. The first conversation (the one that
// was asked) keeps the party that waits, and the other one goes:
//
//	blind     the transferee into a new call that dials the target
//	attended  the transferee into the transferor's other call, whose place it takes
//	consult   the transferor itself into a new call that dials the target; when it
//	          hangs up there, the transferee follows and takes its place
//
// What comes of it is told to the first conversation: the party that went comes
// back the same way (Call.Return), or it stays away and the first conversation
// ends. Whoever waits there is told how it goes (Leg.Referred).

// Refer is what a party wants done with the one it talks to.
type Refer struct {
	// To is the number to connect the other party with, cleaned as
	// Invite.Dialled is. Without meaning if Leg is set.
	To string
	// Leg is a leg of another call of the tenant whose place the other party shall
	// take; empty for a blind transfer.
	Leg LegID
	// Consult: the party wants to talk to To first, while the other one waits.
	Consult bool
	// Claim is whom the transferor claims to be, for the trace; may be empty.
	Claim string
}

// Progress is how a transfer goes.
type Progress struct {
	Kind ProgressKind
	// Cause comes with ProgressFailed.
	Cause Cause
}

// ProgressKind says how far a transfer has come.
type ProgressKind string

// The progress of a transfer, in order; the last two are final.
const (
	ProgressRinging  ProgressKind = "ringing"
	ProgressAnswered ProgressKind = "answered"
	ProgressFailed   ProgressKind = "failed"
)

// Transfer comes with the Invite of a call that a transfer made.
type Transfer struct {
	// By is who transferred, on whose rights and account the call runs (F4).
	By Party
	// Claim is Refer.Claim.
	Claim string
	// From is the conversation that was transferred.
	From ID
}

// Origin is where the party of a call came from by a transfer that has not come
// to its end yet.
type Origin struct {
	// By is who transferred.
	By Party
	// Consult: the party is the transferor itself, see Refer.
	Consult bool
}

// transferGrace is how long a transferor may take to hang up when its transfer
// has succeeded (RFC 5589 6.1 lets it send the BYE), before it is hung up.
const transferGrace = 2 * time.Second

// origin is Call.origin: the conversation that waits for what comes of this one.
type origin struct {
	Origin
	call *Call
	leg  LegID // the transferor's, there
	// refused: the party cannot go back; there is nobody any more.
	refused bool
}

// away is Call.away: the transfer whose outcome the party here waits for.
type away struct {
	to     *Call
	refer  Refer
	waits  *seat // who waits here
	moving *seat // who shall go, until it has gone
	// direction of the one that goes, which it has again when it comes back.
	direction Direction
	grace     timer
}

// refer does what a party wants. A party that may not ask, or asks for what
// cannot be, is told so.
func (c *Call) refer(s *seat, r Refer) {
	other := c.peerOf(s)
	if other == nil {
		c.referred(s, Progress{ProgressFailed, CauseRejected})
		return
	}
	cause := CauseRejected
	if c.origin == nil && c.present() <= 2 && len(c.arriving) == 0 && c.mayGive(other) && c.mayGive(s) {
		c.stopLegScripts(ErrRedirected)
		a := &away{refer: r, waits: s, moving: other}
		if r.Consult {
			a.waits, a.moving = other, s
		}
		if cause = c.transferTo(a, s); cause == "" {
			return
		}
	}
	c.mix() // as before
	c.referred(s, Progress{ProgressFailed, cause})
}

// transferTo lets the one who shall go, go. The cause says why not.
func (c *Call) transferTo(a *away, by *seat) Cause {
	if a.refer.Leg != "" {
		return c.joinOther(a, by)
	}
	inv := Invite{Client: c.invite.Client, From: a.moving.leg.Party(), Dialled: a.refer.To}
	if !a.refer.Consult {
		inv.Transfer = &Transfer{By: by.leg.Party(), Claim: a.refer.Claim, From: c.ref.ID}
	}
	n := newCall(c.reg, nil, inv)
	n.origin = &origin{Origin: Origin{By: by.leg.Party(), Consult: a.refer.Consult}, call: c, leg: by.leg.ID()}
	seat := c.departing(a.moving)
	n.box.PushExempt(&born{seat: &seat, from: c.ref.ID})
	if c.reg.add(n) != nil {
		return CauseOverload
	}
	a.to = n
	c.wait(a)
	c.emitJoined(a.moving, n)
	c.legs = without(c.legs, a.moving)
	a.moving = nil
	seat.leg.line().owner.Store(n)
	n.wake()
	return ""
}

// joinOther offers the other party to the transferor's second conversation.
func (c *Call) joinOther(a *away, by *seat) Cause {
	to, ok := c.reg.CallOf(a.refer.Leg)
	if !ok || to == c || to.invite.Client != c.invite.Client {
		return CauseNoCall
	}
	o := &origin{Origin: Origin{By: by.leg.Party()}, call: c, leg: by.leg.ID()}
	a.to = to
	a.moving.promised = true
	if !to.send(&offer{line: a.moving.leg.line(), from: c, replaces: a.refer.Leg, origin: o}) {
		a.moving.promised = false
		return CauseNoCall
	}
	c.wait(a)
	return ""
}

// wait leaves the talk: one party waits for what becomes of the other.
func (c *Call) wait(a *away) {
	c.move(opRefer)
	a.direction = a.moving.direction
	c.away = a
	c.pair = [2]*seat{}
	c.steps, c.last = nil, Outcome{}
	c.stopScript(ErrRedirected) // the ring's, if it has not returned yet
	a.moving.leg.Media().Quiet()
	if a.refer.Consult {
		a.waits.leg.Media().Play(holdMusic, true, func(error) {})
	} else {
		a.waits.leg.Media().Quiet()
	}
	c.note("transfer", "")
}

// born is the first message of a call that a transfer makes: its party is here.
type born struct {
	seat *seat
	from ID
}

func (m *born) handle(c *Call) {
	s := m.seat
	s.direction = Inbound // it is the caller here
	c.endBy(s.until)
	c.legs = append(c.legs, s)
	c.reg.seated(s.leg.ID(), c)
	s.fresh = true
	c.emit(Event{Kind: EventStarted, Leg: s.leg.ID(), Party: c.invite.From, Dialled: c.invite.Dialled})
	c.emit(Event{Kind: EventJoined, Leg: s.leg.ID(), Party: s.leg.Party(), Direction: s.direction, Other: m.from})
	c.start()
}

// emitJoined tells that a leg has gone to another call.
func (c *Call) emitJoined(s *seat, to *Call) {
	c.emit(Event{Kind: EventJoined, Leg: s.leg.ID(), Party: s.leg.Party(), Direction: s.direction, Other: to.ref.ID})
}

// arrived: the party that was transferred has got through. Who consults has only
// begun to.
func (c *Call) arrived() {
	o := c.origin
	if o == nil || o.Consult {
		return
	}
	c.origin = nil
	if o.refused {
		return // it talks to the transferor, who was called back
	}
	s := c.main()
	c.emit(Event{Kind: EventTransferred, Leg: s.leg.ID(), Party: s.leg.Party(), Other: o.call.ref.ID, By: o.leg})
	o.call.send(&progress{from: c, Progress: Progress{Kind: ProgressAnswered}})
}

// tellOrigin reports how the transfer goes to the conversation that waits.
func (c *Call) tellOrigin(p Progress) {
	if c.origin != nil && !c.origin.refused {
		c.origin.call.send(&progress{from: c, Progress: p})
	}
}

// progress is what the second conversation tells the first. A failure here means
// that the party does not come back.
type progress struct {
	Progress
	from *Call
}

func (m *progress) handle(c *Call) {
	if c.state != StateWaiting || c.away.to != m.from {
		return
	}
	if c.away.refer.Consult {
		if m.Kind == ProgressFailed {
			c.end(CauseNormal, "") // who consulted is gone
		}
		return
	}
	c.referred(c.away.waits, m.Progress)
	if m.Kind != ProgressRinging {
		c.dismiss()
	}
}

// dismiss ends the conversation whose transfer is over, once the transferor has
// had the time to do so itself.
func (c *Call) dismiss() {
	c.arm(&c.away.grace, transferGrace, func(c *Call) { c.end(CauseNormal, c.away.waits.leg.ID()) })
}

// forgetAway gives up waiting for a transfer; the party that went cannot come
// back.
func (c *Call) forgetAway() {
	if c.away != nil {
		c.disarm(&c.away.grace)
		c.away = nil
	}
}

// referred tells the transferor how its transfer goes.
func (c *Call) referred(s *seat, p Progress) {
	if s.state != LegLeaving {
		s.leg.Referred(p)
	}
}

// waitedFor goes on without the party that waits, or without the one that was to
// go and is still here because its new conversation has not said yes yet.
func (c *Call) waitedFor(s *seat, cause Cause) {
	a := c.away
	switch {
	case s != a.waits && s == a.moving:
		a.moving = nil
		c.referred(a.waits, Progress{ProgressFailed, hungUp(cause)})
		c.dismiss()
	case s == a.waits && a.moving != nil && a.moving != s:
		a.waits = a.moving // to be let go, or hung up if nobody takes it
	default:
		c.end(cause, s.leg.ID())
	}
}

// hungUp is why something did not come about whose party left with cause.
func hungUp(cause Cause) Cause {
	if cause == CauseNormal {
		return CauseCancelled
	}
	return cause
}

// wentAway: the other conversation has taken the party that was offered.
func (c *Call) wentAway(s *seat) {
	gone := c.away.waits == s // nobody waits
	c.away.moving = nil
	c.legs = without(c.legs, s)
	if gone {
		c.end(CauseNormal, "")
	}
}

// notTaken: the other conversation does not want the party that was offered, so
// the two talk again.
func (c *Call) notTaken(s *seat) {
	a := c.away
	if a.waits == s {
		c.end(CauseNormal, "")
		return
	}
	c.reunite(s, CauseNoCall)
}

// reunite lets the two parties talk again whose transfer failed.
func (c *Call) reunite(s *seat, cause Cause) {
	a := c.away
	c.forgetAway()
	c.move(opConnect)
	c.pair = [2]*seat{a.waits, s}
	if c.main() == s {
		c.pair = [2]*seat{s, a.waits}
	}
	c.mix()
	if !a.refer.Consult {
		c.referred(a.waits, Progress{ProgressFailed, cause})
	}
}

// peerOf is the party s talks to, nil if it talks to none.
func (c *Call) peerOf(s *seat) *seat {
	switch s {
	case c.pair[0]:
		return c.pair[1]
	case c.pair[1]:
		return c.pair[0]
	}
	return nil
}

// present is how many legs take part in the call.
func (c *Call) present() int {
	n := 0
	for _, s := range c.legs {
		if s.state != LegLeaving {
			n++
		}
	}
	return n
}

// transferor is who transferred the caller here, for whom it has come to; nil if
// nobody did.
func (c *Call) transferor() *Party {
	if c.origin == nil || c.origin.Consult || c.origin.refused {
		return nil
	}
	by := c.origin.By
	return &by
}

// shown is who a called party sees: the one it is rung for, unless somebody else
// was named.
func (c *Call) shown(from Party) Party {
	if from == (Party{}) {
		return c.main().leg.Party()
	}
	return from
}
