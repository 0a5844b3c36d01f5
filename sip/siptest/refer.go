package siptest

import (
	"context"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Note is what one NOTIFY told of a transfer (RFC 3515).
type Note struct {
	// Code is the status in its message/sipfrag, 0 without one.
	Code int
	// State is its Subscription-State: "active" or "terminated".
	State string
	// Message is the NOTIFY itself.
	Message *Message
}

// Refer asks the switch to connect the party of this call with somebody else (RFC
// 3515) and returns the final response. To is a number of the phone's domain, a
// URI, or a whole Refer-To value in angle brackets; extra headers may follow.
func (c *Call) Refer(ctx context.Context, to string, extra ...Header) (*Message, error) {
	if !strings.HasPrefix(to, "<") {
		to = "<" + c.p.dial(to) + ">"
	}
	return c.ask(ctx, "REFER", func(m *Message) error {
		m.add("Refer-To", to, "Referred-By", "<"+c.p.aor()+">")
		m.Headers = append(m.Headers, extra...)
		return nil
	}, nil)
}

// ReferTo is the Refer-To value that names another call of this phone for an
// attended transfer (RFC 5589 section 7.3).
func (c *Call) ReferTo() string {
	target, _, _ := strings.Cut(c.ReferTarget(), ";")
	return "<" + target + "?Replaces=" + url.QueryEscape(c.Replaces()) + ">"
}

// ReferTarget is the URI of the far end.
func (c *Call) ReferTarget() string {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.target
}

// Replaces is the value of a Replaces header that names this dialog to the far end
// (RFC 3891).
func (c *Call) Replaces() string {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.id.callID + ";to-tag=" + c.remoteTag + ";from-tag=" + c.id.localTag
}

// CallReplacing calls target and asks to take the place of a leg that replaces
// names: the value of a Replaces header.
func (p *Phone) CallReplacing(ctx context.Context, target, replaces string, extra ...Header) (*Call, error) {
	return p.callWith(ctx, target, append([]Header{{"Replaces", replaces}}, extra...)...)
}

// notified takes a NOTIFY. p.mu is held.
func (c *Call) notified(m *Message) {
	n := Note{Message: m}
	n.State, _, _ = strings.Cut(m.Header("Subscription-State"), ";")
	if words := strings.Fields(string(m.Body)); len(words) > 1 {
		n.Code, _ = strconv.Atoi(words[1])
	}
	c.notes = append(c.notes, n)
}

// Notes are the NOTIFYs of the call so far.
func (c *Call) Notes() []Note {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return append([]Note(nil), c.notes...)
}

// WaitNotified waits for the NOTIFY that ends the subscription of a transfer and
// returns it.
func (c *Call) WaitNotified(ctx context.Context) (Note, error) {
	var last Note
	err := c.p.await(ctx, "wait for the end of a transfer", func() (bool, error) {
		if n := len(c.notes); n > 0 {
			last = c.notes[n-1]
		}
		return last.State == "terminated", nil
	})
	return last, err
}

// ReferOutside sends target a REFER that belongs to no call and returns the final
// response.
func (p *Phone) ReferOutside(ctx context.Context, target, to string) (*Message, error) {
	uri := p.dial(target)
	seq, callID, tag := uint32(0), token(), token()
	return p.ask(ctx, query{
		what: "refer " + uri,
		hop:  func() (netip.AddrPort, error) { return p.hop(uri) },
		build: func() (*Message, error) {
			seq++
			m := &Message{Method: "REFER", URI: uri}
			m.add("Max-Forwards", "70", "From", "<"+p.aor()+">;tag="+tag, "To", "<"+uri+">", "Call-ID", callID,
				"CSeq", cseqValue(seq, "REFER"), "Contact", "<"+p.URI()+">", "Refer-To", "<"+p.dial(to)+">")
			return m, nil
		},
	})
}
