package sip

import (
	"sync/atomic"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/wire"
)

// leg is one INVITE dialog with a phone; it implements call.Leg. Its verbs may
// be called from anywhere; they run on its worker, to which every field below
// the first group belongs.
type leg struct {
	call.Line
	w       *worker
	id      call.LegID
	account Account // whose phone this is
	party   call.Party
	session *media.Session
	final   atomic.Pointer[call.MediaStats]

	dialog   dialog
	state    legState
	invite   inviteServer // of the INVITE or re-INVITE we are answering
	calling  *calling     // of our INVITE; nil on a caller's leg
	asking   exchange     // what we want to tell the far end
	timer    sessionTimer
	with     call.Party // whom the party talks with, as the call says
	digits   digitFilter
	informs  informRate
	referral *referral // of its latest REFER; nil without one
	// binding is the registration the phone speaks through; empty if it came
	// by another way.
	binding string
}

// ID implements call.Leg.
func (l *leg) ID() call.LegID { return l.id }

// Party implements call.Leg.
func (l *leg) Party() call.Party { return l.party }

// Media implements call.Leg.
func (l *leg) Media() call.Media { return l.session }

// Stats implements call.Leg.
func (l *leg) Stats() call.MediaStats {
	if s := l.final.Load(); s != nil {
		return *s
	}
	return mediaStats(l.session.Stats())
}

// Ring implements call.Leg.
func (l *leg) Ring(early bool) { l.do(func() { l.ring(early) }) }

// Answer implements call.Leg.
func (l *leg) Answer() { l.do(l.answer) }

// Connected implements call.Leg.
func (l *leg) Connected(p call.Party) { l.do(func() { l.connected(p) }) }

// Forwarded implements call.Leg.
func (l *leg) Forwarded() { l.do(l.forwarded) }

// Inform implements call.Leg.
func (l *leg) Inform(i call.Information) { l.do(func() { l.inform(i) }) }

// Referred implements call.Leg.
func (l *leg) Referred(p call.Progress) { l.do(func() { l.referred(p) }) }

// Hangup implements call.Leg.
func (l *leg) Hangup(c call.Cause) { l.do(func() { l.hangup(c) }) }

// do runs a verb on the leg's worker. One that panics ends the leg, which could
// not report anything any more.
func (l *leg) do(verb func()) {
	l.w.do(func() {
		defer func() {
			if p := recover(); p != nil {
				l.finish(call.CauseInternal, false)
				if tx := l.invite.tx; tx != nil {
					tx.respond(500, l.w.server.statelessReply(l.invite.request, tx.flow, 500, "Server Internal Error"))
				}
				l.remove()
				panic(p) // counted and logged by the worker's guard
			}
		}()
		verb()
	})
}

func (l *leg) hangup(c call.Cause) {
	switch {
	case l.state == legTrying && l.calling != nil:
		l.finish(c, false)
		l.cancel(c)
	case l.state == legTrying:
		l.finish(c, false)
		l.refuse(c)
	case l.state == legAnswered:
		// Without the ACK there is no dialog to end yet (RFC 3261 15): the BYE
		// follows the ACK, or its time-out.
		l.invite.bye = c
		l.finish(c, false)
	case l.state == legUp:
		l.finish(c, false)
		l.bye(c)
	}
}

// finish tells the call that the leg is over and frees its media. It does
// nothing the second time.
func (l *leg) finish(c call.Cause, remote bool) {
	l.finishWith(call.LegEvent{Cause: c, Remote: remote})
}

// finishWith is finish with more to tell.
func (l *leg) finishWith(ev call.LegEvent) {
	if l.state == legEnding || l.state == legGone {
		return
	}
	l.move(opFinish)
	l.w.wheel.stop(&l.timer.clock)
	l.referral.close()
	l.w.wheel.stop(&l.asking.retry)
	stats := mediaStats(l.session.Stats())
	l.final.Store(&stats)
	// The call hears of it before its script hears that the media stopped, or a
	// hangup in the middle of a sound would look like a fault of ours.
	ev.Leg, ev.Kind, ev.Stats = l.id, call.LegGone, &stats
	l.Emit(ev)
	l.session.Close()
}

// remove forgets the dialog; requests for it are answered with 481 from now on.
// It does nothing the second time: BYEs may cross.
func (l *leg) remove() {
	if l.state == legGone {
		return
	}
	l.move(opRemove)
	l.invite.settle(l.w)
	if l.calling != nil {
		l.w.wheel.stop(&l.calling.flowWait)
		l.w.server.waiting.drop(l)
		l.calling.settle(l.w, l.dialog)
	}
	delete(l.w.legs, l.key())
	l.retireLog()
	l.w.server.legs.Add(-1)
}

// abandon frees what a leg holds when its worker ends for good.
func (l *leg) abandon() { l.finish(call.CauseShutdown, false) }

func (l *leg) key() legKey { return legKey{l.dialog.callID, l.dialog.localTag} }

func (l *leg) emit(kind call.LegEventKind) { l.Emit(call.LegEvent{Leg: l.id, Kind: kind}) }

// bye ends a confirmed dialog. A re-INVITE that waits for its ACK waits no more.
func (l *leg) bye(c call.Cause) {
	l.invite.stop(l.w)
	l.follow()
	r := l.dialog.request(methodBye)
	r.fields = reasonFields(c)
	done := func(res *wire.Message) {
		if res.Status() >= 200 {
			l.remove()
		}
	}
	l.w.send(r, l.dialog.flow, done, l.remove)
}

// ownContact is where the far end reaches us inside the dialog.
func (l *leg) ownContact() string {
	return "<" + sipURI(l.account.Number, l.dialog.flow.local(), l.dialog.flow.transport()) + ">"
}

func (w *worker) addLeg(l *leg) {
	w.legs[l.key()] = l
	w.server.legs.Add(1)
	l.keepLog()
}

// newLeg makes a leg with its media session, which announces an address of the
// family its flow uses. One of an emergency call is urgent.
func (s *Server) newLeg(w *worker, a Account, f flow, urgent bool) (*leg, error) {
	l := &leg{w: w, id: call.LegID(token(16)), account: a, party: a.party()}
	session, err := s.media.NewSession(media.SessionConfig{
		Local:     f.own(),
		Announce:  f.advertised(),
		SIPSource: f.remote().Addr(),
		Urgent:    urgent,
		Events: media.Events{
			Digit:  func(d byte) { w.do(func() { l.digit(d, digitRTP) }) },
			Silent: func() { w.do(l.probe) },
			Unmet:  func() { w.do(l.retune) },
		},
	})
	if err != nil {
		return nil, err
	}
	l.session = session
	return l, nil
}

func (a Account) party() call.Party {
	return call.Party{Extension: a.Extension, Number: a.Number, Name: a.Name, Domain: a.Domain}
}
