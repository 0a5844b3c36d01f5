package sip

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// reliable is how a caller that understands it gets our provisional responses
// (RFC 3262): numbered, repeated until its PRACK, one at a time. nil for a caller
// that does not.
type reliable struct {
	invite   uint32 // CSeq of the INVITE
	seq      uint32 // RSeq of the latest response
	waiting  []byte // that response, while its PRACK is awaited
	status   int    // of the latest response
	phrase   string
	settles  bool // waiting carries a description
	settled  bool // offer and answer have been exchanged
	next     verb // what waits for the PRACK; later things replace earlier ones
	early    bool // of verbRing
	interval time.Duration
	resend   timer
	life     timer
}

// newReliable is nil for a caller that does not understand it.
func newReliable(m *wire.Message) *reliable {
	if !m.Has("Supported", optionReliable) && !m.Has("Require", optionReliable) {
		return nil
	}
	seq, _ := m.CSeq()
	return &reliable{invite: seq, seq: uint32(rand.Int32N(1<<31 - 1))} // 1 to 2³¹−1 when it is first used
}

// agreed tells that the description of the caller's INVITE has been answered and
// that it knows the answer.
func (r *reliable) agreed() bool { return r != nil && r.settled }

// ringReliably sends a provisional response and repeats it until it is
// acknowledged. It waits while another one does.
func (l *leg) ringReliably(status int, phrase string, body []byte) {
	r := l.invite.reliable
	l.w.wheel.stop(&l.invite.ring)
	r.seq++
	r.status, r.phrase, r.settles = status, phrase, len(body) > 0
	r.waiting = l.w.copies.copyOf(l.respond(status, phrase, body,
		wire.Field{Name: "Require", Value: optionReliable},
		wire.Field{Name: "RSeq", Value: strconv.FormatUint(uint64(r.seq), 10)}))
	r.interval = timerT1
	l.w.wakeAfter(&r.resend, r.interval, l)
	l.w.wakeAfter(&r.life, timerLong, l)
}

// repeatReliable has no ceiling for its interval (RFC 3262 section 3).
func (l *leg) repeatReliable() {
	r := l.invite.reliable
	l.w.server.metrics.retransmits.Inc()
	l.dialog.log.resent(r.waiting, l.dialog.flow, l.w.now)
	l.invite.tx.respond(r.status, r.waiting)
	r.interval *= 2
	l.w.wakeAfter(&r.resend, r.interval, l)
}

// unacknowledged gives up on a caller that never sent its PRACK.
func (l *leg) unacknowledged() {
	if l.state != legTrying {
		return
	}
	l.finish(call.CauseProtocol, false)
	l.respond(504, "Server Time-out", nil)
	l.remove()
}

// stop ends the repetitions, as a final response does. Its PRACK may still come.
func (r *reliable) stop(w *worker) {
	if r != nil {
		w.wheel.stop(&r.resend)
		w.wheel.stop(&r.life)
		r.next = verbOther
	}
}

// pracked handles a PRACK (RFC 3262 section 3), with an answer or an offer in it
// (section 5).
func (l *leg) pracked(m *wire.Message, f flow) {
	r := l.invite.reliable
	ack, ok := m.RAck()
	if r == nil || !ok || r.waiting == nil || ack != (wire.RAck{RSeq: r.seq, CSeq: r.invite, Method: methodInvite}) {
		l.w.answer(m, f, 481, "Call/Transaction Does Not Exist")
		return
	}
	next := r.next
	l.w.copies.giveBack(r.waiting)
	r.waiting = nil
	r.stop(l.w)
	body, err := l.settle(m, r)
	if err != nil {
		status, phrase, why := mediaRefusal(err)
		l.w.answer(m, f, status, phrase, why...)
		if !r.settled {
			l.refuseMedia(err)
			return
		}
	} else {
		l.w.answerWith(l, m, f, body)
	}
	if l.state != legTrying {
		return
	}
	switch next {
	case verbRing:
		l.ring(r.early)
	case verbAnswer:
		l.answer()
	default:
		l.w.wakeAfter(&l.invite.ring, keepRinging, l)
	}
}

// settle takes what a PRACK says about the session: the answer to our offer, or
// another offer, whose answer it returns.
func (l *leg) settle(m *wire.Message, r *reliable) (body []byte, err error) {
	sdp := sdpOf(m)
	switch {
	case r.settles && !l.invite.offered && !r.settled:
		_, err = l.session.SetAnswer(sdp)
		r.settled = err == nil
	case r.settles:
		r.settled = true
	}
	if sdp != nil && r.settled && l.invite.offered {
		_, body, err = l.counter(m, l.session.AnswerAtOnce)
	}
	l.invite.offered = l.invite.offered || r.settled
	return body, err
}
