package sip

import (
	"cmp"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/wire"
)

const typeSDP = "application/sdp"

// sdpOf is the session description of a message, also from among several parts.
func sdpOf(m *wire.Message) []byte { return m.Part(typeSDP) }

// inDialog handles a request with a To tag (RFC 3261 12.2.2, S10).
func (w *worker) inDialog(m *wire.Message, f flow) {
	l := w.legs[legKey{m.CallID(), m.ToTag()}]
	d := l.dialogWith(m.FromTag())
	if d == nil {
		w.server.metrics.refused("no_dialog")
		w.reply(m, f, 481, "Call/Transaction Does Not Exist")
		return
	}
	l.dialog.log.received(m, f, w.now)
	if !sameFlow(f, l.dialog.flow) && !w.mayMove(l, m, f) {
		return
	}
	seq, _ := m.CSeq()
	if int64(seq) <= d.remoteSeq {
		w.server.metrics.refused("cseq")
		w.answer(m, f, 500, "CSeq Out Of Order")
		return
	}
	d.remoteSeq = int64(seq)
	if l.state == legEnding && m.Method() != methodBye {
		w.answer(m, f, 481, "Call/Transaction Does Not Exist")
		return
	}
	switch m.Method() {
	case methodBye:
		if d != &l.dialog { // a fork that gave up; the others go on
			w.answer(m, f, 200, "OK")
			return
		}
		l.byeCame(m, f)
	case methodInvite:
		l.reinvite(m, f)
	case methodInfo:
		l.info(m, f)
	case methodMessage:
		l.text(m, f)
	case methodUpdate:
		l.update(m, f, d)
	case methodPrack:
		l.pracked(m, f)
	case methodRefer:
		l.referCame(m, f)
	case methodSubscribe:
		l.subscribeCame(m, f)
	case methodOptions:
		w.answer(m, f, 200, "OK", w.server.options...)
	default:
		w.answer(m, f, 405, "Method Not Allowed", wire.Field{Name: "Allow", Value: allowHeader})
	}
}

// mayMove lets a dialog continue over another flow only for whoever holds the
// phone's credentials (S10).
func (w *worker) mayMove(l *leg, m *wire.Message, f flow) bool {
	account, _, ok := w.authenticated(m, f)
	if !ok {
		return false
	}
	if account.Extension != l.account.Extension {
		w.server.metrics.refused("foreign_dialog")
		w.answer(m, f, 403, "Forbidden")
		return false
	}
	l.dialog.flow = f
	l.binding = w.server.bindingBehind(account.Extension, f, w.now)
	return true
}

func (l *leg) byeCame(m *wire.Message, f flow) {
	was, cause := l.state, cmp.Or(saidCause(m), call.CauseNormal)
	if was == legTrying { // a caller may end an early dialog so (RFC 3261 15.1.2)
		cause = withdrawal(m)
	}
	// Before the answer: what a phone does upon it meets a call that knows.
	l.finish(cause, true)
	l.w.answer(m, f, 200, "OK")
	switch {
	case was != legTrying:
		l.invite.bye = "" // if both hung up, ours is on its way and ends by itself
		l.remove()
	case l.calling == nil:
		l.refuse(call.CauseCancelled)
	default:
		l.cancel(call.CauseCancelled)
	}
}

// reinvite answers hold, resume, a moved address and a session refresh
// (RFC 3261 14.2) without asking the call.
func (l *leg) reinvite(m *wire.Message, f flow) {
	switch {
	case l.state == legTrying: // its first INVITE waits for our answer (14.2)
		l.w.answer(m, f, 500, "Server Internal Error", soonAgain())
		return
	case l.state != legUp || l.invite.open() || l.asking.offering():
		l.w.answer(m, f, 491, "Request Pending")
		return
	case tooShort(m):
		l.w.answer(m, f, 422, "Session Interval Too Small", refuseShort())
		return
	}
	l.invite.settle(l.w)
	l.invite = inviteServer{tx: l.w.newServerTx(serverKey(m), true, f), request: m.Keep(), offered: sdpOf(m) != nil}
	l.invite.tx.serve(l)
	var body []byte
	var err error
	l.invite.change, body, err = l.describe(m)
	l.conclude(body, err)
}

// describe is our side of the session for a re-INVITE: the answer to its offer, or an
// offer.
func (l *leg) describe(m *wire.Message) (change media.Change, body []byte, err error) {
	if l.invite.offered {
		return l.counter(m, l.session.Answer)
	}
	body, err = l.session.Offer(nil)
	return change, body, err
}

func (l *leg) emitChange(c media.Change) {
	switch {
	case c.Held:
		l.emit(call.LegHeld)
	case c.Resumed:
		l.emit(call.LegResumed)
	}
}

// probe asks a silent leg whether it is still there (M8).
func (l *leg) probe() {
	if l.state != legUp {
		return
	}
	answered := func(res *wire.Message) {
		if s := res.Status(); l.state == legUp && (s == 481 || s == 408) {
			l.dead()
		}
	}
	l.follow()
	r := l.dialog.request(methodOptions)
	l.w.send(&r, l.dialog.flow, answered, func() {
		if l.state == legUp {
			l.dead()
		}
	})
}
