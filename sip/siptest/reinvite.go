package siptest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Hold tells the far end, by a re-INVITE with sendonly, that this phone no
// longer listens; while held the phone says nothing.
func (c *Call) Hold(ctx context.Context) error { return c.reoffer(ctx, "hold", sendonly) }

// Resume takes the far end back from hold.
func (c *Call) Resume(ctx context.Context) error { return c.reoffer(ctx, "resume", sendrecv) }

// reoffer sends a re-INVITE. A collision with one of the far end is tried again
// after the wait of RFC 3261 section 14.1.
func (c *Call) reoffer(ctx context.Context, what, direction string) error {
	for {
		res, err := c.reinviteOnce(ctx, what, direction)
		if err != nil {
			return err
		}
		if res.Code != 491 {
			return c.p.refusal(what, res)
		}
		wait := time.Duration(random32()%200) * 10 * time.Millisecond
		if !c.incoming {
			wait += 2100 * time.Millisecond
		}
		if err := sleep(ctx, wait); err != nil {
			return c.p.failed(what, err)
		}
	}
}

func (c *Call) reinviteOnce(ctx context.Context, what, direction string) (*Message, error) {
	c.p.mu.Lock()
	err := c.past(ended)
	if err == nil && (c.state != confirmed) {
		err = ErrNotAnswered
	}
	if err == nil && c.changing {
		err = errors.New("another re-INVITE is under way")
	}
	if err != nil {
		c.p.mu.Unlock()
		return nil, c.p.failed(what, err)
	}
	c.changing = true
	c.p.mu.Unlock()
	defer func() {
		c.p.mu.Lock()
		c.changing = false
		c.p.mu.Unlock()
	}()
	res, err := c.ask(ctx, "INVITE", func(m *Message) error {
		m.body("application/sdp", c.talk.offer(direction))
		return nil
	}, c.reanswered)
	if err == nil && res.Code < 300 && !res.hasSDP() {
		return nil, c.p.failed(what, fmt.Errorf("%d without a session description", res.Code))
	}
	return res, err
}

// reanswered sees the responses to a re-INVITE. p.mu is held.
func (c *Call) reanswered(tx *clientTx, res *Message) {
	if res == nil {
		return
	}
	c.last = res
	if res.Code < 200 || res.Code >= 300 {
		return
	}
	seq, _ := tx.req.cseq()
	first := c.acks[seq] == nil
	if contact := res.Values("Contact"); first && len(contact) > 0 {
		c.target, _ = splitAddress(contact[0])
	}
	c.acknowledge(seq, tx.req)
	if first {
		c.granted(res)
	}
	if first && res.hasSDP() {
		if err := c.talk.answered(res.Body); err != nil {
			c.p.stats.Unexpected++
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reoffered answers a re-INVITE or UPDATE. p.mu is held.
func (c *Call) reoffered(tx *serverTx) {
	m := tx.req
	if c.changing || c.talk == nil {
		tx.respond(491, nil)
		return
	}
	if contact := m.Values("Contact"); len(contact) > 0 {
		c.target, _ = splitAddress(contact[0])
	}
	var body []byte
	switch {
	case m.hasSDP():
		var err error
		if body, err = c.talk.accept(m.Body); err != nil {
			tx.respond(488, nil)
			return
		}
		c.held = c.talk.isHeld()
	case m.Method == "INVITE":
		c.offerPending = true
		body = c.talk.offer(c.talk.direction())
	}
	if m.Method == "INVITE" {
		c.reinvite = tx
	}
	tx.respond(200, func(r *Message) {
		c.contact(r)
		c.timed(m, r)
		r.body("application/sdp", body)
	})
}
