package call

import "slices"

// ring is one attempt to reach an extension at all its contacts. Loop only,
// but for result.
type ring struct {
	spec    RingSpec
	result  func(Outcome) // called once, or not at all when the ring is dropped; nil: script has it
	script  *ringing      // that the loop runs itself; nil for one in a goroutine
	ringing []*seat       // not failed yet
	room    [2]*seat
	best    Outcome // of those that failed
	timeout timer
	alerted bool  // the caller has been told that the far end rings
	early   *seat // whose early media the caller hears
}

// failures turns the cause of a leg that did not answer into an outcome; what
// is not here is OutcomeFailed.
var failures = map[Cause]OutcomeKind{
	CauseBusy:         OutcomeBusy,
	CauseRejected:     OutcomeRejected,
	CauseNoAnswer:     OutcomeNoAnswer,
	CauseUnreachable:  OutcomeUnreachable,
	CauseNotFound:     OutcomeUnreachable,
	CauseRedirected:   OutcomeRedirected,
	CauseMediaTimeout: OutcomeUnreachable,
	CauseProtocol:     OutcomeUnreachable,
}

// rank orders failures by how much they tell the caller. A busy phone proves
// that the person is there; an unreachable one proves nothing.
var rank = map[OutcomeKind]int{
	"":                 0,
	OutcomeUnreachable: 1,
	OutcomeFailed:      2,
	OutcomeNoAnswer:    3,
	OutcomeRejected:    4,
	OutcomeBusy:        5,
}

// failure is the outcome of a leg, or a whole dial, that ended with cause.
func failure(branch string, cause Cause, by LegID) Outcome {
	kind, ok := failures[cause]
	if !ok {
		kind = OutcomeFailed
	}
	return Outcome{Branch: branch, Kind: kind, Cause: cause, By: by}
}

// over tells the script how the ring has ended.
func (r *ring) over(c *Call, o Outcome) {
	if r.result != nil {
		r.result(o)
		return
	}
	r.script.over(c, o)
}

// startRing dials and takes the legs into the call.
func (c *Call) startRing(r *ring) {
	legs, cause := c.reg.cfg.Dialer.Dial(c, Target{
		Client: c.invite.Client, Extension: r.spec.Extension, From: c.shown(r.spec.From), Peer: c.main().leg.Media(),
		Diverted: r.spec.Diverted, By: c.transferor(), Urgent: c.reg.emergency(c),
	})
	if len(legs) == 0 {
		r.over(c, failure(r.spec.Branch, cause, ""))
		return
	}
	c.move(opRing)
	c.ring, r.ringing = r, r.room[:0]
	if len(r.spec.Diverted) > 0 {
		c.main().leg.Forwarded()
	}
	for _, leg := range legs {
		s := c.seat(leg, Outbound)
		s.told = r.spec.From
		r.ringing = append(r.ringing, s)
		c.emit(Event{Kind: EventLegStarted, Leg: leg.ID(), Party: leg.Party(), Direction: Outbound})
	}
	if r.spec.Timeout > 0 {
		c.arm(&r.timeout, r.spec.Timeout, (*Call).ringTimeout)
	}
}

// alerting tells the caller, once, that somebody's phone rings.
func (c *Call) alerting(s *seat) {
	c.emit(Event{Kind: EventRinging, Leg: s.leg.ID(), Party: s.leg.Party()})
	if !c.ring.alerted {
		c.ring.alerted = true
		c.main().connected(s.party())
		c.ringback(c.main())
		c.tellOrigin(Progress{Kind: ProgressRinging})
	}
}

// earlyMedia lets the caller hear the first contact that sends audio. Joining
// comes first: the caller's media answer depends on whom it is joined to.
func (c *Call) earlyMedia(s *seat) {
	if c.ring.early != nil {
		return
	}
	c.ring.early = s
	c.ring.alerted = true
	c.reg.cfg.Mixer.Join(c.main().leg.Media(), s.leg.Media())
	c.main().connected(s.party())
	if c.main().state != LegUp {
		c.main().leg.Ring(true)
	}
	c.tellOrigin(Progress{Kind: ProgressRinging})
}

// won ends the ring: the first to answer talks, the others stop ringing.
func (c *Call) won(s *seat) {
	r := c.closeRing()
	r.ringing = without(r.ringing, s)
	c.up(s)
	c.note("ring", "answered")
	c.talk = r.spec.Branch
	c.connect(s)
	c.hangupAll(r.ringing, CauseAnsweredElsewhere)
	r.over(c, Outcome{Branch: r.spec.Branch, Kind: OutcomeDone, By: s.leg.ID()})
}

// lost takes a leg out of the ring; with the last one the ring is over.
func (c *Call) lost(s *seat, cause Cause) {
	r := c.ring
	r.ringing = without(r.ringing, s)
	if o := failure(r.spec.Branch, cause, s.leg.ID()); rank[o.Kind] > rank[r.best.Kind] {
		r.best = o
	}
	if r.early == s {
		r.early = nil
		c.main().leg.Media().Quiet()
	}
	if len(r.ringing) == 0 {
		c.closeRing()
		if c.main().state == LegUp {
			c.main().leg.Media().Quiet() // the tone
		}
		c.move(opUnanswered)
		r.over(c, r.best)
	}
}

// redirected ends the ring because a contact sent the call on: whoever still
// rings is told that it went elsewhere.
func (c *Call) redirected(s *seat, m *legEvent) {
	r := c.closeRing()
	c.hangupAll(without(r.ringing, s), CauseRedirected)
	if r.early != nil {
		c.main().leg.Media().Quiet()
	}
	c.move(opUnanswered)
	o := failure(r.spec.Branch, CauseRedirected, s.leg.ID())
	o.To, o.Why = m.To, m.Why
	r.over(c, o)
}

// ringTimeout hangs up whoever still rings.
func (c *Call) ringTimeout() {
	for _, s := range slices.Clone(c.ring.ringing) {
		c.hangup(s, CauseNoAnswer)
		c.lost(s, CauseNoAnswer)
	}
}

// closeRing forgets the ring under way and returns it.
func (c *Call) closeRing() *ring {
	r := c.ring
	c.ring = nil
	c.disarm(&r.timeout)
	return r
}

// dropRing hangs up the legs of a ring whose result nobody wants any more. The
// state is the caller's business.
func (c *Call) dropRing(cause Cause) {
	if c.ring != nil {
		c.hangupAll(c.closeRing().ringing, cause)
	}
}

// cancelRing ends the ring under way, if any, without a result.
func (c *Call) cancelRing() {
	if c.ring == nil {
		return
	}
	c.dropRing(CauseCancelled)
	c.move(opUnanswered)
	c.main().leg.Media().Quiet()
}

// giveUp is posted by a Ring whose ctx has ended. A ring that ended otherwise in
// the meantime is none of its business.
type giveUp struct{ ring *ring }

func (m *giveUp) handle(c *Call) {
	if c.ring == m.ring {
		c.cancelRing()
	}
}
