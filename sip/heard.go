package sip

import (
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// heard holds the client transactions that have got their final response, for as
// long as it may come again: INVITEs with the ACK that answers it (timers D and M),
// others so that a late response is known (timer K). They are rows without pointers,
// as the finished server transactions are.
type heard struct {
	invites, others kept
	clock           timer
}

func newHeard(now time.Time) heard {
	h := heard{invites: newKept(now), others: newKept(now)}
	h.others.life, h.others.shelfText = timerT4, 0
	return h
}

func (h *heard) len() int { return h.invites.len() + h.others.len() }

// acknowledge sends the ACK of a final response to an INVITE and keeps it for the
// repetitions of that (RFC 3261 13.2.2.4, 17.1.1.2, RFC 6026 timer M): of a 2xx with
// this To tag, or of a refusal. Over a stream only a 2xx is repeated.
func (w *worker) acknowledge(ack *outRequest, f flow, key txKey, accepted bool, tag string) {
	w.buf = ack.render(append(w.buf[:0], tag...), f)
	ack.log.asked(ack, f, w.now)
	w.transmit(f, w.buf[len(tag):]) // repeated with what it answers
	if f.reliable() && !accepted {
		return
	}
	row := finished{key: key, flow: w.kept.ref(f), invite: true, accepted: accepted, tag: uint16(len(tag))}
	w.heard.invites.add(row, w.buf, w.now)
	w.armHeard()
}

// hears remembers a transaction that was no INVITE.
func (w *worker) hears(key txKey, f flow) {
	w.heard.others.add(finished{key: key, flow: w.kept.ref(f)}, nil, w.now)
	w.armHeard()
}

// heardAgain handles a response to a transaction that is over, or reports that
// there is none.
func (w *worker) heardAgain(res *wire.Message, key txKey) bool {
	r, text := w.heard.others.find(key)
	if r == nil {
		r, text = w.heard.invites.find(key)
	}
	if r == nil {
		return false
	}
	f := w.kept.flow(w.server, &r.flow)
	if f == nil {
		return true // its connection is gone, and so is who answered
	}
	log := w.logs(res.CallID(), res.FromTag())
	log.received(res, f, w.now)
	accepted := res.Status() >= 200 && res.Status() < 300
	if !r.invite || r.accepted != accepted || res.Status() < 200 {
		return true
	}
	if accepted && string(text[:r.tag]) != res.ToTag() {
		w.anotherFork(res, f, r)
		return true
	}
	log.resent(text[r.tag:], f, w.now)
	w.transmit(f, text[r.tag:])
	return true
}

// anotherFork ends the dialog of a further phone behind one contact that answered
// as well (RFC 3261 13.2.2.4). first is the row of the INVITE.
func (w *worker) anotherFork(res *wire.Message, f flow, first *finished) {
	key := forkKey(first.key, res.ToTag())
	if r, text := w.heard.invites.find(key); r != nil {
		w.transmit(f, text[r.tag:])
		return
	}
	if first.forks >= maxForks {
		return
	}
	first.forks++
	w.hangUp(res, f, key)
}

// hangUp ends a dialog that nobody wants as soon as it has begun; key is what the
// ACK of its 2xx is kept under.
func (w *worker) hangUp(res *wire.Message, f flow, key txKey) {
	from, _ := res.Line("From", 0)
	d := dialog{callID: res.CallID(), local: from, flow: f, log: w.logs(res.CallID(), res.FromTag())}
	d.confirm(res)
	d.localSeq, _ = res.CSeq()
	ack := d.request(methodAck)
	w.acknowledge(&ack, f, key, true, res.ToTag())
	bye := d.request(methodBye)
	bye.fields = reasonFields(call.CauseAnsweredElsewhere)
	w.tell(&bye, f)
}

// expire lets go of what has run out, and of the oldest if there are too many (O5).
func (h *heard) expire(now time.Time) {
	h.invites.expire(now, func(*finished) {})
	h.others.expire(now, func(*finished) {})
}

func (w *worker) armHeard() {
	if max(w.heard.invites.len(), w.heard.others.len()) > keptMost {
		w.heard.expire(w.now)
	}
	if w.heard.clock.armed {
		return
	}
	wait, any := w.heard.invites.next(w.now)
	if d, more := w.heard.others.next(w.now); more && (!any || d < wait) {
		wait, any = d, true
	}
	if any {
		w.wakeAfter(&w.heard.clock, wait, wakeHeard{w})
	}
}

// wakeHeard wakes a worker for its heard transactions.
type wakeHeard struct{ *worker }

func (w wakeHeard) wake(*timer) {
	w.heard.expire(w.now)
	w.armHeard()
}
