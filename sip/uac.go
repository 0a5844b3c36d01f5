package sip

import (
	"strings"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/wire"
)

// maxForks bounds how many phones behind one contact may answer (S13).
const maxForks = 10

// calling is our side of an INVITE we sent.
type calling struct {
	claims *claims // the contacts this call rings already
	tx     *clientTx
	req    *outRequest
	like   *media.Session // whose codecs are offered first; may be nil
	// ack is repeated with every repeated 2xx of the dialog, losers are those of
	// the dialogs we did not want, by To tag.
	ack    *outRequest
	losers map[string]*outRequest
	// forks are the early dialogs, in the order they were heard of. agreed: the
	// one we listen to has answered our offer for good.
	forks  []*fork
	agreed bool
	// diverted are those who sent the call on to number.
	diverted []call.Diversion
	number   string
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
	r := l.dialog.request(methodInvite)
	r.contact = l.ownContact()
	r.fields = append(l.changeFields(), diversionFields(l.calling.diverted, l.account, l.calling.number)...)
	r.fields = append(r.fields, referredByFields(l.calling.by, l.account.Domain)...)
	r.bodyType, r.body = typeSDP, sdp
	l.calling.req = r
	l.calling.tx = l.w.send(r, l.dialog.flow, l.called, l.unreachable)
}

// inviteAgain sends the INVITE once more, in no dialog: those of the first try are
// gone with it.
func (l *leg) inviteAgain() {
	first := l.calling.req
	l.calling.forks, l.calling.early, l.calling.heardTag, l.calling.agreed = nil, false, "", false
	l.dialog.remoteTag, l.dialog.remote, l.dialog.target, l.dialog.routes = "", first.to, first.uri, nil
	l.invitePhone(first.body)
}

// unreachable: no answer at all, or the flow is gone.
func (l *leg) unreachable() {
	l.finish(call.CauseUnreachable, false)
	l.remove()
}

// called handles a response to our INVITE.
func (l *leg) called(res *wire.Message) {
	status := res.Status()
	switch {
	case status < 200:
		l.progress(res)
	case status < 300:
		l.accepted(res)
	case status == 422 && l.state == legTrying && l.timer.raise(res):
		l.inviteAgain()
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

// accepted handles a 2xx, the first and every repetition.
func (l *leg) accepted(res *wire.Message) {
	c := l.calling
	if c.ack != nil {
		c.again(l.w, l.dialog, res)
		return
	}
	sdp := l.choose(res)
	c.ack = l.ackOf(c.req.cseq)
	c.ack.transmit(l.dialog.flow, l.w.now)
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
	l.timer.take(res)
	l.keepTime()
	c.forks, c.claims, c.like, c.diverted = nil, nil, nil, nil // a call may last for hours
	c.req.body, c.req.fields = nil, nil
	l.Emit(call.LegEvent{Leg: l.id, Kind: call.LegAnswered, Private: isPrivate(res)})
	l.tell()
}

func (l *leg) ackOf(seq uint32) *outRequest {
	r := l.dialog.request(methodAck)
	r.cseq = seq
	return r
}

// again handles a further 2xx: the phone's own is acknowledged as often as it
// comes, that of another phone behind the contact is dropped.
func (c *calling) again(w *worker, d dialog, res *wire.Message) {
	if res.ToTag() == d.remoteTag {
		c.ack.transmit(d.flow, w.now)
		return
	}
	c.dropFork(w, d, res)
}

// dropFork ends the dialog of a second phone behind one contact that answered
// as well (RFC 3261 13.2.2.4).
func (c *calling) dropFork(w *worker, d dialog, res *wire.Message) {
	if ack := c.losers[res.ToTag()]; ack != nil {
		ack.transmit(d.flow, w.now)
		return
	}
	if len(c.losers) >= maxForks {
		return
	}
	d.confirm(res)
	d.localSeq = c.req.cseq
	ack := d.request(methodAck)
	ack.transmit(d.flow, w.now)
	if c.losers == nil {
		c.losers = map[string]*outRequest{}
	}
	c.losers[strings.Clone(res.ToTag())] = ack
	bye := d.request(methodBye)
	bye.fields = reasonFields(call.CauseAnsweredElsewhere)
	w.send(bye, d.flow, func(*wire.Message) {}, func() {})
}

// settle takes the leg off its transaction: only a 2xx can still come, and the
// transaction should not hold a call's memory for 32 s.
func (c *calling) settle(w *worker, d dialog) {
	c.like = nil
	if c.tx == nil {
		return
	}
	c.req.body, c.req.fields = nil, nil
	c.tx.failed = func() {}
	c.tx.answered = func(res *wire.Message) {
		if s := res.Status(); c.ack != nil && s >= 200 && s < 300 {
			c.again(w, d, res)
		}
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
	cancel := c.req.cancel(reasonFields(c.cancelled)...)
	l.w.send(cancel, l.dialog.flow, func(*wire.Message) {}, func() {})
	c.tx.expireIn(timerLong)
}
