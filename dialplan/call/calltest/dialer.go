package calltest

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// Contact is how a phone behaves when it is dialled. It is called by the loop
// of the call: it arranges what happens later and returns.
type Contact func(l *Leg)

// after arranges one thing to happen to a leg.
func after(d time.Duration, f func()) { time.AfterFunc(d, f) }

// Answers rings at once and is picked up after d.
func Answers(d time.Duration) Contact {
	return func(l *Leg) {
		l.Ringing()
		after(d, l.PickUp)
	}
}

// Rings rings until it is told to stop.
func Rings() Contact { return (*Leg).Ringing }

// Silent does not respond at all.
func Silent() Contact { return func(*Leg) {} }

// Fails ends the leg with a cause after d: CauseBusy, CauseRejected and so on.
func Fails(d time.Duration, cause call.Cause) Contact {
	return func(l *Leg) { after(d, func() { l.Leave(cause, true) }) }
}

// EarlyThenAnswers sends audio at once and is picked up after d.
func EarlyThenAnswers(d time.Duration) Contact {
	return func(l *Leg) {
		l.EarlyMedia()
		after(d, l.PickUp)
	}
}

// AnswersLate rings, and when it is told to stop answers just then: the 200
// that crosses a CANCEL. Only the second Hangup ends it.
func AnswersLate() Contact {
	return func(l *Leg) {
		picked := false // by the loop that hangs up
		l.OnHangup = func(l *Leg, cause call.Cause) {
			if !picked {
				picked = true
				l.PickUp()
				return
			}
			l.Leave(cause, false)
		}
		l.Ringing()
	}
}

// Dialer makes fake legs. The zero value has no phones: every extension is
// unreachable.
type Dialer struct {
	mu      sync.Mutex
	phones  map[int64][]Contact
	targets []call.Target
	legs    []*Leg
}

// Set gives an extension its contacts, replacing those it had.
func (d *Dialer) Set(extension int64, contacts ...Contact) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.phones == nil {
		d.phones = make(map[int64][]Contact)
	}
	d.phones[extension] = contacts
}

// Dial makes one leg for each contact of the extension.
func (d *Dialer) Dial(owner *call.Call, to call.Target) ([]call.Leg, call.Cause) {
	d.mu.Lock()
	contacts := d.phones[to.Extension]
	d.targets = append(d.targets, to)
	d.mu.Unlock()
	if len(contacts) == 0 {
		return nil, call.CauseUnreachable
	}
	var dialled []call.Leg
	for _, behave := range contacts {
		l := NewLeg(call.Party{Extension: to.Extension, Number: strconv.FormatInt(to.Extension, 10)})
		l.Attach(owner)
		d.mu.Lock()
		d.legs = append(d.legs, l)
		d.mu.Unlock()
		behave(l)
		dialled = append(dialled, l)
	}
	return dialled, ""
}

// Legs returns every leg made so far, in order.
func (d *Dialer) Legs() []*Leg {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.legs)
}

// Targets returns what was dialled so far, in order.
func (d *Dialer) Targets() []call.Target {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.targets)
}
