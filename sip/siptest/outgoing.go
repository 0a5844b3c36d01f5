package siptest

import (
	"context"
	"errors"
	"slices"
)

// Call sends an INVITE to a number of the phone's domain, or to a SIP URI, and
// returns without waiting for a response. Challenges are answered on the way.
func (p *Phone) Call(ctx context.Context, target string) (*Call, error) {
	return p.callWith(ctx, target)
}

// callWith is Call with further headers in the INVITE.
func (p *Phone) callWith(ctx context.Context, target string, extra ...Header) (*Call, error) {
	uri := p.dial(target)
	what := "call " + uri
	to, err := p.hop(uri)
	if err != nil {
		return nil, p.failed(what, err)
	}
	w, err := p.reach(ctx, to)
	if err != nil {
		return nil, p.failed(what, err)
	}
	talk, err := p.newTalk()
	if err != nil {
		return nil, p.failed(what, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &Call{p: p, id: dialogKey{token(), token()}, target: uri, way: w, talk: talk, acks: map[uint32]*Message{}, extra: extra}
	c.local = "<" + p.aor() + ">;tag=" + c.id.localTag
	c.remote = "<" + uri + ">"
	if p.closed {
		talk.close()
		return nil, ErrPhoneClosed
	}
	p.calls[c.id] = c
	c.sendInvite()
	return c, nil
}

// sendInvite sends the first INVITE, or sends it again with credentials. p.mu is
// held.
func (c *Call) sendInvite() {
	m := c.build("INVITE")
	c.inviteSeq = c.seq
	m.Headers = append(m.Headers, c.extra...)
	c.p.account.authorize(m)
	m.body("application/sdp", c.talk.offer(sendrecv))
	c.invite = m
	c.client = c.p.start(c.way, m, c.responded)
}

// responded sees every response to the first INVITE. p.mu is held.
func (c *Call) responded(tx *clientTx, res *Message) {
	switch {
	case tx != c.client:
		return // of an attempt that was challenged
	case res == nil && errors.Is(tx.err, ErrDisconnected):
		c.finish(End{Code: 503})
		return
	case res == nil:
		c.finish(End{Code: 408})
		return
	}
	c.last = res
	switch {
	case res.Code < 200:
		c.provisional(res)
	case res.Code < 300:
		c.accepted(tx, res)
	case challenged(res) && c.attempts < 2 && c.p.account.learn(tx.req, res):
		c.attempts++
		c.sendInvite()
	default:
		c.finish(End{Remote: true, Code: res.Code, Reason: res.Header("Reason"), Message: res})
	}
}

func (c *Call) provisional(res *Message) {
	if res.Code == 100 || c.state != calling {
		return
	}
	if res.toTag() != "" {
		c.follow(res)
	}
	if !c.acknowledgeEarly(res) || res.Code < 180 || res.Code > 189 {
		return
	}
	c.rang = true
	if res.hasSDP() && c.talk.answered(res.Body) == nil {
		c.progressed = true
	}
}

// follow takes the dialog's state from a response (RFC 3261 section 12.1.2).
func (c *Call) follow(res *Message) {
	c.remoteTag = res.toTag()
	c.remote = res.Header("To")
	if contact := res.Values("Contact"); len(contact) > 0 {
		c.target, _ = splitAddress(contact[0])
	}
	c.routes = res.Values("Record-Route")
	slices.Reverse(c.routes)
}

// accepted handles a 2xx to the first INVITE, repeated or not.
func (c *Call) accepted(tx *clientTx, res *Message) {
	switch {
	case c.state == calling:
		c.follow(res)
		c.state = confirmed
		c.granted(res)
		c.acknowledge(c.inviteSeq, tx.req)
		if res.hasSDP() {
			if err := c.talk.answered(res.Body); err != nil {
				c.p.stats.Unexpected++ // a 2xx nobody can talk over
			}
		}
	case res.toTag() == c.remoteTag:
		c.acknowledge(c.inviteSeq, tx.req)
	default:
		c.abandon(tx, res)
	}
}

// abandon ends a dialog that a second fork of our INVITE opened (RFC 3261
// section 13.2.2.4).
func (c *Call) abandon(tx *clientTx, res *Message) {
	fork := &Call{p: c.p, id: c.id, local: c.local, way: c.way, seq: c.inviteSeq, acks: map[uint32]*Message{}}
	fork.target = c.target
	fork.follow(res)
	fork.acknowledge(c.inviteSeq, tx.req)
	bye := fork.build("BYE")
	c.p.account.authorize(bye)
	c.p.start(c.way, bye, nil)
}

// Cancel gives up an outgoing call that is not answered (RFC 3261 section 9.1): it
// waits for the first provisional response, sends CANCEL and waits for the end.
// When an answer wins the race the call is hung up and the error is ErrAnswered.
func (c *Call) Cancel(ctx context.Context) error {
	if c.incoming {
		return c.p.failed("cancel", ErrDirection)
	}
	err := c.p.await(ctx, "cancel: wait for a provisional response", func() (bool, error) {
		return c.client.provisional && c.client.final == nil || c.state != calling, nil
	})
	if err != nil {
		return err
	}
	c.p.mu.Lock()
	if c.state == calling {
		m := &Message{Method: "CANCEL", URI: c.client.req.URI}
		seq, _ := c.client.req.cseq()
		m.add("Max-Forwards", "70", "From", c.client.req.Header("From"), "To", c.client.req.Header("To"),
			"Call-ID", c.id.callID, "CSeq", cseqValue(seq, "CANCEL"))
		for _, r := range c.client.req.Values("Route") {
			m.add("Route", r)
		}
		c.p.startOn(c.client.way, m, c.client.key.branch, nil)
	}
	c.p.mu.Unlock()
	err = c.p.await(ctx, "cancel: wait for the end", func() (bool, error) { return c.state != calling, nil })
	if err != nil {
		return err
	}
	c.p.mu.Lock()
	won := c.state == confirmed
	c.p.mu.Unlock()
	if !won {
		return nil
	}
	if err := c.bye(ctx); err != nil {
		return err
	}
	return c.p.failed("cancel", ErrAnswered)
}
