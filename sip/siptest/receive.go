package siptest

import (
	"bytes"
	"strconv"
	"strings"
)

// allowed is what the phone understands.
const allowed = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, UPDATE, MESSAGE"

// receive is the one door for everything that arrives.
func (p *Phone) receive(w path, data []byte) {
	data = bytes.TrimLeft(data, "\r\n")
	if len(bytes.Trim(data, "\x00")) == 0 {
		return // a keep-alive
	}
	m, err := parse(data)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	defer p.wake()
	if err != nil {
		p.stats.Unreadable++
		p.note(Record{Peer: w.to, Raw: data})
		return
	}
	p.stats.Received++
	p.note(Record{Peer: w.to, Message: m, Raw: data})
	record := &p.history[len(p.history)-1]
	if m.IsRequest() {
		record.Repeated = p.isRepeated(m)
		if record.Repeated {
			p.stats.Repeated++
		}
		p.request(w, m)
		return
	}
	p.response(m, record)
}

// response gives a response to its transaction. p.mu is held.
func (p *Phone) response(m *Message, record *Record) {
	p.last = m
	_, method := m.cseq()
	tx := p.clients[txKey{branch: m.branch(), method: method}]
	if tx == nil {
		if !p.toExchange(m) {
			p.stats.Unexpected++
		}
		return
	}
	// The transaction may lengthen the history, so the note comes first.
	record.Repeated = tx.final != nil && m.Code >= 200 && tx.final.toTag() == m.toTag()
	if record.Repeated {
		p.stats.Repeated++
	}
	tx.response(m)
}

// serverKey names the transaction of a request; an ACK to a refusal has that of
// its INVITE.
func serverKey(m *Message) txKey {
	method := m.Method
	if method == "ACK" {
		method = "INVITE"
	}
	via, _, _ := strings.Cut(m.Values("Via")[0], ";")
	return txKey{branch: m.branch(), sentBy: via, method: method}
}

func (p *Phone) isRepeated(m *Message) bool {
	tx := p.servers[serverKey(m)]
	return tx != nil && (m.Method != "ACK" || tx.acked)
}

// request answers or hands over a request. p.mu is held.
func (p *Phone) request(w path, m *Message) {
	key := serverKey(m)
	tx := p.servers[key]
	switch {
	case m.Method == "ACK":
		p.acknowledged(tx, m)
		return
	case p.bad&IgnoreAll != 0, p.bad&IgnoreBYE != 0 && m.Method == "BYE":
		return
	case tx != nil:
		if tx.last != nil {
			p.transmit(tx.way, tx.last, []byte(tx.last.String()), true)
		}
		return
	}
	tx = p.serve(w, key, m)
	switch {
	case m.Header("Require") != "":
		p.stats.Unexpected++
		tx.respond(420, func(r *Message) { r.add("Unsupported", m.Header("Require")) })
	case m.Method == "CANCEL":
		p.cancelled(tx)
	case m.Method == "NOTIFY" && p.subs[dialogKey{m.callID(), m.toTag()}] != nil:
		p.subs[dialogKey{m.callID(), m.toTag()}].notifiedIn(tx)
	case m.toTag() != "":
		p.withinDialog(tx)
	case m.Method == "INVITE":
		p.invited(tx)
	case m.Method == "MESSAGE":
		p.texted(tx)
	case m.Method == "OPTIONS", m.Method == "NOTIFY":
		tx.respond(200, func(r *Message) { r.add("Allow", allowed, "Accept", "application/sdp") })
	default:
		p.stats.Unexpected++
		tx.respond(405, func(r *Message) { r.add("Allow", allowed) })
	}
}

// acknowledged handles an ACK. p.mu is held.
func (p *Phone) acknowledged(tx *serverTx, m *Message) {
	if tx != nil {
		if tx.last == nil || tx.last.Code < 300 {
			p.stats.Unexpected++ // the ACK to a 2xx has a branch of its own
		}
		tx.ack()
		return
	}
	c := p.calls[dialogKey{m.callID(), m.toTag()}]
	if c == nil {
		p.stats.Unexpected++
		return
	}
	c.acknowledged(m)
}

// cancelled handles a CANCEL (RFC 3261 section 9.2). p.mu is held.
func (p *Phone) cancelled(tx *serverTx) {
	key := tx.key
	key.method = "INVITE"
	invite := p.servers[key]
	if invite == nil {
		p.stats.Unexpected++
		tx.respond(481, nil)
		return
	}
	tx.toTag = invite.toTag
	tx.respond(200, nil)
	c := p.calls[dialogKey{invite.req.callID(), invite.toTag}]
	if invite.last == nil || invite.last.Code < 200 {
		invite.respond(487, nil)
		if c != nil {
			c.finish(End{Remote: true, Code: 487, Reason: tx.req.Header("Reason"), Message: tx.req})
		}
	}
}

// withinDialog gives a request to its call. p.mu is held.
func (p *Phone) withinDialog(tx *serverTx) {
	m := tx.req
	c := p.calls[dialogKey{m.callID(), m.toTag()}]
	if c == nil || c.remoteTag != "" && c.remoteTag != m.fromTag() {
		p.stats.Unexpected++
		tx.respond(481, nil)
		return
	}
	c.request(tx)
}

// phrase is the reason phrase of a status (RFC 3261 section 21).
func phrase(code int) string {
	switch code {
	case 100:
		return "Trying"
	case 180:
		return "Ringing"
	case 183:
		return "Session Progress"
	case 200:
		return "OK"
	case 405:
		return "Method Not Allowed"
	case 420:
		return "Bad Extension"
	case 480:
		return "Temporarily Unavailable"
	case 481:
		return "Call/Transaction Does Not Exist"
	case 486:
		return "Busy Here"
	case 487:
		return "Request Terminated"
	case 488:
		return "Not Acceptable Here"
	case 491:
		return "Request Pending"
	case 500:
		return "Server Internal Error"
	case 603:
		return "Decline"
	default:
		return "Status " + strconv.Itoa(code)
	}
}
