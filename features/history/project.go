package history

import (
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// What a record keeps of a call at most, so that it stays far below the largest
// row of the store.
const (
	maxEvents = 400
	maxTurns  = 4 * maxLegs // events behind those, see turns
	maxTrace  = 200
	maxLegs   = 100
	maxTale   = 256 << 10 // bytes

	usualTale = 1024 // bytes, of a call from one phone to another
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
	legs     []runningLeg

	bridged time.Time     // since when two legs are up; zero while they are not
	first   time.Time     // when that first was so
	talked  time.Duration // how long that was so before
	partner call.Party    // the called party of the first talk
	over    time.Time     // when it ended; zero before
	cause   call.Cause    // empty until ended
	endedBy call.LegID

	tale              writer
	events, decisions int // in the tale
	left              int // not in it

	due   bool   // Run only: its journal entry is to be written
	noted int    // Run only: how much of the tale is in the journal
	row   []byte // of its record, once there is one

	// What an ordinary call needs lies in one piece.
	words [64]span
	two   [2]runningLeg
}

// runningLeg is a leg of a running call, also after its own end.
type runningLeg struct {
	id        call.LegID
	party     call.Party
	direction call.Direction

	started, answered, ended time.Time
	cause                    call.Cause
	remote                   bool
	stats                    *call.MediaStats // nil for zeros
	moved                    call.ID
	messages                 []call.Message // of a leg that has left
}

func (l *runningLeg) up() bool { return !l.answered.IsZero() && l.ended.IsZero() }

// begin is a call whose EventStarted is ev.
func begin(ev *call.Event) *running {
	r := &running{id: ev.Call, client: ev.Client, caller: ev.Party, dialled: ev.Dialled, main: ev.Leg, started: ev.At}
	r.legs, r.tale.words = r.two[:0], r.words[:0]
	r.tale.begin(make([]byte, 0, usualTale), ev.At)
	r.keep(ev)
	return r
}

// apply takes the next event of the call in. Events that make no sense at this
// point are kept and change nothing.
func (r *running) apply(ev *call.Event) {
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
			leg.stats = ev.Stats
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
func (r *running) join(leg *runningLeg, ev *call.Event) {
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

func (r *running) addLeg(ev *call.Event) *runningLeg {
	if len(r.legs) == maxLegs {
		r.left++
		return nil
	}
	r.legs = append(r.legs, runningLeg{id: ev.Leg, party: ev.Party, direction: ev.Direction, started: ev.At})
	return &r.legs[len(r.legs)-1]
}

// leg finds a leg; it stands there until the next one is added.
func (r *running) leg(id call.LegID) *runningLeg {
	for i := range r.legs {
		if r.legs[i].id == id {
			return &r.legs[i]
		}
	}
	return nil
}

// bridge keeps account of the time two legs are up.
func (r *running) bridge(at time.Time) {
	up := 0
	var partner *runningLeg // the first of them that is not the caller's
	for i := range r.legs {
		if l := &r.legs[i]; l.up() {
			up++
			if partner == nil && l.id != r.main {
				partner = l
			}
		}
	}
	talking := up > 1 && r.cause == ""
	switch {
	case talking && r.bridged.IsZero():
		r.bridged = at
		if r.first.IsZero() {
			r.first, r.partner = at, partner.party
		}
	case !talking && !r.bridged.IsZero():
		r.talked += at.Sub(r.bridged)
		r.bridged = time.Time{}
	}
}

// keep puts the event into the tale, unless that has become too long.
func (r *running) keep(ev *call.Event) {
	before, words := len(r.tale.b), len(r.tale.words)
	switch {
	case !r.room(ev):
		r.left++
	case ev.Kind == call.EventDecided:
		r.decisions++
		r.tale.tellDecision(ev.Trace)
	default:
		r.events++
		r.tale.tellEvent(ev)
	}
	if r.tale.err != nil { // a step whose parameters cannot be written
		r.tale.back(before, words)
		r.left++
	}
}

// room reports whether the tale has room for an event. What the record is made of has
// its place also where the middle is left out.
func (r *running) room(ev *call.Event) bool {
	short := len(r.tale.b) < maxTale
	switch ev.Kind {
	case call.EventDecided:
		return ev.Trace != nil && short && r.decisions < maxTrace
	case call.EventEnded:
		return true
	}
	return short && r.events < maxEvents || r.events < maxEvents+maxTurns && r.turns(ev)
}

// turns reports whether an event changes who takes part.
func (r *running) turns(ev *call.Event) bool {
	leg := r.leg(ev.Leg)
	switch ev.Kind {
	case call.EventLegStarted:
		return leg == nil && len(r.legs) < maxLegs
	case call.EventJoined:
		return leg != nil || len(r.legs) < maxLegs
	case call.EventAnswered, call.EventLegEnded:
		return leg != nil && leg.ended.IsZero()
	}
	return false
}
