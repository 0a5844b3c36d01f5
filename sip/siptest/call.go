package siptest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

var (
	// ErrCallOver is returned by what needs a call that has ended.
	ErrCallOver = errors.New("siptest: the call is over")
	// ErrNotAnswered is returned by what needs an answered call.
	ErrNotAnswered = errors.New("siptest: the call is not answered")
	// ErrAnswered is returned by Cancel, Ring and the like when the call was answered
	// already.
	ErrAnswered = errors.New("siptest: the call is answered")
	// ErrDirection is returned for what only the other side of a call can do.
	ErrDirection = errors.New("siptest: not on this side of the call")
	// errNoContact is a dialog whose far end gave no Contact.
	errNoContact = errors.New("siptest: the far end gave no Contact")
)

// callState is where a call stands.
//
//	calling --2xx--> answered --ACK--> confirmed --BYE--> ended
//	   \----refusal, CANCEL----------------------------------^
type callState uint8

const (
	calling   callState = iota // INVITE sent or received
	answered                   // 2xx sent or received
	confirmed                  // ACK received or sent
	ended
)

// dialogKey names a dialog by what never changes of it.
type dialogKey struct{ callID, localTag string }

// End tells how a call ended.
type End struct {
	// Remote is true when the far end ended it.
	Remote bool
	// Code is the final status of the INVITE when there was no talk: the refusal, 487
	// after CANCEL, 408 without an answer, 503 after the connection broke; 0 after a
	// talk.
	Code int
	// Reason is the Reason header (RFC 3326) of what ended it.
	Reason string
	// Message is the BYE, CANCEL or refusal received from the far end; nil when
	// this phone ended it or nothing came.
	Message *Message
}

// String tells it in words.
func (e End) String() string {
	who := "this side"
	if e.Remote {
		who = "the far end"
	}
	if e.Code == 0 {
		return "hung up by " + who
	}
	return fmt.Sprintf("ended by %s with %d", who, e.Code)
}

// Call is one call of a phone. Its phone's lock guards it.
type Call struct {
	p        *Phone
	incoming bool

	id           dialogKey
	remoteTag    string
	local        string // our From or To value, with tag
	remote       string // theirs
	target       string // remote target: where requests of the dialog go
	routes       []string
	seq          uint32 // of our latest request
	inviteSeq    uint32 // of our latest INVITE
	remoteSeq    uint32
	way          path // of the first INVITE
	state        callState
	rang         bool // 180 to 189 sent or received
	progressed   bool // … with a session description
	held         bool // the far end holds us
	changing     bool // our re-INVITE is under way
	attempts     int
	invite       *Message
	client       *clientTx // of the INVITE, when outgoing
	server       *serverTx // of the INVITE, when incoming
	reinvite     *serverTx // of the latest re-INVITE received
	acks         map[uint32]*Message
	rseq         uint32      // of the latest reliable response to our INVITE
	refresh      *time.Timer // of the session, while that is our part
	offerPending bool        // our offer went out in a 2xx; the answer is in the ACK
	end          *End
	talk         *talk
	last         *Message
	extra        []Header // of our first INVITE
	notes        []Note
}

// ID is the Call-ID.
func (c *Call) ID() string { return c.id.callID }

// Invite is the INVITE that began the call, as this phone sent (the latest
// attempt) or received it.
func (c *Call) Invite() *Message {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.invite
}

// LastResponse is the latest response to the INVITE or a re-INVITE of this
// call, nil before the first.
func (c *Call) LastResponse() *Message {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.last
}

// Held is true while the far end holds this phone.
func (c *Call) Held() bool {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.held
}

// WaitRinging waits for a response 180 to 189.
func (c *Call) WaitRinging(ctx context.Context) error {
	return c.p.await(ctx, "wait until it rings", func() (bool, error) {
		if c.rang {
			return true, nil
		}
		return false, c.past(answered)
	})
}

// WaitProgress waits for a response 180 to 189 with a session description:
// early media.
func (c *Call) WaitProgress(ctx context.Context) error {
	return c.p.await(ctx, "wait for early media", func() (bool, error) {
		if c.progressed {
			return true, nil
		}
		return false, c.past(answered)
	})
}

// WaitAnswered waits until both sides agree that the call is answered: the 2xx
// came, or, for an incoming call, the ACK.
func (c *Call) WaitAnswered(ctx context.Context) error {
	return c.p.await(ctx, "wait for the answer", func() (bool, error) {
		if c.state == confirmed {
			return true, nil
		}
		return false, c.past(ended)
	})
}

// WaitHeld waits until the far end holds this phone, or no longer does.
func (c *Call) WaitHeld(ctx context.Context, held bool) error {
	return c.p.await(ctx, fmt.Sprintf("wait until held is %v", held), func() (bool, error) {
		if c.held == held {
			return true, nil
		}
		return false, c.past(ended)
	})
}

// WaitEnded waits for the end of the call.
func (c *Call) WaitEnded(ctx context.Context) (End, error) {
	err := c.p.await(ctx, "wait for the end", func() (bool, error) { return c.state == ended, nil })
	if err != nil {
		return End{}, err
	}
	return *c.end, nil
}

// past is an error when the call is in the given state or beyond. p.mu is held.
func (c *Call) past(s callState) error {
	switch {
	case c.state < s:
		return nil
	case c.state == ended:
		return fmt.Errorf("%w: %s", ErrCallOver, *c.end)
	default:
		return ErrAnswered
	}
}

// finish ends the call. p.mu is held.
func (c *Call) finish(e End) {
	if c.state == ended {
		return
	}
	c.state, c.end = ended, &e
	for _, tx := range []*serverTx{c.server, c.reinvite} {
		if tx != nil && tx.last != nil && tx.last.Code/100 == 2 {
			tx.ack() // nobody needs the 2xx any more
		}
	}
	if c.talk != nil {
		c.talk.close()
	}
	c.keepSession(0, false)
	p := c.p
	// What is under way may still arrive.
	time.AfterFunc(timeout, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.calls, c.id)
	})
	p.wake()
}

// build makes a request of the dialog (RFC 3261 section 12.2.1.1). p.mu is held.
func (c *Call) build(method string) *Message {
	m := &Message{Method: method, URI: c.target}
	if method != "ACK" {
		c.seq++
	}
	m.add("Max-Forwards", "70", "From", c.local, "To", c.remote, "Call-ID", c.id.callID, "CSeq", cseqValue(c.seq, method))
	for _, r := range c.routes {
		m.add("Route", r)
	}
	if method == "INVITE" || method == "UPDATE" || method == "REFER" {
		m.add("Contact", "<"+c.p.URI()+">", "Allow", allowed)
		c.extend(m)
	}
	return m
}

// hop is where requests of the dialog go.
func (c *Call) hop() (netip.AddrPort, error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.hopLocked()
}

func (c *Call) hopLocked() (netip.AddrPort, error) {
	next := c.target
	if len(c.routes) > 0 {
		next, _ = splitAddress(c.routes[0])
	}
	if next == "" {
		return netip.AddrPort{}, errNoContact
	}
	to, _, err := uriAddress(next)
	if err != nil && c.p.cfg.Switch.IsValid() {
		return c.p.cfg.Switch, nil
	}
	return to, err
}

// ask performs a request of the dialog.
func (c *Call) ask(ctx context.Context, method string, fill func(*Message) error, answer func(*clientTx, *Message)) (*Message, error) {
	return c.p.ask(ctx, query{
		what: method,
		hop:  c.hop,
		build: func() (*Message, error) {
			m := c.build(method)
			if fill == nil {
				return m, nil
			}
			return m, fill(m)
		},
		answer: answer,
	})
}

// acknowledge sends the ACK to a 2xx of our INVITE with that number, the same one
// every time (RFC 3261 section 13.2.2.4). p.mu is held.
func (c *Call) acknowledge(seq uint32, of *Message) {
	if c.p.bad&NeverACK != 0 {
		return
	}
	ack := c.acks[seq]
	again := ack != nil
	if !again {
		ack = c.build("ACK")
		ack.set("CSeq", cseqValue(seq, "ACK"))
		for _, h := range []string{"Authorization", "Proxy-Authorization"} {
			if v := of.Header(h); v != "" {
				ack.add(h, v)
			}
		}
		ack.Headers = append([]Header{{"Via", c.p.via("z9hG4bK" + token())}}, ack.Headers...)
		c.acks[seq] = ack
	}
	w := c.way
	if to, err := c.hopLocked(); err == nil && w.link == nil {
		w.to = to
	} else if err == nil && c.p.links[to] != nil {
		w = path{to: to, link: c.p.links[to]}
	}
	c.p.transmit(w, ack, []byte(ack.String()), again)
}

// Hangup ends the call in the way its state asks for: BYE, CANCEL, or a refusal
// with 480. A call that is over is no error. It waits for the final response.
func (c *Call) Hangup(ctx context.Context) error {
	c.p.mu.Lock()
	state := c.state
	c.p.mu.Unlock()
	switch {
	case state == ended:
		return nil
	case state == calling && c.incoming:
		return c.Reject(480)
	case state == calling:
		return c.Cancel(ctx)
	}
	// The side that answered waits for the ACK first (RFC 3261 section 15).
	if err := c.WaitAnswered(ctx); err != nil {
		if errors.Is(err, ErrCallOver) {
			return nil
		}
		return err
	}
	return c.bye(ctx)
}

func (c *Call) bye(ctx context.Context) error {
	c.p.mu.Lock()
	if c.talk != nil {
		c.talk.close()
	}
	c.p.mu.Unlock()
	res, err := c.ask(ctx, "BYE", nil, func(_ *clientTx, res *Message) {
		if res == nil || res.Code >= 200 && !challenged(res) {
			c.finish(End{})
		}
	})
	if err != nil {
		return err
	}
	if res.Code == 481 {
		return nil // the far end hung up at the same moment
	}
	return c.p.refusal("BYE", res)
}
