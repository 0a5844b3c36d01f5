package calltest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cordpair/cordpair/dialplan/call"
)

// Leg is a phone in memory. The call's verbs are recorded; the test plays the
// person with the methods PickUp, HangUp, Hold and so on.
type Leg struct {
	call.Line
	id    call.LegID
	party call.Party
	media *Media

	// OnHangup, if set before the leg is used, replaces what a phone does when
	// the call hangs it up: report LegGone.
	OnHangup func(l *Leg, cause call.Cause)

	mu      sync.Mutex
	verbs   []string
	parties []call.Party
	gone    bool
	stats   *call.MediaStats // nil: the usual ones
}

// legs counts the legs made, for their ids.
var legs atomic.Uint64

// NewLeg returns a leg with a party at its far end, attached to no call.
func NewLeg(party call.Party) *Leg {
	id := call.LegID(fmt.Sprintf("%032x", legs.Add(1)))
	return &Leg{id: id, party: party, media: &Media{name: string(id)}}
}

// ID is unique in the process.
func (l *Leg) ID() call.LegID { return l.id }

// Party is the one given to NewLeg.
func (l *Leg) Party() call.Party { return l.party }

// Media is always a *Media.
func (l *Leg) Media() call.Media { return l.media }

// Stats names a codec, so that a test can see that they were taken along, and one
// packet, so that there is nothing to find fault with; or what SetStats gave.
func (l *Leg) Stats() call.MediaStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stats != nil {
		return *l.stats
	}
	return call.MediaStats{Codec: "fake", PacketsReceived: 1}
}

// SetStats says what Stats returns from now on.
func (l *Leg) SetStats(s call.MediaStats) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats = &s
}

// Ring records "ring" or "ring early".
func (l *Leg) Ring(early bool) {
	if early {
		l.record("ring early")
		return
	}
	l.record("ring")
}

// Answer records "answer".
func (l *Leg) Answer() { l.record("answer") }

// Connected is recorded apart from the other verbs, see Parties.
func (l *Leg) Connected(p call.Party) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parties = append(l.parties, p)
}

// Parties are those the leg was told it talks with, in order.
func (l *Leg) Parties() []call.Party {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.parties)
}

// Forwarded records "forwarded".
func (l *Leg) Forwarded() { l.record("forwarded") }

// Inform records "inform <type> <body>".
func (l *Leg) Inform(i call.Information) { l.record("inform " + i.Type + " " + string(i.Body)) }

// Referred records "referred ringing", "referred answered" or "referred failed
// <cause>".
func (l *Leg) Referred(p call.Progress) {
	verb := "referred " + string(p.Kind)
	if p.Cause != "" {
		verb += " " + string(p.Cause)
	}
	l.record(verb)
}

// Hangup records "hangup <cause>" and reports LegGone, unless OnHangup is set.
func (l *Leg) Hangup(cause call.Cause) {
	l.record("hangup " + string(cause))
	if l.OnHangup != nil {
		l.OnHangup(l, cause)
		return
	}
	l.Leave(cause, false)
}

func (l *Leg) record(verb string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.verbs = append(l.verbs, verb)
}

// Verbs returns what the call has told the leg so far.
func (l *Leg) Verbs() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.verbs)
}

// Told reports whether the call has ever told the leg verb.
func (l *Leg) Told(verb string) bool { return slices.Contains(l.Verbs(), verb) }

// Gone reports whether the leg has ended.
func (l *Leg) Gone() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone
}

// Hears is what the party hears, see Media.Hears.
func (l *Leg) Hears() string { return l.media.Hears() }

// Ringing: the phone alerts its user.
func (l *Leg) Ringing() { l.emit(call.LegEvent{Kind: call.LegRinging}) }

// EarlyMedia: the phone sends audio before it is answered.
func (l *Leg) EarlyMedia() { l.emit(call.LegEvent{Kind: call.LegEarlyMedia}) }

// PickUp: the called user answers; for a caller, the answer is confirmed.
func (l *Leg) PickUp() { l.emit(call.LegEvent{Kind: call.LegAnswered}) }

// Hold: the user puts the call on hold.
func (l *Leg) Hold() { l.emit(call.LegEvent{Kind: call.LegHeld}) }

// Resume: the user comes back.
func (l *Leg) Resume() { l.emit(call.LegEvent{Kind: call.LegResumed}) }

// Press: the user presses keys.
func (l *Leg) Press(keys string) {
	for i := range len(keys) {
		l.emit(call.LegEvent{Kind: call.LegDigit, Digit: keys[i]})
	}
}

// Report: the phone sends its peer something.
func (l *Leg) Report(i call.Information) {
	l.emit(call.LegEvent{Kind: call.LegInform, Information: &i})
}

// Redirect: the called phone sends the call on to another number.
func (l *Leg) Redirect(to string, why call.DivertReason) {
	l.leave(call.LegEvent{Kind: call.LegGone, Cause: call.CauseRedirected, Remote: true, To: to, Why: why})
}

// Refer: the user wants the other party transferred.
func (l *Leg) Refer(r call.Refer) { l.emit(call.LegEvent{Kind: call.LegRefer, Refer: &r}) }

// HangUp: the user hangs up, which ends the leg with CauseNormal.
func (l *Leg) HangUp() { l.Leave(call.CauseNormal, true) }

// Leave ends the leg with a cause, by the far end or not. Only the first time
// counts.
func (l *Leg) Leave(cause call.Cause, remote bool) {
	l.leave(call.LegEvent{Kind: call.LegGone, Cause: cause, Remote: remote})
}

func (l *Leg) leave(ev call.LegEvent) {
	l.mu.Lock()
	was := l.gone
	l.gone = true
	l.mu.Unlock()
	if !was {
		stats := l.Stats()
		ev.Leg, ev.Stats = l.id, &stats
		l.Emit(ev)
		l.media.Quiet()
	}
}

// emit reports an event unless the leg has ended.
func (l *Leg) emit(ev call.LegEvent) {
	if !l.Gone() {
		ev.Leg = l.id
		l.Emit(ev)
	}
}
