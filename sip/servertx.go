package sip

import (
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

// txState is the state of a transaction, server or client (RFC 3261 section 17,
// RFC 6026).
//
//	INVITE server:  proceeding -> kept (2xx) | completed (3xx-6xx) -> kept (ACK) | gone
//	other server:   proceeding -> kept
//	INVITE client:  calling -> proceeding -> heard (final response) | gone
//	other client:   calling -> proceeding -> heard (final response) | gone
//
// Kept and heard are no states of an object: see the types of these names.
type txState uint8

const (
	txCalling txState = iota
	txProceeding
	txCompleted
	txGone
)

// serverTx is a server transaction on its way to the final answer, or to the ACK of
// an INVITE that was refused. It belongs to its worker. With the final answer it
// moves to the worker's kept ones.
type serverTx struct {
	w      *worker
	key    txKey
	merge  txKey // zero: not claimed
	flow   flow
	begun  time.Time
	invite bool
	state  txState
	last   []byte
	// leg is what a CANCEL of this INVITE reaches, until it is removed; tag is
	// the To tag of its answers.
	leg      *leg
	tag      string
	log      *messageLog // of the leg; nil without one
	resend   timer
	life     timer
	interval time.Duration
}

func (w *worker) newServerTx(key txKey, invite bool, f flow) *serverTx {
	tx := new(serverTx)
	tx.begin(w, key, invite, f)
	return tx
}

// begin is newServerTx with memory of the caller's.
func (tx *serverTx) begin(w *worker, key txKey, invite bool, f flow) {
	*tx = serverTx{w: w, key: key, invite: invite, flow: f, state: txProceeding, begun: w.now}
	w.servers[key] = tx
	w.open.add(f, 1)
}

// serve ties an INVITE to the leg that answers it.
func (tx *serverTx) serve(l *leg) { tx.leg, tx.tag, tx.log = l, l.dialog.localTag, l.dialog.log }

// claim makes this transaction the one by which the request of that mergeKeyOf was
// handled.
func (tx *serverTx) claim(merge txKey) {
	tx.merge = merge
	tx.w.merged[tx.merge] = tx.key
}

// disclaim lets the same request be tried again in another transaction.
func (tx *serverTx) disclaim() {
	tx.w.disclaim(tx.merge, tx.key)
	tx.merge = txKey{}
}

func (w *worker) disclaim(merge, key txKey) {
	if w.merged[merge] == key {
		delete(w.merged, merge)
	}
}

// respond sends a response and keeps it for repeated requests. b stays the
// caller's.
func (tx *serverTx) respond(status int, b []byte) {
	switch {
	case tx.state != txProceeding:
	case status < 200:
		tx.lastly(b)
		tx.w.transmit(tx.flow, b)
	case tx.invite && status < 300:
		// The leg repeats its 2xx until the ACK comes; what is kept only absorbs
		// repeated INVITEs (RFC 6026, timer L).
		tx.w.transmit(tx.flow, b)
		tx.keep([]byte(tx.tag))
	case tx.invite:
		tx.lastly(b)
		tx.w.transmit(tx.flow, b)
		tx.state = txCompleted
		tx.interval = timerT1
		if !tx.flow.reliable() {
			tx.w.wakeAfter(&tx.resend, tx.interval, tx)
		}
		tx.w.wakeAfter(&tx.life, timerLong, tx)
	default:
		// Whoever asked has given up after 64*T1 and must not be answered then
		// (RFC 4320 4.2). Over streams too the answer is kept for as long: S9
		// promises one effect on any transport.
		if tx.w.now.Sub(tx.begun) < timerLong {
			tx.w.transmit(tx.flow, b)
		}
		tx.keep(b)
	}
}

// lastly notes what repeated requests get.
func (tx *serverTx) lastly(b []byte) {
	if tx.last == nil {
		tx.last = tx.w.copies.copyOf(b)
		return
	}
	tx.last = append(tx.last[:0], b...)
}

// keep leaves the transaction to the worker's kept ones.
func (tx *serverTx) keep(text []byte) {
	tx.state = txGone
	tx.forget()
	tx.w.keep(tx.key, tx.merge, tx.flow, tx.invite, text)
	tx.w.copies.giveBack(tx.last)
	tx.leg, tx.last, tx.log = nil, nil, nil
}

// keep remembers a transaction that has its final answer.
func (w *worker) keep(key, merge txKey, f flow, invite bool, text []byte) {
	k := &w.kept
	k.add(finished{key: key, merge: merge, flow: k.ref(f), invite: invite}, text, w.now)
	if k.len() > keptMost {
		w.tidy()
	}
	if !k.clock.armed {
		w.armKept()
	}
}

func (w *worker) armKept() {
	if d, any := w.kept.next(w.now); any {
		w.wakeAfter(&w.kept.clock, d, wakeKept{w})
	}
}

// tidy forgets the kept transactions that have run out.
func (w *worker) tidy() {
	w.kept.expire(w.now, func(r *finished) { w.disclaim(r.merge, r.key) })
	if w.kept.len() == 0 && len(w.merged) == 0 {
		w.merged = map[txKey]txKey{} // a map does not shrink
	}
}

// wakeKept wakes a worker for its kept transactions.
type wakeKept struct{ *worker }

func (w wakeKept) wake(*timer) {
	w.tidy()
	w.armKept()
}

// repeated handles a request that has come before, or reports that it has not.
func (w *worker) repeated(m *wire.Message, key txKey) bool {
	if tx := w.servers[key]; tx != nil {
		tx.repeated(m)
		return true
	}
	r, text := w.kept.find(key)
	if r == nil {
		return false
	}
	w.server.metrics.repeated.Inc()
	f := w.kept.flow(w.server, &r.flow)
	if f == nil {
		return true // its connection is gone, and so is who asked
	}
	if r.invite {
		w.logs(m.CallID(), string(text)).received(m, f, w.now)
		return true
	}
	log := w.logOf(m)
	log.received(m, f, w.now)
	log.resent(text, f, w.now)
	w.transmit(f, text)
	return true
}

// repeated handles the same request once more.
func (tx *serverTx) repeated(m *wire.Message) {
	tx.w.server.metrics.repeated.Inc()
	tx.log.received(m, tx.flow, tx.w.now)
	tx.sayAgain()
}

// sayAgain repeats the last response, if there was one.
func (tx *serverTx) sayAgain() {
	if tx.last != nil {
		tx.log.resent(tx.last, tx.flow, tx.w.now)
		tx.w.transmit(tx.flow, tx.last)
	}
}

// wake implements waker.
func (tx *serverTx) wake(t *timer) {
	if t == &tx.resend {
		tx.retransmit()
		return
	}
	tx.end()
}

func (tx *serverTx) retransmit() {
	tx.w.server.metrics.retransmits.Inc()
	tx.sayAgain()
	tx.interval = backoff(tx.interval)
	tx.w.wakeAfter(&tx.resend, tx.interval, tx)
}

// ack handles the ACK of a response other than 2xx. What is kept then says nothing
// to repetitions of either (timer I), and knows the INVITE that a repeated CANCEL
// means, which has a transaction of its own for 32 s (9.2).
func (tx *serverTx) ack() {
	if tx.state != txCompleted {
		return
	}
	tx.w.wheel.stop(&tx.resend)
	tx.w.wheel.stop(&tx.life)
	tx.keep([]byte(tx.tag))
}

func (tx *serverTx) end() {
	tx.state = txGone
	tx.w.wheel.stop(&tx.resend)
	tx.w.wheel.stop(&tx.life)
	tx.forget()
	tx.disclaim()
	tx.w.copies.giveBack(tx.last)
	tx.leg, tx.last = nil, nil
}

// forget takes the transaction off those that are not over.
func (tx *serverTx) forget() {
	if tx.w.servers[tx.key] == tx {
		delete(tx.w.servers, tx.key)
		tx.w.open.add(tx.flow, -1)
	}
}
