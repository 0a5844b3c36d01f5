package sip

import (
	"math/rand/v2"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// wants is a set of things a far end is to be told inside its dialog.
type wants uint8

const (
	wantRefresh wants = 1 << iota // the session timer is due (RFC 4028)
	wantOffer                     // the codecs of the two parties no longer meet
	wantParty                     // it talks with somebody else now
)

const (
	// mostTries bounds how often one thing is told to a far end that refuses it
	// for reasons that may pass.
	mostTries = 8
	// patience is how long a far end may think about a re-INVITE that it has
	// answered provisionally.
	patience = time.Minute
)

// exchange is what we have to tell the far end inside a confirmed dialog: one
// request at a time, either a re-INVITE or an UPDATE (RFC 3261 14.1, RFC 3311).
// What is wanted meanwhile waits and goes out together.
type exchange struct {
	wants   wants // not told yet
	telling wants // in the request under way
	tries   uint8
	method  string
	retry   timer
}

// offering tells that an offer of ours waits for its answer.
func (a *exchange) offering() bool { return a.method == methodInvite }

// want has the far end told something as soon as the dialog allows.
func (l *leg) want(w wants) {
	l.asking.wants |= w
	l.tell()
}

// tell sends what is wanted, unless something is under way in either direction.
// The end of that calls it again.
func (l *leg) tell() {
	a := &l.asking
	if a.wants == 0 || l.state != legUp || a.method != "" || a.retry.armed || l.invite.open() {
		return
	}
	if a.wants&wantOffer != 0 && !l.session.Unmet() {
		a.wants &^= wantOffer // the far end has moved by itself
		l.tell()
		return
	}
	a.telling, a.wants, a.method = a.wants, 0, methodInvite
	var body []byte
	var err error
	switch {
	case a.telling&wantOffer != 0:
		body, err = l.session.Offer(nil)
	case l.dialog.far.has(allowsUpdate):
		a.method = methodUpdate
	default:
		body, err = l.session.Repeat()
	}
	if err != nil { // nothing left to offer: it stays as it is
		l.toldEnough()
		return
	}
	l.follow()
	if a.telling&wantParty != 0 {
		l.showParty()
	}
	r := l.dialog.request(a.method)
	r.session = l
	if len(body) > 0 {
		r.bodyType, r.body = typeSDP, body
	}
	l.change(&r)
}

// change sends a re-INVITE or UPDATE.
func (l *leg) change(r *outRequest) {
	var tx *clientTx
	done := func(res *wire.Message) {
		switch s := res.Status(); {
		case s < 200:
			if tx.req.method == methodInvite {
				tx.expireIn(patience)
			}
			return
		case s < 300 && tx.req.method == methodInvite:
			l.dialog.retarget(res)
			ack := l.dialog.request(methodAck)
			ack.cseq = tx.req.cseq
			l.w.acknowledge(&ack, l.dialog.flow, tx.key, true, l.dialog.remoteTag)
		}
		if l.state == legUp {
			l.told(res)
		}
	}
	tx = l.w.send(r, l.dialog.flow, done, func() {
		if l.state == legUp {
			l.dead()
		}
	})
}

// told handles the final response to our re-INVITE or UPDATE.
func (l *leg) told(res *wire.Message) {
	a := &l.asking
	switch s := res.Status(); {
	case s < 300:
		l.agreed(res)
	case s == 481 || s == 408: // it knows nothing of the dialog (RFC 3261 12.2.1.2)
		l.dead()
	case s == 491:
		l.tellLater(l.glare())
	case s == 500 && hasRetryAfter(res):
		after, _ := res.RetryAfter()
		l.tellLater(min(after, patience))
	case s == 422 && l.timer.raise(res):
		l.tellLater(0)
	case a.method == methodUpdate:
		l.dialog.far &^= allowsUpdate // a re-INVITE will do
		l.tellLater(0)
	default:
		// The session goes on as it was (RFC 6141 2), and the far end is there.
		l.givesUp()
	}
}

func hasRetryAfter(res *wire.Message) bool {
	_, ok := res.RetryAfter()
	return ok
}

// agreed takes a 2xx to our re-INVITE or UPDATE.
func (l *leg) agreed(res *wire.Message) {
	a := &l.asking
	l.dialog.learn(res)
	if a.method == methodUpdate {
		l.dialog.retarget(res)
	}
	if a.method == methodInvite {
		change, err := l.session.SetAnswer(sdpOf(res))
		if err != nil && a.telling&wantOffer != 0 {
			l.w.server.metrics.refused("media")
			l.finish(call.CauseNotAcceptable, false)
			l.bye(call.CauseNotAcceptable)
			return
		}
		l.emitChange(change)
	}
	l.timer.take(res)
	l.keepTime()
	l.toldEnough()
}

// toldEnough ends one exchange and begins the next.
func (l *leg) toldEnough() {
	a := &l.asking
	a.telling, a.method, a.tries = 0, "", 0
	l.tell()
}

// givesUp ends an exchange that changed nothing.
func (l *leg) givesUp() {
	a := &l.asking
	if a.telling&wantRefresh != 0 {
		l.keepTime()
	}
	if a.telling&wantOffer != 0 {
		l.session.Refused()
	}
	l.toldEnough()
}

// tellLater tries the same again after a while, unless that has been done often
// enough.
func (l *leg) tellLater(d time.Duration) {
	a := &l.asking
	if a.tries++; a.tries > mostTries {
		l.givesUp()
		return
	}
	a.wants |= a.telling
	a.telling, a.method = 0, ""
	l.w.wakeAfter(&a.retry, d, l)
}

// glare is how long to wait after two changes have crossed (RFC 3261 14.1): the
// one who chose the Call-ID waits longer.
func (l *leg) glare() time.Duration {
	if l.calling != nil {
		return time.Duration(210+rand.IntN(191)) * 10 * time.Millisecond
	}
	return time.Duration(rand.IntN(201)) * 10 * time.Millisecond
}

// dead ends a leg whose far end does not answer any more.
func (l *leg) dead() {
	l.finish(call.CauseMediaTimeout, false)
	l.bye(call.CauseMediaTimeout)
}

// retune offers the party other codecs if it cannot hear the one it is joined to, or
// goes on with an offer of its own that waited for that one.
func (l *leg) retune() {
	if l.invite.undecided {
		l.decided()
	} else if l.session.Unmet() {
		l.want(wantOffer)
	}
}
