package sip

import (
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/wire"
)

// maxForks bounds how many phones behind one contact may answer (S13).
const maxForks = 10

// calling is our side of an INVITE we sent.
type calling struct {
	claims *claims // the contacts this call rings already
	// contact is where the phone is, if it is reachable.
	contact   string
	reachable bool
	tx        *clientTx      // nil while we wait for a flow
	like      *media.Session // whose codecs are offered first; may be nil
	// forks are the early dialogs, in the order they were heard of. agreed: the
	// one we listen to has answered our offer for good.
	forks  []*fork
	agreed bool
	// diverted are those who sent the call on to the phone.
	diverted []call.Diversion
	by       *call.Party // who transferred the caller; nil if nobody did
	// cancelled is set when the call gave the leg up; the CANCEL itself waits
	// for a provisional response (RFC 3261 9.1).
	cancelled call.Cause
	withdrawn bool // the CANCEL is on its way
	heard     bool // a provisional response came
	ringing   bool
	early     bool
	heardTag  string // of the fork whose media the caller hears
	flowWait  timer
}

// place sends the INVITE of a called leg.
func (l *leg) place(uri string) {
	if l.calling.cancelled != "" {
		return
	}
	sdp, err := l.session.Offer(l.calling.like)
	if err != nil {
		l.finish(call.CauseNotAcceptable, false)
		l.remove()
		return
	}
	l.dialog.target = requestURI(uri)
	l.dialog.localSeq = 0
	l.invitePhone(sdp)
}

// invitePhone sends the INVITE, or once more after a 422.
func (l *leg) invitePhone(sdp []byte) {
	c := l.calling
	r := l.dialog.request(methodInvite)
	r.session = l
	r.fields = append(diversionFields(c.diverted, l.account, l.account.Number), referredByFields(c.by, l.account.Domain)...)
	r.bodyType, r.body = typeSDP, sdp
	c.tx = l.ask(&r)
}

// inviteAgain sends the INVITE first once more, in no dialog: those of the first try
// are gone with it.
func (l *leg) inviteAgain(first outRequest) {
	l.calling.forks, l.calling.early, l.calling.heardTag, l.calling.agreed = nil, false, "", false
	l.dialog.remoteTag, l.dialog.remote, l.dialog.target, l.dialog.routes = "", first.to, first.uri, nil
	l.invitePhone(first.body)
}

// insist sends the INVITE once more to a phone that would not talk in the clear.
func (l *leg) insist(first outRequest) {
	body, err := l.session.Offer(l.calling.like)
	if err != nil {
		l.finish(call.CauseNotAcceptable, false)
		l.remove()
		return
	}
	first.body = body
	l.inviteAgain(first)
}

// called handles a response to our INVITE.
func (l *leg) called(tx *clientTx, res *wire.Message) {
	status := res.Status()
	switch {
	case status < 200:
		l.progress(res)
	case status < 300:
		l.accepted(tx, res)
	case status == 422 && l.state == legTrying && l.timer.raise(res):
		l.inviteAgain(tx.req)
	case status == 488 && l.state == legTrying && l.session.Insist():
		l.insist(tx.req)
	case status < 400 && l.state == legTrying:
		l.redirected(res)
		l.remove()
	default:
		l.finish(causeOfResponse(res), true)
		l.remove()
	}
}

func (l *leg) progress(res *wire.Message) {
	c := l.calling
	c.heard = true
	if c.cancelled != "" {
		l.sendCancel()
		return
	}
	if res.Status() == 100 || l.state != legTrying {
		return
	}
	f := l.forkOf(res)
	if f == nil || !l.acknowledge(f, res) {
		return
	}
	if res.Status() == 180 && !c.ringing {
		c.ringing = true
		l.Emit(call.LegEvent{Leg: l.id, Kind: call.LegRinging, Private: isPrivate(res)})
	}
	l.earlyMedia(f, res)
}

// accepted handles the 2xx.
func (l *leg) accepted(tx *clientTx, res *wire.Message) {
	c := l.calling
	sdp := l.choose(res)
	ack := l.dialog.request(methodAck)
	ack.cseq = tx.req.cseq // that of a PRACK may have come since
	l.w.acknowledge(&ack, l.dialog.flow, tx.key, true, l.dialog.remoteTag)
	if l.state != legTrying {
		l.bye(c.cancelled) // it answered while we were cancelling
		return
	}
	if _, err := l.session.SetAnswer(sdp); err != nil && !c.agreed {
		l.w.server.metrics.refused("media")
		l.finish(call.CauseNotAcceptable, false)
		l.bye(call.CauseNotAcceptable)
		return
	}
	l.move(opConfirm)
	l.session.Answered()
	l.timer.take(res)
	l.keepTime()
	c.forks, c.claims, c.like, c.diverted = nil, nil, nil, nil // a call may last for hours
	tx.req = outRequest{log: tx.req.log}
	l.Emit(call.LegEvent{Leg: l.id, Kind: call.LegAnswered, Private: isPrivate(res)})
	l.tell()
}

// settle takes the leg off its transaction, which should not hold a call's memory.
func (c *calling) settle() {
	c.like = nil
	if c.tx != nil && !c.tx.idle() && c.tx.req.method == methodInvite {
		c.tx.who, c.tx.req.body, c.tx.req.fields, c.tx.req.session = nobody{}, nil, nil, nil
	}
}

// cancel withdraws our INVITE. The media is closed already.
func (l *leg) cancel(cause call.Cause) {
	c := l.calling
	c.cancelled = cause
	switch {
	case c.tx == nil: // still waiting for a flow
		l.w.wheel.stop(&c.flowWait)
		l.remove()
	case c.heard:
		l.sendCancel()
	}
}

func (l *leg) sendCancel() {
	c := l.calling
	if c.tx.state != txProceeding || c.withdrawn {
		return
	}
	c.withdrawn = true
	cancel := c.tx.req.cancel(reasonFields(c.cancelled)...)
	l.w.tell(&cancel, l.dialog.flow)
	c.tx.expireIn(timerLong)
}
