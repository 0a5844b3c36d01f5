package sip

import (
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

// txState is the state of a transaction, server or client (RFC 3261 section 17,
// RFC 6026).
//
//	INVITE server:  proceeding -> accepted (2xx) | completed (3xx-6xx) -> confirmed -> gone
//	other server:   proceeding -> completed -> gone
//	INVITE client:  calling -> proceeding -> accepted (2xx) | completed -> gone
//	other client:   calling -> proceeding -> completed -> gone
type txState int

const (
	txCalling txState = iota
	txProceeding
	txAccepted
	txCompleted
	txConfirmed
	txGone
)

// serverTx is a server transaction: a key, a state and the last response as it
// was sent. It belongs to its worker.
type serverTx struct {
	w      *worker
	key    txKey
	invite bool
	flow   flow
	state  txState
	last   []byte
	// leg is what a CANCEL of this INVITE reaches, until it is removed; tag is
	// the To tag of its answers.
	leg      *leg
	tag      string
	log      *messageLog // of the leg; nil without one
	merge    txKey
	resend   timer
	life     timer
	interval time.Duration
}

func (w *worker) newServerTx(key txKey, invite bool, f flow) *serverTx {
	tx := &serverTx{w: w, key: key, invite: invite, flow: f, state: txProceeding}
	w.servers[key] = tx
	return tx
}

// serve ties an INVITE to the leg that answers it.
func (tx *serverTx) serve(l *leg) { tx.leg, tx.tag, tx.log = l, l.dialog.localTag, l.dialog.log }

// claim makes this transaction the one by which m was handled.
func (tx *serverTx) claim(m *wire.Message) {
	tx.merge = mergeKeyOf(m)
	tx.w.merged[tx.merge] = tx
}

// disclaim lets the same request be tried again in another transaction.
func (tx *serverTx) disclaim() {
	if tx.w.merged[tx.merge] == tx {
		delete(tx.w.merged, tx.merge)
	}
}

// respond sends a response and keeps it for repeated requests.
func (tx *serverTx) respond(status int, b []byte) {
	if tx.state != txProceeding {
		return
	}
	tx.last = b
	tx.transmit()
	switch {
	case status < 200:
	case tx.invite && status < 300:
		// The leg repeats its 2xx until the ACK comes; this state only absorbs
		// repeated INVITEs (RFC 6026, timer L).
		tx.state, tx.last = txAccepted, nil
		tx.w.after(&tx.life, timerLong, tx.end)
	case tx.invite:
		tx.state = txCompleted
		tx.interval = timerT1
		if !tx.flow.reliable() {
			tx.w.after(&tx.resend, tx.interval, tx.retransmit)
		}
		tx.w.after(&tx.life, timerLong, tx.end)
	default:
		// Kept for 32 s over streams too: S9 promises one effect on any transport.
		tx.state = txCompleted
		tx.w.after(&tx.life, timerLong, tx.end)
	}
}

func (tx *serverTx) transmit() {
	_ = tx.flow.send(tx.last) // counted by the flow; the far end repeats its request
}

func (tx *serverTx) retransmit() {
	tx.w.server.metrics.retransmits.Inc()
	tx.log.resent(tx.last, tx.flow, tx.w.now)
	tx.transmit()
	tx.interval = backoff(tx.interval)
	tx.w.after(&tx.resend, tx.interval, tx.retransmit)
}

// repeated handles the same request once more.
func (tx *serverTx) repeated(m *wire.Message) {
	tx.w.server.metrics.repeated.Inc()
	tx.log.received(m, tx.flow, tx.w.now)
	if tx.last != nil && (tx.state == txProceeding || tx.state == txCompleted) {
		tx.log.resent(tx.last, tx.flow, tx.w.now)
		tx.transmit()
	}
}

// ack handles the ACK of a response other than 2xx.
func (tx *serverTx) ack() {
	if tx.state != txCompleted {
		return
	}
	tx.state = txConfirmed
	tx.w.wheel.stop(&tx.resend)
	tx.w.after(&tx.life, timerT4, tx.end)
}

func (tx *serverTx) end() {
	tx.state = txGone
	tx.w.wheel.stop(&tx.resend)
	tx.w.wheel.stop(&tx.life)
	delete(tx.w.servers, tx.key)
	tx.disclaim()
	tx.leg = nil
}
