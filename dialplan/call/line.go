package call

import "sync/atomic"

// Line ties a leg to the call that owns it. Implementations of Leg embed it by
// value. Its zero value belongs to nobody: events emitted then are dropped, so
// a leg is attached (by its Dialer, or by Registry.Start) before it speaks.
type Line struct {
	owner  atomic.Pointer[Call]
	events atomic.Uint64
	busy   atomic.Bool // event is on its way
	event  legEvent    // whoever made it busy, until it is handled
}

// Attach makes owner the owner of a leg just made. It is for Dialers, before
// the leg's first event; later only a handover changes the owner.
func (l *Line) Attach(owner *Call) { l.owner.Store(owner) }

// Emit posts an event to the leg's owner, from any goroutine, and never waits for
// anybody. What follows from the event may happen before it returns, verbs to this
// leg included, so the caller holds no lock that its verbs take.
// If the leg moves at this moment the event follows it. The first event of kind
// LegGone is the last one that has an effect.
func (l *Line) Emit(ev LegEvent) {
	m := l.blank()
	m.line, m.number, m.LegEvent = l, l.events.Add(1), ev
	if owner := l.send(m, ev.Kind == LegGone); owner != nil {
		owner.run()
	}
}

// blank is an event to fill in: the line's own, while no other one is on its way.
func (l *Line) blank() *legEvent {
	if l.busy.CompareAndSwap(false, true) {
		return &l.event
	}
	return new(legEvent)
}

// send delivers to whoever owns the line now and returns who took it. A push that fails while the owner
// changes is tried again with the new one; otherwise the owner has ended, or is
// ending of overload, and needs no further events. LegGone is exempt from the
// mailbox's limit: a call ends only when all its legs are gone.
func (l *Line) send(m *legEvent, exempt bool) *Call {
	for {
		owner := l.owner.Load()
		if owner == nil {
			return nil
		}
		push := owner.box.Push
		if exempt {
			push = owner.box.PushExempt
		}
		if push(m) {
			return owner
		}
		if l.owner.Load() == owner {
			return nil
		}
	}
}

// line lets a call reach the Line inside any Leg and keeps other types from
// meeting the interface without one.
func (l *Line) line() *Line { return l }

var _ interface{ line() *Line } = (*Line)(nil)
