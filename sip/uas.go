package sip

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/wire"
)

// keepRinging repeats a provisional response so that nobody on the way gives up
// (RFC 3261 13.3.1.1).
const keepRinging = time.Minute

// inviteServer is our side of an INVITE or re-INVITE somebody sent us.
type inviteServer struct {
	tx       *serverTx
	request  *wire.Message
	reliable *reliable // of provisional responses; nil for a caller without it
	offered  bool      // its body held an offer; otherwise ours is in the 2xx
	status   int16     // of the last provisional response
	ok       []byte
	interval time.Duration
	resend   timer
	life     timer
	ring     timer
	bye      call.Cause // hang up with this as soon as the ACK is there

	// A re-INVITE whose answer waits for the other party (see waitForPeer), and what
	// it changes.
	undecided bool
	change    media.Change
}

// open tells that the INVITE has no final answer yet, or no ACK of it.
func (i *inviteServer) open() bool { return i.ok != nil || i.undecided }

func (i *inviteServer) stop(w *worker) {
	w.wheel.stop(&i.resend)
	w.wheel.stop(&i.life)
	w.wheel.stop(&i.ring)
	i.reliable.stop(w)
}

// settle stops the timers and takes the leg off its transaction, which lives on
// for up to 32 s and should not hold a call's memory as long.
func (i *inviteServer) settle(w *worker) {
	i.stop(w)
	if i.tx != nil {
		i.tx.leg = nil
	}
}

// giveUp forgets a 2xx that is not to be repeated any more.
func (i *inviteServer) giveUp(w *worker) {
	w.copies.giveBack(i.ok)
	i.ok = nil
}

// newCall handles an INVITE outside a dialog.
func (w *worker) newCall(m *wire.Message, f flow) {
	account, from, ok := w.authenticated(m, f)
	if !ok {
		return
	}
	key, merge := serverKey(m), mergeKeyOf(m)
	if w.refuseMerged(m, f, key, merge) {
		return
	}
	dialled, err := dialplan.CleanDialled(m.TargetURI().User)
	if err != nil {
		w.server.metrics.refused("bad_number")
		w.answer(m, f, 484, "Address Incomplete")
		return
	}
	if tooShort(m) {
		w.answer(m, f, 422, "Session Interval Too Small", refuseShort())
		return
	}
	if w.refuseJoin(m, f) {
		return
	}
	w.server.taps.arrives(m, f, account.Extension)
	l := new(callersLeg)
	l.tx.begin(w, key, true, f)
	l.tx.claim(merge)
	l.tx.respond(100, w.render(m, f, 100, "Trying", ""))
	l.begin(w, m, account, call.Invite{Client: account.Client, From: from, Dialled: strings.Clone(dialled)})
}

// refuseMerged answers a request that has come by another path already (S9).
func (w *worker) refuseMerged(m *wire.Message, f flow, key, merge txKey) bool {
	if _, known := w.merged[merge]; !known {
		return false
	}
	w.server.metrics.refused("merged")
	w.answerIn(m, f, key, 482, "Loop Detected")
	return true
}

// begin opens the caller's leg and hands it to a new call.
func (l *callersLeg) begin(w *worker, m *wire.Message, a Account, inv call.Invite) {
	tx := &l.tx
	if err := l.open(w, a, tx.flow, w.server.directory.EmergencyIn(inv.Client, inv.Dialled)); err != nil {
		w.server.metrics.refused("no_media_port")
		w.refuseBusy(m, tx)
		return
	}
	l.party = inv.From
	l.dialog = acceptDialog(m, tx.flow, newTag())
	l.binding = w.server.bindingBehind(a.Extension, tx.flow, w.now)
	l.invite = inviteServer{tx: tx, request: m.Keep(), offered: sdpOf(m) != nil, reliable: newReliable(m)}
	w.addLeg(&l.leg)
	w.server.taps.opened(&l.leg)
	tx.serve(&l.leg)
	l.dialog.log.received(m, tx.flow, w.now)
	l.dialog.log.answered(m, tx.flow, 100, "Trying", "", w.now)
	if l.invite.offered {
		if _, err := l.session.SetOffer(sdpOf(m)); err != nil {
			l.refuseMedia(err)
			return
		}
	}
	if r, ok := m.Replaces(); ok {
		l.replace(r, inv)
		return
	}
	l.start(inv)
}

// start makes the call of a caller's leg.
func (l *leg) start(inv call.Invite) {
	c, err := l.w.server.calls.Start(l, inv)
	if err != nil {
		l.w.server.metrics.refused("calls")
		l.finish(call.CauseOverload, false)
		l.refuse(call.CauseOverload)
		return
	}
	l.w.server.taps.started(l, c.ID())
}

// refuseBusy is the answer when something we need has run out.
func (w *worker) refuseBusy(m *wire.Message, tx *serverTx) {
	tx.respond(503, w.stateless(m, tx.flow, 503, "Service Unavailable", newTag(), retryAfter()))
}

// refuseMedia answers an offer we cannot take.
func (l *leg) refuseMedia(err error) {
	status, phrase, why := mediaRefusal(err)
	l.w.server.metrics.refused("media")
	l.finish(call.CauseNotAcceptable, false)
	l.respond(status, phrase, nil, why...)
	l.remove()
}

// mediaRefusal is the answer to a description we cannot take; a 488 says why (RFC
// 3261 21.4.26).
func mediaRefusal(err error) (status int, phrase string, why []wire.Field) {
	switch {
	case errors.Is(err, media.ErrBadSDP):
		return 400, "Bad SDP", nil
	case errors.Is(err, media.ErrUndecided): // an UPDATE; a re-INVITE could wait (RFC 3311 5.2)
		return 504, "Server Time-out", nil
	case errors.Is(err, media.ErrNoAudio):
		why = warning(304, "no audio over RTP is offered")
	case errors.Is(err, media.ErrNoProtection):
		why = warning(304, "no common encryption of media")
	case errors.Is(err, media.ErrForbiddenTarget):
		why = warning(399, "media is not sent to the address given")
	default:
		why = warning(305, "no common codec")
	}
	return 488, "Not Acceptable Here", why
}

// warning is a Warning header (RFC 3261 20.43).
func warning(code int, text string) []wire.Field {
	return []wire.Field{{Name: "Warning", Value: strconv.Itoa(code) + ` cordpair "` + text + `"`}}
}

// respond sends a response to the INVITE at hand. What it returns is good until the
// worker renders something else.
func (l *leg) respond(status int, phrase string, body []byte, extra ...wire.Field) []byte {
	w := l.w
	a := w.response(l.invite.request, l.dialog.flow, status, phrase, l.dialog.localTag, l.account.Number)
	a.Fields(extra...)
	if status >= 180 && status != 181 && status < 300 {
		l.assert(&a)
	}
	w.buf = a.End(typeSDP, body)
	l.noteAnswer(status, phrase, body)
	l.invite.tx.respond(status, w.buf)
	return w.buf
}

// noteAnswer logs a response that is about to be sent.
func (l *leg) noteAnswer(status int, phrase string, body []byte) {
	if l.invite.tx.state != txProceeding {
		return
	}
	bodyType := ""
	if len(body) > 0 {
		bodyType = typeSDP
	}
	l.dialog.log.answered(l.invite.request, l.dialog.flow, status, phrase, bodyType, l.w.now)
}

func (l *leg) ring(early bool) {
	if l.state != legTrying || l.calling != nil {
		return
	}
	r := l.invite.reliable
	if r != nil && r.waiting != nil {
		r.next, r.early = verbRing, early
		return
	}
	status, phrase := 180, "Ringing"
	describes := early && l.invite.offered && !r.agreed()
	if early && (describes || r.agreed()) {
		status, phrase = 183, "Session Progress"
	}
	if int(l.invite.status) >= status {
		return
	}
	var body []byte
	// Without an offer of its own a caller finds ours in the first response that is
	// sure to reach it (RFC 3261 13.2.1).
	if describes || r != nil && !l.invite.offered {
		var err error
		if body, err = l.localSDP(); err != nil {
			l.refuseMedia(err)
			return
		}
	}
	l.invite.status = int16(status)
	l.provisional(status, phrase, body)
}

// provisional sends 18x, reliably if the caller understands that.
func (l *leg) provisional(status int, phrase string, body []byte) {
	if l.invite.reliable != nil {
		l.ringReliably(status, phrase, body)
		return
	}
	l.respond(status, phrase, body)
	l.w.wakeAfter(&l.invite.ring, keepRinging, l)
}

// forwarded tells the caller that somebody else is being tried now.
func (l *leg) forwarded() {
	if l.state == legTrying && l.calling == nil && l.invite.reliable == nil {
		l.respond(181, "Call Is Being Forwarded", nil)
	}
}

// ringOn says once more that it rings.
func (l *leg) ringOn() {
	if l.state != legTrying {
		return
	}
	if r := l.invite.reliable; r != nil {
		l.ringReliably(r.status, r.phrase, nil)
		return
	}
	l.invite.tx.sayAgain()
	l.w.wakeAfter(&l.invite.ring, keepRinging, l)
}

func (l *leg) answer() {
	if l.state != legTrying || l.calling != nil {
		return
	}
	r := l.invite.reliable
	if r != nil && r.waiting != nil && r.settles {
		r.next = verbAnswer // the description on its way goes first (RFC 3262 section 3)
		return
	}
	var body []byte
	if !r.agreed() {
		var err error
		if body, err = l.localSDP(); err != nil {
			l.refuseMedia(err)
			return
		}
	}
	r.stop(l.w)
	l.move(opAccept)
	l.session.Answered()
	l.accept(body, l.timer.grant(l.invite.request)...)
}

// localSDP answers the offer of the INVITE at hand, or makes ours when it had
// none.
func (l *leg) localSDP() ([]byte, error) {
	if l.invite.offered {
		return l.session.Answer()
	}
	return l.session.Offer(nil)
}

// accept sends a 2xx and repeats it until the ACK comes, over any transport
// (RFC 3261 13.3.1.4).
func (l *leg) accept(body []byte, fields ...wire.Field) {
	i := &l.invite
	l.w.wheel.stop(&i.ring)
	i.ok = l.w.copies.copyOf(l.respond(200, "OK", body, fields...))
	i.interval = timerT1
	l.w.wakeAfter(&i.resend, i.interval, l)
	l.w.wakeAfter(&i.life, timerLong, l)
}

func (l *leg) repeatOK() {
	l.w.server.metrics.retransmits.Inc()
	l.dialog.log.resent(l.invite.ok, l.dialog.flow, l.w.now)
	l.w.transmit(l.dialog.flow, l.invite.ok) // noACK ends a dead flow
	l.invite.interval = backoff(l.invite.interval)
	l.w.wakeAfter(&l.invite.resend, l.invite.interval, l)
}

// noACK gives up on a caller that never acknowledged our 2xx.
func (l *leg) noACK() {
	l.invite.giveUp(l.w)
	cause := call.CauseProtocol
	if l.invite.bye != "" {
		cause = l.invite.bye
	}
	l.finish(cause, false)
	l.bye(cause)
}

// acked handles the ACK of our 2xx.
func (l *leg) acked(m *wire.Message) {
	i := &l.invite
	if i.ok == nil {
		return
	}
	asked, _ := i.request.CSeq()
	if seq, _ := m.CSeq(); seq != asked {
		return // repeated, of an INVITE before this one
	}
	i.settle(l.w)
	i.giveUp(l.w)
	i.tx, i.request, i.reliable = nil, nil, nil // a call may last for hours
	if !i.offered && sdpOf(m) != nil && l.state != legEnding {
		if _, err := l.session.SetAnswer(sdpOf(m)); err != nil {
			l.w.server.metrics.refused("media")
			l.finish(call.CauseNotAcceptable, false)
			l.bye(call.CauseNotAcceptable)
			return
		}
	}
	switch {
	case i.bye != "":
		l.bye(i.bye)
	case l.state == legAnswered:
		l.move(opConfirm)
		l.keepTime()
		l.emit(call.LegAnswered)
	}
	l.tell() // what had to wait for the ACK
}

// refuse ends a caller's INVITE that was not answered.
func (l *leg) refuse(c call.Cause) {
	r := refusalOf(c)
	var extra []wire.Field
	switch {
	case r.status == 503:
		extra = append(extra, retryAfter())
	case c == call.CauseNotAcceptable:
		extra = warning(399, "the called party takes none of the media offered")
	}
	l.respond(r.status, r.phrase, nil, extra...)
	l.remove()
}

// cancelled handles the caller's CANCEL, which has been answered already.
func (l *leg) cancelled(why call.Cause) {
	if l.state != legTrying {
		l.dropChange() // else the final response crossed it
		l.tell()
		return
	}
	l.finish(why, true)
	l.refuse(call.CauseCancelled)
}
