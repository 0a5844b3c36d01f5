package sip

import (
	"bytes"
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

// clientTx is a client transaction. It belongs to its worker.
type clientTx struct {
	w       *worker
	key     txKey
	invite  bool
	req     *outRequest // until it is answered
	bytes   []byte
	ack     *outRequest // of a final response other than 2xx
	log     *messageLog
	flow    flow
	state   txState
	resend  timer
	life    timer
	limited bool // provisional responses do not lift its deadline

	interval time.Duration
	// answered gets every response the owner must know of: provisional ones,
	// the first final one and every 2xx of an INVITE.
	answered func(*wire.Message)
	// failed is called when no final response came in time or the flow is gone.
	failed func()
}

// send starts a client transaction for r. Its answers arrive on this worker
// because r carries a Call-ID that hashes to it.
func (w *worker) send(r *outRequest, f flow, answered func(*wire.Message), failed func()) *clientTx {
	tx := &clientTx{w: w, key: clientKey(r.branch, r.method), invite: r.method == methodInvite, req: r, log: r.log, flow: f, answered: answered, failed: failed}
	w.buf = r.render(w.buf[:0], f)
	w.clients[tx.key] = tx
	w.open.add(f, 1)
	tx.interval = timerT1
	r.log.asked(r, f, w.now)
	if !w.transmit(f, w.buf) {
		w.wakeAfter(&tx.life, 0, tx)
		return tx
	}
	if !f.reliable() {
		tx.bytes = bytes.Clone(w.buf)
		w.wakeAfter(&tx.resend, tx.interval, tx)
	}
	w.wakeAfter(&tx.life, timerLong, tx)
	return tx
}

// wake implements waker.
func (tx *clientTx) wake(t *timer) {
	switch {
	case t == &tx.resend:
		tx.retransmit()
	case tx.state == txCalling || tx.state == txProceeding:
		tx.timeout()
	default:
		tx.end()
	}
}

func (tx *clientTx) retransmit() {
	if tx.state != txCalling && (tx.invite || tx.state != txProceeding) {
		return
	}
	tx.w.server.metrics.retransmits.Inc()
	tx.log.asked(tx.req, tx.flow, tx.w.now)
	tx.w.transmit(tx.flow, tx.bytes) // timer B or F ends a dead flow
	switch {
	case tx.invite:
		tx.interval *= 2 // timer A has no ceiling
	case tx.state == txProceeding:
		tx.interval = timerT2
	default:
		tx.interval = backoff(tx.interval)
	}
	tx.w.wakeAfter(&tx.resend, tx.interval, tx)
}

// response handles one response to this request.
func (tx *clientTx) response(res *wire.Message) {
	tx.log.received(res, tx.flow, tx.w.now)
	switch {
	case res.Status() < 200:
		tx.provisional(res)
	case tx.state == txCompleted:
		if tx.ack != nil && res.Status() >= 300 {
			tx.ack.transmit(tx.flow, tx.w.now) // repeated with every repeated response
		}
	case tx.invite && res.Status() < 300:
		tx.accepted(res)
	default:
		tx.final(res)
	}
}

func (tx *clientTx) provisional(res *wire.Message) {
	if tx.state != txCalling && tx.state != txProceeding {
		return
	}
	tx.state = txProceeding
	if tx.invite {
		// Once somebody works on it an INVITE may ring for as long as its leg
		// allows.
		tx.w.wheel.stop(&tx.resend)
		if !tx.limited {
			tx.w.wheel.stop(&tx.life)
		}
	}
	tx.answered(res)
}

func (tx *clientTx) accepted(res *wire.Message) {
	if tx.state != txAccepted {
		tx.state, tx.bytes = txAccepted, nil
		tx.w.wheel.stop(&tx.resend)
		tx.w.wakeAfter(&tx.life, timerLong, tx)
	}
	tx.answered(res)
}

func (tx *clientTx) final(res *wire.Message) {
	if tx.state == txAccepted {
		return // RFC 6026: only further 2xx matter now
	}
	tx.state, tx.bytes = txCompleted, nil
	tx.w.wheel.stop(&tx.resend)
	keep := timerT4
	if tx.invite {
		tx.ack = tx.req.ackFor(res)
		tx.ack.transmit(tx.flow, tx.w.now)
		keep = timerLong
	}
	if tx.flow.reliable() {
		keep = 0
	}
	tx.w.wakeAfter(&tx.life, keep, tx)
	answered := tx.answered
	tx.req, tx.answered, tx.failed = nil, nil, nil // only repetitions can come
	answered(res)
}

func (tx *clientTx) timeout() {
	tx.end()
	tx.failed()
}

// expireIn gives an INVITE a deadline that provisional responses do not lift: it was
// cancelled (RFC 3261 9.1), or must not take for ever.
func (tx *clientTx) expireIn(d time.Duration) {
	tx.limited = true
	tx.w.wakeAfter(&tx.life, d, tx)
}

func (tx *clientTx) end() {
	tx.state = txGone
	tx.w.wheel.stop(&tx.resend)
	tx.w.wheel.stop(&tx.life)
	if tx.w.clients[tx.key] == tx {
		delete(tx.w.clients, tx.key)
		tx.w.open.add(tx.flow, -1)
	}
}
