package sip

import (
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

// clientTx is a client transaction until its final response. It belongs to its
// worker. What comes after that is the business of heard.
type clientTx struct {
	w       *worker
	key     txKey
	req     outRequest
	text    []byte // of the request; none over a stream, where nothing is repeated
	flow    flow
	who     asker
	state   txState
	limited bool // provisional responses do not lift its deadline
	resend  timer
	life    timer

	interval time.Duration
}

// asker is who began a client transaction.
type asker interface {
	// answered gets every provisional response and the final one, with which the
	// transaction is over: tx may then be used for the next. The 2xx of an INVITE is
	// the asker's to acknowledge.
	answered(tx *clientTx, res *wire.Message)
	// failed is called when no final response came in time or the flow is gone.
	failed(tx *clientTx)
}

// hearing is an asker of two functions, for what happens seldom.
type hearing struct {
	response func(*wire.Message)
	failure  func()
}

func (h *hearing) answered(_ *clientTx, res *wire.Message) { h.response(res) }
func (h *hearing) failed(*clientTx)                        { h.failure() }

// nobody is the asker of what is asked for politeness, or by a leg that is gone.
type nobody struct{}

func (nobody) failed(*clientTx) {}

// answered has a phone hang up that answered after all.
func (nobody) answered(tx *clientTx, res *wire.Message) {
	if s := res.Status(); tx.req.method == methodInvite && s >= 200 && s < 300 {
		tx.w.hangUp(res, tx.flow, tx.key)
	}
}

// send starts a client transaction for r. Its answers arrive on this worker
// because r carries a Call-ID that hashes to it.
func (w *worker) send(r *outRequest, f flow, answered func(*wire.Message), failed func()) *clientTx {
	tx := new(clientTx)
	tx.ask(w, r, f, &hearing{answered, failed})
	return tx
}

// tell is send for a request whose answer changes nothing.
func (w *worker) tell(r *outRequest, f flow) { new(clientTx).ask(w, r, f, nobody{}) }

// idle tells that a transaction is over, or never began.
func (tx *clientTx) idle() bool { return tx.w == nil || tx.state == txGone }

// ask is send with a transaction of the caller's, which is idle.
func (tx *clientTx) ask(w *worker, r *outRequest, f flow, who asker) {
	*tx = clientTx{w: w, key: clientKey(r.branch, r.method), req: *r, flow: f, who: who, interval: timerT1}
	w.buf = r.render(w.buf[:0], f)
	w.clients[tx.key] = tx
	w.open.add(f, 1)
	r.log.asked(r, f, w.now)
	if !w.transmit(f, w.buf) {
		w.wakeAfter(&tx.life, 0, tx)
		return
	}
	if !f.reliable() {
		tx.text = w.copies.copyOf(w.buf)
		w.wakeAfter(&tx.resend, tx.interval, tx)
	}
	w.wakeAfter(&tx.life, timerLong, tx)
}

// wake implements waker.
func (tx *clientTx) wake(t *timer) {
	if t == &tx.resend {
		tx.retransmit()
		return
	}
	tx.end()
	tx.who.failed(tx)
}

func (tx *clientTx) retransmit() {
	invite := tx.req.method == methodInvite
	if tx.state != txCalling && invite {
		return
	}
	tx.w.server.metrics.retransmits.Inc()
	tx.req.log.asked(&tx.req, tx.flow, tx.w.now)
	tx.w.transmit(tx.flow, tx.text) // timer B or F ends a dead flow
	switch {
	case invite:
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
	tx.req.log.received(res, tx.flow, tx.w.now)
	if res.Status() < 200 {
		tx.provisional(res)
		return
	}
	tx.end()
	switch invite := tx.req.method == methodInvite; {
	case invite && res.Status() >= 300:
		ack := tx.req.ackFor(res)
		tx.w.acknowledge(&ack, tx.flow, tx.key, false, "")
	case !invite && !tx.flow.reliable():
		tx.w.hears(tx.key, tx.flow)
	}
	tx.who.answered(tx, res)
}

func (tx *clientTx) provisional(res *wire.Message) {
	tx.state = txProceeding
	if tx.req.method == methodInvite {
		// Once somebody works on it an INVITE may ring for as long as its leg
		// allows.
		tx.w.wheel.stop(&tx.resend)
		if !tx.limited {
			tx.w.wheel.stop(&tx.life)
		}
	}
	tx.who.answered(tx, res)
}

// expireIn gives an INVITE a deadline that provisional responses do not lift: it was
// cancelled (RFC 3261 9.1), or must not take for ever.
func (tx *clientTx) expireIn(d time.Duration) {
	tx.limited = true
	tx.w.wakeAfter(&tx.life, d, tx)
}

// end takes the transaction off those that wait for a response.
func (tx *clientTx) end() {
	if tx.state == txGone {
		return
	}
	w := tx.w
	tx.state = txGone
	w.wheel.stop(&tx.resend)
	w.wheel.stop(&tx.life)
	w.copies.giveBack(tx.text)
	tx.text = nil
	if w.clients[tx.key] == tx {
		delete(w.clients, tx.key)
		w.open.add(tx.flow, -1)
	}
}
