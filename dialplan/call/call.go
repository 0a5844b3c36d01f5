package call

import (
	"crypto/rand"
	"errors"
	"time"

	"github.com/cordpair/cordpair/dialplan/call/actor"
)

// Errors of a call. The first two are also the causes of a script's ctx.
var (
	// ErrEnded means that the call is over or about to be.
	ErrEnded = errors.New("call has ended")
	// ErrRedirected means that the call was given something else to do.
	ErrRedirected = errors.New("call was redirected")
	// ErrNotScript is returned to an ask that does not come from the call's
	// present script: its ctx is not the one given to Effect.Run.
	ErrNotScript = errors.New("not the call's script")
	// ErrBusy is returned to an ask that does not fit the state of the call:
	// its parties are talking, or a ring is under way.
	ErrBusy = errors.New("call is ringing or talking")
)

// Call is one conversation. Its loop alone touches the fields marked so; every
// method here posts a message or reads the snapshot. What a usual call needs is part
// of it, so that it is one piece of memory.
type Call struct {
	ref     Ref
	invite  Invite
	reg     *Registry
	started time.Time
	box     actor.Mailbox[message]
	info    pages

	progress actor.Progress // look only

	// loop only
	now        time.Time // when the loop took the message it handles
	state      State
	legs       []*seat    // in the order they came
	pair       [2]*seat   // who talks with whom in StateTalking
	arriving   []*arrival // legs other calls were allowed to move here
	ring       *ring      // the ring under way in StateRinging
	script     *script    // the script that has not returned yet
	planner    Planner
	origin     *origin   // where the party was transferred from; nil once that is done
	away       *away     // in StateWaiting: the transfer that somebody waits for
	going      *going    // the main party is offered to another call by the script
	gone       *legEvent // end of a leg that another one is to replace
	legScripts int       // leg scripts that have not returned
	steps      []Step    // decided, not begun
	last       Outcome   // not told to the planner yet; none without a kind
	talk       string    // branch of the step that led to the present talk
	clock      clock
	until      time.Time // the call ends then at the latest
	duration   timer     // until
	linger     timer     // lingerLimit
	answered   time.Time
	cause      Cause // why the call ends, from StateEnding on
	by         LegID // who ended it
	seq        int
	path       []stop // one per step, for the story

	// Room for two legs, and for the path of their call.
	seats   [2]seat
	seated  int // how many of seats are taken
	atSeats [2]*seat
	stops   [4]stop
}

// newCall makes the call of a leg, nil if that one comes later; nothing runs and
// nobody knows of it yet.
func newCall(r *Registry, leg Leg, inv Invite) *Call {
	c := &Call{ref: Ref{Node: r.cfg.Node, ID: newID()}, invite: inv, reg: r, started: time.Now()}
	c.now, c.until = c.started, c.started.Add(r.cfg.MaxDuration)
	c.box.Share(r.cfg.MailboxCap)
	c.legs, c.path, c.clock.timers = c.atSeats[:0], c.stops[:0], c.clock.room[:0]
	if leg != nil {
		c.newSeat(leg, Inbound)
	}
	c.publish()
	return c
}

// newID returns 128 random bits (T4, A12) as 32 upper hex digits.
func newID() ID {
	const digits = "0123456789ABCDEF"
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	var text [2 * len(b)]byte
	for i, v := range b {
		text[2*i], text[2*i+1] = digits[v>>4], digits[v&15]
	}
	return ID(text[:])
}

// ID is the call_uuid.
func (c *Call) ID() ID { return c.ref.ID }

// Ref addresses the call from anywhere.
func (c *Call) Ref() Ref { return c.ref }

// Caller is the party that began the call, also when its leg has left.
func (c *Call) Caller() Party { return c.invite.From }

// Info returns the latest picture of the call. It is never nil.
func (c *Call) Info() *Info { return c.info.read() }

// Hangup ends the call: every leg is hung up with the cause. It does not wait.
// An ended call ignores it.
func (c *Call) Hangup(cause Cause) {
	c.post(&hangup{cause: cause})
	c.wake()
}

// HangupLeg ends one leg as if its party had hung up: with CauseNormal a leg
// that is not answered is cancelled (a caller's) or rejected (a called one), and
// whatever follows from its end follows. It does not wait. A leg that is not here
// any more, or leaving already, is left alone.
func (c *Call) HangupLeg(leg LegID, cause Cause) {
	c.post(&hangupLeg{leg: leg, cause: cause})
	c.wake()
}

// Redirect makes the call run step instead of what it does now: a running
// script is cancelled with ErrRedirected, legs that ring are cancelled, and if
// two parties talk the one that has been in the call longer stays. It returns
// ErrEnded if the call is over or about to be. The loop never waits, so neither
// does this for long. Not for actors: they tell, and never ask.
func (c *Call) Redirect(step Step) error {
	m := &redirect{step: step, answer: make(chan error, 1)}
	if !c.post(m) {
		return ErrEnded
	}
	c.wake()
	return <-m.answer
}

// Handover asks the call to give one of its legs to another call, where it will
// talk to the party that is there. It does not wait. The leg stays here if it is
// not there any more, still rings, or the other call is ending; that is counted
// as RefusedHandover. Both calls emit EventJoined when the leg has moved.
func (c *Call) Handover(leg LegID, to *Call) {
	if !c.post(&handover{leg: leg, to: to}) {
		c.reg.stats.refuse(RefusedHandover)
	}
	c.wake()
}

// send pushes a message of another loop, which must not be lost.
func (c *Call) send(m message) bool {
	ok := c.box.PushExempt(m)
	c.wake()
	return ok
}

// post pushes an outside message and counts it if it is refused. Who posts runs
// or wakes the loop.
func (c *Call) post(m message) bool {
	if c.box.Push(m) {
		return true
	}
	if c.box.Closed() {
		c.reg.stats.refuse(RefusedEnded)
	} else {
		c.reg.stats.refuse(RefusedMailbox)
	}
	return false
}
