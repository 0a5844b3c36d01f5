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
	own      clientTx     // of our INVITE, then of our BYE
	asking   exchange     // what we want to tell the far end
	timer    sessionTimer
	with     call.Party // whom the party talks with, as the call says
	shown    string     // with as a name-addr
	digits   digitFilter
	informs  informRate
	referral *referral // of its latest REFER; nil without one
	// binding is the registration the phone speaks through; empty if it came
	// by another way.
	binding string
	log     messageLog
	last    call.MediaStats // what final points to
}

// calledLeg is a leg with what only a called one needs, callersLeg with what only a
// caller's needs: one piece of memory each.
type calledLeg struct {
	leg
	calling calling
}

type callersLeg struct {
	leg
	tx serverTx
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
func (l *leg) Ring(early bool) { l.post(job{verb: verbRing, early: early}) }

// Answer implements call.Leg.
func (l *leg) Answer() { l.post(job{verb: verbAnswer}) }

// Connected implements call.Leg.
func (l *leg) Connected(p call.Party) { l.post(job{verb: verbConnected, with: p}) }

// Forwarded implements call.Leg.
func (l *leg) Forwarded() { l.post(job{verb: verbForwarded}) }

// Inform implements call.Leg.
func (l *leg) Inform(i call.Information) { l.do(func() { l.inform(i) }) }

// Referred implements call.Leg.
func (l *leg) Referred(p call.Progress) { l.do(func() { l.referred(p) }) }

// Hangup implements call.Leg.
func (l *leg) Hangup(c call.Cause) { l.post(job{verb: verbHangup, cause: c}) }

// do runs what happens seldom on the leg's worker, as a verb.
func (l *leg) do(f func()) { l.post(job{verb: verbOther, f: f}) }

func (l *leg) post(j job) {
	j.leg = l
	l.w.post(j)
}

// perform does what a job asks of its leg. One that panics ends the leg, which could
// not report anything any more.
func (l *leg) perform(j *job) {
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
	switch j.verb {
	case verbPlace:
		l.callPhone()
	case verbRing:
		l.ring(j.early)
	case verbAnswer:
		l.answer()
	case verbConnected:
		l.connected(j.with)
	case verbForwarded:
		l.forwarded()
	case verbHangup:
		l.hangup(j.cause)
	case verbOther:
		j.f()
	}
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
	l.last = mediaStats(l.session.Stats())
	l.final.Store(&l.last)
	// The call hears of it before its script hears that the media stopped, or a
	// hangup in the middle of a sound would look like a fault of ours.
	ev.Leg, ev.Kind, ev.Stats = l.id, call.LegGone, &l.last
	l.Emit(ev)
	l.session.Close()
}

// remove forgets the dialog; requests for it are answered with 481 from now on.
// It does nothing the second time: BYEs may cross.
func (l *leg) remove() {
	if l.state == legGone {
		return
	}
	l.dropChange()
	l.move(opRemove)
	l.invite.settle(l.w)
	if l.calling != nil {
		l.w.wheel.stop(&l.calling.flowWait)
		l.w.server.waiting.drop(l)
		l.calling.settle()
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
	l.dropChange()
	l.invite.stop(l.w)
	l.follow()
	r := l.dialog.request(methodBye)
	r.fields = reasonFields(c)
	l.ask(&r)
}

// ask sends our INVITE or BYE, in the transaction that the leg has for them if that
// is free.
func (l *leg) ask(r *outRequest) *clientTx {
	tx := &l.own
	if !tx.idle() {
		tx = new(clientTx)
	}
	tx.ask(l.w, r, l.dialog.flow, l)
	return tx
}

// answered implements asker.
func (l *leg) answered(tx *clientTx, res *wire.Message) {
	switch {
	case tx.req.method == methodInvite:
		l.called(tx, res)
	case res.Status() >= 200:
		l.remove()
	}
}

// failed implements asker: no answer at all, or the flow is gone.
func (l *leg) failed(*clientTx) {
	l.finish(call.CauseUnreachable, false)
	l.remove()
}

// wake implements waker.
func (l *leg) wake(t *timer) {
	r := l.invite.reliable
	switch {
	case t == &l.invite.resend:
		l.repeatOK()
	case t == &l.invite.life:
		l.noACK()
	case t == &l.invite.ring && l.invite.undecided:
		l.undecidedForLong()
	case t == &l.invite.ring:
		l.ringOn()
	case t == &l.timer.clock:
		l.due()
	case t == &l.log.life:
		l.logOver()
	case t == &l.asking.retry:
		l.tell()
	case l.calling != nil && t == &l.calling.flowWait:
		l.failed(nil)
	case r != nil && t == &r.resend:
		l.repeatReliable()
	case r != nil && t == &r.life:
		l.unacknowledged()
	}
}

// ownContact is where the far end reaches us inside the dialog.
func (l *leg) ownContact() string {
	return "<" + sipURI(l.account.Number, l.dialog.flow.local(), l.dialog.flow.transport()) + ">"
}

// describeSession writes the headers of a request that makes, changes or refreshes a
// session.
func (l *leg) describeSession(w *wire.Writer, f flow) {
	contactOf(w, l.account.Number, f)
	w.Field("Allow", allowHeader)
	w.Field("Supported", supportedHeader)
	l.timer.ask(w)
	l.assert(w)
}

func (w *worker) addLeg(l *leg) {
	w.legs[l.key()] = l
	w.server.legs.Add(1)
	l.keepLog()
}

// open makes a leg of the account's phone, with a media session that announces an
// address of the family its flow uses. One of an emergency call is urgent.
func (l *leg) open(w *worker, a Account, f flow, urgent bool) (err error) {
	l.w, l.id, l.account, l.party = w, call.LegID(token(16)), a, a.party()
	l.session, err = w.server.media.NewSession(media.SessionConfig{
		Local:     f.own(),
		Announce:  f.advertised(),
		SIPSource: f.remote().Addr(),
		Urgent:    urgent,
		Events: media.Events{
			Digit:  func(d byte) { l.w.offer(func() { l.digit(d, digitRTP) }) },
			Silent: func() { l.w.offer(l.probe) },
			Unmet:  func() { l.w.offer(l.retune) },
			Found:  func(f media.Finding) { l.w.offer(func() { l.found(f) }) },
			Broken: func() { l.w.offer(func() { l.hangup(call.CauseInternal) }) },
		},
	})
	return err
}

func (a Account) party() call.Party {
	return call.Party{Extension: a.Extension, Number: a.Number, Name: a.Name, Domain: a.Domain}
}
