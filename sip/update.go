package sip

import (
	"math/rand/v2"
	"strconv"

	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/wire"
)

// update answers an UPDATE (RFC 3311), before the call is answered and after: a
// session refresh, hold, a moved address.
func (l *leg) update(m *wire.Message, f flow, d *dialog) {
	offered := sdpOf(m) != nil
	if status, phrase, extra := l.refusesOffer(offered, d); status != 0 {
		l.w.answer(m, f, status, phrase, extra...)
		return
	}
	if tooShort(m) {
		l.w.answer(m, f, 422, "Session Interval Too Small", refuseShort())
		return
	}
	var body []byte
	var change media.Change
	if offered {
		var err error
		if change, body, err = l.counter(m, l.session.AnswerAtOnce); err != nil {
			status, phrase, why := mediaRefusal(err)
			l.w.answer(m, f, status, phrase, why...)
			return
		}
	}
	d.learn(m)
	d.retarget(m)
	fields := l.timer.grant(m)
	if l.state == legUp {
		l.keepTime()
	}
	l.w.answerWith(l, m, f, body, fields...)
	l.emitChange(change)
}

// counter answers the offer of m.
func (l *leg) counter(m *wire.Message, answer func() ([]byte, error)) (change media.Change, body []byte, err error) {
	if change, err = l.session.SetOffer(sdpOf(m)); err != nil {
		return change, nil, err
	}
	body, err = answer()
	return change, body, err
}

// refusesOffer tells why an UPDATE has to come again later (RFC 3311 section
// 5.2); status is 0 if it has not.
func (l *leg) refusesOffer(offered bool, d *dialog) (status int, phrase string, extra []wire.Field) {
	if !offered {
		return 0, "", nil
	}
	switch {
	case l.state == legTrying && l.calling == nil && !l.invite.reliable.agreed(),
		d != &l.dialog: // of a second phone behind the contact, whom nobody hears yet
		return 500, "Server Internal Error", []wire.Field{soonAgain()}
	case l.state == legTrying && l.calling != nil && !l.calling.agreed,
		l.asking.offering(), l.invite.open():
		return 491, "Request Pending", nil
	}
	return 0, "", nil
}

// soonAgain spreads those who have to try again over 0 to 10 s (RFC 3261 14.2).
func soonAgain() wire.Field {
	return wire.Field{Name: "Retry-After", Value: strconv.Itoa(rand.IntN(11))}
}
