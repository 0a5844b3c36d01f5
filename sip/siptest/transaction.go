package siptest

import (
	"time"
)

// Timers of RFC 3261 section 17.1.1.1.
const (
	t1      = 500 * time.Millisecond
	t2      = 4 * time.Second
	t4      = 5 * time.Second
	timeout = 64 * t1
)

// txKey names a transaction (RFC 3261 section 17.1.3 and 17.2.3).
type txKey struct{ branch, sentBy, method string }

// clientTx is one request and what came back (RFC 3261 section 17.1). p.mu
// guards it.
type clientTx struct {
	p              *Phone
	key            txKey
	way            path
	req            *Message
	raw            []byte
	ack            *Message // to a final response other than 2xx
	wait           time.Duration
	resend, expire *time.Timer

	provisional bool
	final       *Message
	err         error
	// answer, when not nil, is called under p.mu for every response that is
	// not a repetition, and for repeated 2xx to an INVITE; res is nil when the
	// transaction failed.
	answer func(tx *clientTx, res *Message)
}

// start sends a request, whose Via is added here, and keeps sending it until it
// is answered. p.mu is held.
func (p *Phone) start(w path, m *Message, answer func(*clientTx, *Message)) *clientTx {
	branch := "z9hG4bK" + token()
	return p.startOn(w, m, branch, answer)
}

// startOn is start with a given branch: a CANCEL has that of its INVITE.
func (p *Phone) startOn(w path, m *Message, branch string, answer func(*clientTx, *Message)) *clientTx {
	m.Headers = append([]Header{{"Via", p.via(branch)}}, m.Headers...)
	tx := &clientTx{p: p, key: txKey{branch: branch, method: m.Method}, way: w, req: m, raw: []byte(m.String()), wait: t1, answer: answer}
	p.clients[tx.key] = tx
	if !w.reliable() {
		tx.resend = time.AfterFunc(tx.wait, tx.again)
	}
	tx.expire = time.AfterFunc(timeout, tx.timedOut)
	p.transmit(w, m, tx.raw, false)
	return tx
}

func (p *Phone) via(branch string) string {
	transport := "UDP"
	if p.cfg.Transport == "tcp" {
		transport = "TCP"
	}
	return "SIP/2.0/" + transport + " " + p.addr.String() + ";rport;branch=" + branch
}

// again is timer A or E.
func (tx *clientTx) again() {
	tx.p.mu.Lock()
	defer tx.p.mu.Unlock()
	if tx.p.closed || tx.final != nil || tx.err != nil || tx.provisional && tx.key.method == "INVITE" {
		return
	}
	tx.p.transmit(tx.way, tx.req, tx.raw, true)
	tx.wait *= 2
	if tx.key.method != "INVITE" && (tx.wait > t2 || tx.provisional) {
		tx.wait = t2
	}
	tx.resend.Reset(tx.wait)
}

// timedOut is timer B or F, and afterwards D or K, which forget the transaction.
func (tx *clientTx) timedOut() {
	tx.p.mu.Lock()
	defer tx.p.mu.Unlock()
	switch {
	case tx.p.closed:
	case tx.final != nil || tx.err != nil:
		delete(tx.p.clients, tx.key)
	default:
		tx.fail(ErrTimeout)
	}
}

// fail ends the transaction without a final response. p.mu is held.
func (tx *clientTx) fail(err error) {
	tx.err = err
	tx.stop()
	delete(tx.p.clients, tx.key)
	tx.tell(nil)
}

func (tx *clientTx) tell(res *Message) {
	if tx.answer != nil {
		tx.answer(tx, res)
	}
	tx.p.wake()
}

// stop takes the timers away. p.mu is held.
func (tx *clientTx) stop() {
	if tx.resend != nil {
		tx.resend.Stop()
	}
	tx.expire.Stop()
}

// response handles a response that belongs to the transaction. It reports
// whether it was a repetition. p.mu is held.
func (tx *clientTx) response(res *Message) bool {
	invite := tx.key.method == "INVITE"
	switch {
	case tx.final != nil && res.Code < 200:
		return false // overtaken by the final response
	case tx.final != nil:
		if invite && res.Code < 300 {
			tx.tell(res) // of this dialog, or of a fork
			return tx.final.toTag() == res.toTag()
		}
		if tx.ack != nil {
			tx.p.transmit(tx.way, tx.ack, []byte(tx.ack.String()), true)
		}
		return true
	case res.Code < 200:
		tx.provisional = true
		if invite {
			tx.stop() // an INVITE that is being worked on may take its time
		}
		tx.tell(res)
		return false
	}
	tx.final = res
	tx.stop()
	// Timer D and its likes: repetitions are still recognised.
	if invite {
		tx.expire.Reset(timeout)
	} else {
		tx.expire.Reset(t4)
	}
	if invite && res.Code >= 300 {
		tx.ack = tx.refusalACK(res)
		tx.p.transmit(tx.way, tx.ack, []byte(tx.ack.String()), false)
	}
	tx.tell(res)
	return false
}

// refusalACK is the ACK of RFC 3261 section 17.1.1.3.
func (tx *clientTx) refusalACK(res *Message) *Message {
	seq, _ := tx.req.cseq()
	ack := &Message{Method: "ACK", URI: tx.req.URI}
	ack.add("Via", tx.req.Header("Via"), "From", tx.req.Header("From"), "To", res.Header("To"),
		"Call-ID", tx.req.callID(), "CSeq", cseqValue(seq, "ACK"), "Max-Forwards", "70")
	for _, r := range tx.req.Values("Route") {
		ack.add("Route", r)
	}
	return ack
}

// serverTx is one received request and the answers to it (RFC 3261 section
// 17.2). p.mu guards it.
type serverTx struct {
	p              *Phone
	key            txKey
	way            path
	req            *Message
	toTag          string
	last           *Message
	acked          bool
	wait           time.Duration
	resend, expire *time.Timer
	// unacknowledged is called under p.mu when a final response to an INVITE
	// got no ACK in 32 s.
	unacknowledged func()
}

// serve begins a server transaction. p.mu is held.
func (p *Phone) serve(w path, key txKey, req *Message) *serverTx {
	tx := &serverTx{p: p, key: key, way: w, req: req, toTag: req.toTag()}
	if tx.toTag == "" {
		tx.toTag = token()
	}
	p.servers[key] = tx
	return tx
}

// respond answers; fill may add headers and a body. p.mu is held.
func (tx *serverTx) respond(code int, fill func(*Message)) {
	res := &Message{Code: code, Reason: phrase(code)}
	for _, v := range tx.req.Values("Via") {
		res.add("Via", v)
	}
	for _, r := range tx.req.Values("Record-Route") {
		res.add("Record-Route", r)
	}
	to := tx.req.Header("To")
	if tx.req.toTag() == "" && code > 100 {
		to += ";tag=" + tx.toTag
	}
	res.add("From", tx.req.Header("From"), "To", to, "Call-ID", tx.req.callID(), "CSeq", tx.req.Header("CSeq"))
	if fill != nil {
		fill(res)
	}
	tx.last = res
	tx.p.transmit(tx.way, res, []byte(res.String()), false)
	if code < 200 {
		return
	}
	tx.expire = time.AfterFunc(timeout, tx.timedOut)
	if tx.key.method == "INVITE" && (code < 300 || !tx.way.reliable()) {
		// A 2xx is repeated over every transport (RFC 3261 section 13.3.1.4).
		tx.wait = t1
		tx.resend = time.AfterFunc(tx.wait, tx.again)
	}
}

// again is timer G, and the repetition of a 2xx.
func (tx *serverTx) again() {
	tx.p.mu.Lock()
	defer tx.p.mu.Unlock()
	if tx.p.closed || tx.acked {
		return
	}
	tx.p.transmit(tx.way, tx.last, []byte(tx.last.String()), true)
	tx.wait = min(2*tx.wait, t2)
	tx.resend.Reset(tx.wait)
}

// timedOut is timer H, I or J.
func (tx *serverTx) timedOut() {
	tx.p.mu.Lock()
	defer tx.p.mu.Unlock()
	if tx.p.closed {
		return
	}
	tx.stop()
	delete(tx.p.servers, tx.key)
	if !tx.acked && tx.unacknowledged != nil {
		tx.unacknowledged()
	}
	tx.p.wake()
}

// ack ends the repetitions. p.mu is held.
func (tx *serverTx) ack() {
	tx.acked = true
	if tx.resend != nil {
		tx.resend.Stop()
	}
	tx.p.wake()
}

// stop takes the timers away. p.mu is held.
func (tx *serverTx) stop() {
	if tx.resend != nil {
		tx.resend.Stop()
	}
	if tx.expire != nil {
		tx.expire.Stop()
	}
}
