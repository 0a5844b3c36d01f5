package siptest

import (
	"context"
	"strings"
)

// Incoming waits for the next call to this phone. It is answered with 100 and
// waits for Ring, Progress, Answer or Reject. A call that its caller gave up already
// is returned too.
func (p *Phone) Incoming(ctx context.Context) (*Call, error) {
	var c *Call
	err := p.await(ctx, "wait for a call", func() (bool, error) {
		if len(p.offered) == 0 {
			return false, nil
		}
		c, p.offered = p.offered[0], p.offered[1:]
		return true, nil
	})
	return c, err
}

// invited begins an incoming call. p.mu is held.
func (p *Phone) invited(tx *serverTx) {
	m := tx.req
	c := &Call{p: p, incoming: true, id: dialogKey{m.callID(), tx.toTag}, way: tx.way, invite: m, server: tx, acks: map[uint32]*Message{}}
	c.local = m.Header("To") + ";tag=" + tx.toTag
	c.remote, c.remoteTag = m.Header("From"), m.fromTag()
	c.remoteSeq, _ = m.cseq()
	c.routes = m.Values("Record-Route")
	if contact := m.Values("Contact"); len(contact) > 0 {
		c.target, _ = splitAddress(contact[0])
	}
	p.calls[c.id] = c
	p.offered = append(p.offered, c)
	tx.respond(100, nil)
}

// Ring sends 180.
func (c *Call) Ring() error {
	return c.early("ring", false, func() error {
		c.server.respond(180, c.contact)
		c.rang = true
		return nil
	})
}

// Progress sends 183 with a session description: from now on the phone can be
// heard, and hears, before it is answered.
func (c *Call) Progress() error {
	return c.early("progress", true, func() error {
		body, err := c.agree()
		if err != nil {
			return err
		}
		c.server.respond(183, func(m *Message) { c.contact(m); m.body("application/sdp", body) })
		c.rang, c.progressed = true, true
		return nil
	})
}

// Answer sends 200 with a session description and repeats it until the ACK
// comes. When none comes in 32 s the phone says BYE by itself. An offer without
// a common codec is refused with 488 and an error.
func (c *Call) Answer() error {
	return c.early("answer", true, func() error {
		body, err := c.agree()
		if err != nil {
			c.refuse(488)
			return err
		}
		c.state = answered
		c.server.unacknowledged = c.giveUp
		c.server.respond(200, func(m *Message) {
			c.contact(m)
			c.timed(c.server.req, m)
			m.body("application/sdp", body)
		})
		return nil
	})
}

// Reject refuses the call with a status from 300 to 699.
func (c *Call) Reject(code int) error {
	return c.early("reject", false, func() error {
		c.refuse(code)
		return nil
	})
}

func (c *Call) refuse(code int) {
	c.server.respond(code, nil)
	c.finish(End{Code: code})
}

// early runs do for an incoming call that is not answered yet, and gives it its
// media first when do needs them.
func (c *Call) early(what string, media bool, do func() error) error {
	if !c.incoming {
		return c.p.failed(what, ErrDirection)
	}
	// The sockets are opened without the lock.
	c.p.mu.Lock()
	open := media && c.talk == nil && c.state == calling
	c.p.mu.Unlock()
	var fresh *talk
	if open {
		var err error
		if fresh, err = c.p.newTalk(); err != nil {
			return c.p.failed(what, err)
		}
	}
	c.p.mu.Lock()
	err := c.past(answered)
	if err == nil && c.p.closed {
		err = ErrPhoneClosed
	}
	if fresh != nil && (err != nil || c.talk != nil) {
		fresh.close()
	} else if fresh != nil {
		c.talk = fresh
	}
	if err == nil {
		err = do()
	}
	c.p.wake()
	c.p.mu.Unlock()
	if err != nil {
		return c.p.failed(what, err)
	}
	return nil
}

// agree makes our half of the session: an answer, or an offer when the INVITE
// had none. p.mu is held.
func (c *Call) agree() ([]byte, error) {
	if !c.invite.hasSDP() {
		c.offerPending = true
		return c.talk.offer(sendrecv), nil
	}
	return c.talk.accept(c.invite.Body)
}

func (c *Call) contact(m *Message) {
	m.add("Contact", "<"+c.p.URI()+">", "Allow", allowed)
}

// giveUp runs when no ACK came (RFC 3261 section 13.3.1.4). p.mu is held.
func (c *Call) giveUp() {
	if c.state != answered {
		return
	}
	bye := c.build("BYE")
	c.p.account.authorize(bye)
	w := c.way
	if to, err := c.hopLocked(); err == nil && w.link == nil {
		w.to = to
	}
	c.p.start(w, bye, nil)
	c.finish(End{})
}

// acknowledged handles the ACK to a 2xx of ours. p.mu is held.
func (c *Call) acknowledged(m *Message) {
	seq, _ := m.cseq()
	tx := c.server
	if c.reinvite != nil {
		if n, _ := c.reinvite.req.cseq(); n == seq {
			tx = c.reinvite
		}
	}
	if tx == nil {
		c.p.stats.Unexpected++
		return
	}
	if c.offerPending && m.hasSDP() && !tx.acked {
		c.offerPending = false
		if err := c.talk.answered(m.Body); err != nil {
			c.p.stats.Unexpected++
		}
	}
	tx.ack()
	if c.state == answered {
		c.state = confirmed
	}
}

// request answers a request within the dialog. p.mu is held.
func (c *Call) request(tx *serverTx) {
	m := tx.req
	seq, _ := m.cseq()
	switch {
	case c.state == ended && m.Method == "BYE":
		tx.respond(200, nil) // both hung up at once
		return
	case c.state == ended:
		tx.respond(481, nil)
		return
	case seq <= c.remoteSeq && c.remoteSeq != 0:
		c.p.stats.Unexpected++
		tx.respond(500, nil) // out of order (RFC 3261 section 12.2.2)
		return
	}
	c.remoteSeq = seq
	switch m.Method {
	case "BYE":
		tx.respond(200, nil)
		c.finish(End{Remote: true, Reason: m.Header("Reason"), Message: m})
	case "INVITE", "UPDATE":
		c.reoffered(tx)
	case "INFO":
		c.informed(m)
		tx.respond(200, nil)
	case "NOTIFY":
		c.notified(m)
		tx.respond(200, nil)
	case "OPTIONS":
		tx.respond(200, func(r *Message) { r.add("Allow", allowed) })
	default:
		c.p.stats.Unexpected++
		tx.respond(405, func(r *Message) { r.add("Allow", allowed) })
	}
}

// informed takes a digit from an INFO.
func (c *Call) informed(m *Message) {
	if c.talk == nil || !strings.HasPrefix(strings.ToLower(m.Header("Content-Type")), "application/dtmf") {
		return
	}
	for line := range strings.Lines(string(m.Body)) {
		k, v, found := strings.Cut(strings.TrimSpace(line), "=")
		if !found {
			k, v = "Signal", k // application/dtmf has the digit alone
		}
		if strings.EqualFold(strings.TrimSpace(k), "Signal") {
			c.talk.digit(strings.TrimSpace(v))
		}
	}
}
