package history

import (
	"slices"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// What a record keeps of a call at most, so that it stays far below the largest
// row of the store.
const (
	maxEvents = 400
	maxTrace  = 200
	maxLegs   = 100

	usualEvents, usualTrace = 10, 3 // of a call from one phone to another
)

// running is a call that has not ended, as its events so far tell it. Times keep
// their monotonic reading.
type running struct {
	id      call.ID
	client  int64
	caller  call.Party
	dialled string
	main    call.LegID // the caller's leg

	started  time.Time
	answered time.Time // a caller was
	legs     []*runningLeg

	bridged time.Time     // since when two legs are up; zero while they are not
	first   time.Time     // when that first was so
	talked  time.Duration // how long that was so before
	partner call.Party    // the called party of the first talk
	over    time.Time     // when it ended; zero before
	cause   call.Cause    // empty until ended
	endedBy call.LegID
	events  []Event
	trace   []call.TraceEntry
	left    int

	due bool // Run only: its journal entry is to be written
}

// runningLeg is a leg of a running call, also after its own end.
type runningLeg struct {
	id        call.LegID
	party     call.Party
	direction call.Direction

	started, answered, ended time.Time
	cause                    call.Cause
	remote                   bool
	stats                    call.MediaStats
	moved                    call.ID
	messages                 []call.Message // of a leg that has left
}

func (l *runningLeg) up() bool { return !l.answered.IsZero() && l.ended.IsZero() }

// begin is a call whose EventStarted is ev.
func begin(ev call.Event) *running {
	r := &running{
		id: ev.Call, client: ev.Client, caller: ev.Party, dialled: ev.Dialled, main: ev.Leg, started: ev.At,
		events: make([]Event, 0, usualEvents), legs: make([]*runningLeg, 0, 2),
	}
	r.keep(ev)
	return r
}

// apply takes the next event of the call in. Events that make no sense at this
// point are kept and change nothing.
func (r *running) apply(ev call.Event) {
	r.keep(ev)
	leg := r.leg(ev.Leg)
	switch ev.Kind {
	case call.EventLegStarted:
		if leg == nil {
			r.addLeg(ev)
		}
	case call.EventAnswered:
		r.answer(leg, ev.At)
	case call.EventLegEnded:
		if leg != nil && leg.ended.IsZero() {
			leg.ended, leg.cause, leg.remote = ev.At, known(ev.Cause), ev.Remote
			if ev.Stats != nil {
				leg.stats = *ev.Stats
				leg.stats.FirstAt = utc(leg.stats.FirstAt)
			}
		}
	case call.EventJoined:
		r.join(leg, ev)
	case call.EventEnded:
		r.over, r.cause, r.endedBy = ev.At, known(ev.Cause), ev.By
	}
	r.bridge(ev.At)
}

// known is the cause of something that has ended, which cannot be none.
func known(c call.Cause) call.Cause {
	if c == "" {
		return call.CauseInternal
	}
	return c
}

// answer: a leg is up. One that was transferred here was so before the call was
// answered.
func (r *running) answer(leg *runningLeg, at time.Time) {
	if leg == nil || !leg.ended.IsZero() {
		return
	}
	if leg.answered.IsZero() {
		leg.answered = at
	}
	if leg.direction == call.Inbound && r.answered.IsZero() {
		r.answered = at
	}
}

// join: a leg we have goes to another call; one we do not have comes from there,
// or comes back.
func (r *running) join(leg *runningLeg, ev call.Event) {
	switch {
	case leg == nil:
		if leg = r.addLeg(ev); leg != nil {
			leg.answered = ev.At
		}
	case leg.ended.IsZero():
		leg.ended, leg.cause, leg.moved = ev.At, call.CauseNormal, ev.Other
	case leg.moved != "":
		leg.ended, leg.cause, leg.moved = time.Time{}, "", ""
	}
}

func (r *running) addLeg(ev call.Event) *runningLeg {
	if len(r.legs) == maxLegs {
		r.left++
		return nil
	}
	leg := &runningLeg{id: ev.Leg, party: ev.Party, direction: ev.Direction, started: ev.At}
	r.legs = append(r.legs, leg)
	return leg
}

func (r *running) leg(id call.LegID) *runningLeg {
	for _, l := range r.legs {
		if l.id == id {
			return l
		}
	}
	return nil
}

// bridge keeps account of the time two legs are up.
func (r *running) bridge(at time.Time) {
	var up []*runningLeg
	for _, l := range r.legs {
		if l.up() {
			up = append(up, l)
		}
	}
	talking := len(up) > 1 && r.cause == ""
	switch {
	case talking && r.bridged.IsZero():
		r.bridged = at
		if r.first.IsZero() {
			r.first = at
			r.partner = up[slices.IndexFunc(up, func(l *runningLeg) bool { return l.id != r.main })].party
		}
	case !talking && !r.bridged.IsZero():
		r.talked += at.Sub(r.bridged)
		r.bridged = time.Time{}
	}
}

// keep notes the event for the record.
func (r *running) keep(ev call.Event) {
	if ev.Kind == call.EventDecided {
		if ev.Trace == nil || len(r.trace) == maxTrace {
			r.left++
			return
		}
		if r.trace == nil {
			r.trace = make([]call.TraceEntry, 0, usualTrace)
		}
		entry := *ev.Trace
		entry.At = utc(entry.At)
		r.trace = append(r.trace, entry)
		return
	}
	// The end of things has its place also where the middle is left out.
	last := ev.Kind == call.EventEnded || ev.Kind == call.EventLegEnded && len(r.events) < maxEvents+maxLegs
	if len(r.events) >= maxEvents && !last {
		r.left++
		return
	}
	r.events = append(r.events, Event{
		Seq: ev.Seq, At: utc(ev.At), Kind: ev.Kind, Leg: ev.Leg, Extension: ev.Party.Extension,
		Number: ev.Party.Number, Cause: ev.Cause, By: ev.By, Other: ev.Other, Finding: ev.Finding,
	})
}
