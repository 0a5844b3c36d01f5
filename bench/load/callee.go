//go:build linux

package load

import (
	"bytes"
	"strconv"
	"time"
)

// onSIP sorts what has arrived at a SIP socket.
func (e *engine) onSIP(s *socket, b []byte, at time.Time) {
	m := &e.msg
	if m.scan(b) != nil {
		return // keep-alives
	}
	now := time.Now()
	if m.status == 0 {
		e.onRequest(s, m, at, now)
		return
	}
	kind, i := indexOf(m.callID, e.run)
	switch {
	case kind == 'r' && i < len(e.phones):
		e.onRegister(e.phones[i], m, now)
	case kind == 'o' && i < len(e.phones):
		e.onOptions(e.phones[i], m)
	case kind == 'c' && i < len(e.calls):
		e.onCaller(e.calls[i], m, at, now)
	}
}

// indexOf reads our own Call-IDs, "c17-RUN@bench"; kind 0 is for others.
func indexOf(id []byte, run string) (kind byte, i int) {
	head, tail, ok := bytes.Cut(id, []byte("-"))
	if !ok || len(head) < 2 || !bytes.HasPrefix(tail, []byte(run)) {
		return 0, 0
	}
	return head[0], number(head[1:])
}

// onRequest is the callee's side of calls.
func (e *engine) onRequest(s *socket, m *message, at, now time.Time) {
	p := e.byUser[string(userOf(m.uri))]
	var c *callState
	if p != nil {
		c = p.call
	}
	// A phone's next call may have begun before the BYE of the one before came.
	inside := c != nil && c.callee == p && bytes.Equal(c.inID, m.callID)
	switch string(m.method) {
	case "INVITE":
		e.onInvite(s, c, m, at, now)
	case "ACK":
		if inside && c.answering == waitingACK {
			c.answering = talking
		}
	case "BYE":
		if inside {
			if c.answering == ending {
				e.blemish(c, "BYE came again")
				e.res.Repeated++
			}
			c.answering = ending
		}
		s.send(e.response(m, "200 OK", nil, nil, nil))
	default:
		s.send(e.response(m, "200 OK", nil, nil, nil))
	}
}

func (e *engine) onInvite(s *socket, c *callState, m *message, at, now time.Time) {
	switch {
	case c == nil || c.caught == over:
		s.send(e.response(m, "480 Temporarily Unavailable", []byte("x"), nil, nil))
		return
	case c.answering != fresh && bytes.Equal(c.inID, m.callID):
		e.blemish(c, "INVITE came again")
		e.res.Repeated++
		s.send(c.reply)
		return
	case c.answering != fresh:
		s.send(e.response(m, "486 Busy Here", []byte("x"), nil, nil))
		return
	}
	c.answering, c.arrived = ringing, at
	c.inID = append(c.inID[:0], m.callID...)
	if c.calleeRTP != nil {
		e.connect(c.calleeRTP, mediaPort(m.body))
	}
	c.final = bytes.Clone(e.response(m, "200 OK", c.callee.tag, c.callee, e.sdp(c.calleeRTP)))
	c.reply = bytes.Clone(e.response(m, "180 Ringing", c.callee.tag, c.callee, nil))
	c.rang = time.Now()
	s.send(c.reply)
	e.rings.push(now, c)
}

// answer sends the callee's 200.
func (e *engine) answer(c *callState, now time.Time) {
	if c.answering != ringing || c.caught == over {
		return
	}
	c.answering, c.reply = waitingACK, c.final
	c.callee.sock.send(c.reply)
	e.resends.push(now, resend{of: (*calleeOf)(c)})
}

// calleeOf repeats the callee's 200 until its ACK.
type calleeOf callState

func (c *calleeOf) again(e *engine, _, steps int, giveUp bool) resent {
	if c.answering != waitingACK || c.caught == over || giveUp {
		return settled
	}
	if !repeatsAt(steps, false) {
		return waits
	}
	e.blemish((*callState)(c), "the callee's 200 sent again")
	c.callee.sock.send(c.reply)
	return sent
}

// response renders an answer to m with a tag added to To, a phone's Contact and
// a body, each where given.
func (e *engine) response(m *message, status string, tag []byte, contact *phone, body []byte) []byte {
	b := append(e.out[:0], "SIP/2.0 "...)
	b = append(append(b, status...), "\r\n"...)
	for _, v := range m.vias {
		b = append(append(b, v...), "\r\n"...)
	}
	for _, r := range m.routes {
		b = append(append(append(b, "Record-Route: "...), r...), "\r\n"...)
	}
	b = append(append(append(b, "From: "...), m.from...), "\r\nTo: "...)
	b = append(b, m.to...)
	if tag != nil && !bytes.Contains(m.to, []byte(";tag=")) {
		b = append(append(b, ";tag="...), tag...)
	}
	b = append(append(append(b, "\r\nCall-ID: "...), m.callID...), "\r\nCSeq: "...)
	b = append(append(b, m.cseq...), "\r\n"...)
	if contact != nil {
		b = append(append(append(b, "Contact: <sip:"...), contact.user...), '@')
		b = append(append(b, contact.sock.local...), ">\r\n"...)
	}
	if len(body) > 0 {
		b = append(b, "Content-Type: application/sdp\r\n"...)
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(append(b, "\r\n\r\n"...), body...)
	e.out = b
	return b
}
