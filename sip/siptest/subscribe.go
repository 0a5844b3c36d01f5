package siptest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Subscription is a phone's subscription to an event package (RFC 6665). It
// answers NOTIFYs with 200, or as AnswerWith says, and never refreshes by itself.
type Subscription struct {
	p          *Phone
	target     string
	event      string
	headers    []Header
	callID     string
	tag        string
	remoteTag  string
	remote     string // URI of the far end's Contact
	seq        uint32
	remoteSeq  uint32
	answerWith int
	notified   []*Message
	taken      int
	ended      bool
}

// Subscribe asks for the state of target in an event package, for a time in whole
// seconds (0 fetches it once), with further headers as pairs of name and value.
// It returns when the SUBSCRIBE was answered with 2xx; a refusal is an error.
func (p *Phone) Subscribe(ctx context.Context, event, target string, expires time.Duration, headers ...string) (*Subscription, error) {
	s := &Subscription{p: p, target: p.dial(target), event: event, callID: token(), tag: token(), answerWith: 200}
	for i := 0; i+1 < len(headers); i += 2 {
		s.headers = append(s.headers, Header{headers[i], headers[i+1]})
	}
	p.mu.Lock()
	p.subs[dialogKey{s.callID, s.tag}] = s
	p.mu.Unlock()
	return s, s.ask(ctx, expires)
}

// Refresh asks for another term, or with 0 ends the subscription.
func (s *Subscription) Refresh(ctx context.Context, expires time.Duration) error {
	return s.ask(ctx, expires)
}

func (s *Subscription) ask(ctx context.Context, expires time.Duration) error {
	what := fmt.Sprintf("subscribe to %s of %s for %v", s.event, s.target, expires)
	res, err := s.p.ask(ctx, query{
		what: what,
		hop:  func() (netip.AddrPort, error) { return s.p.hop(s.target) },
		build: func() (*Message, error) {
			s.seq++
			m := &Message{Method: "SUBSCRIBE", URI: s.target}
			to := "<" + s.target + ">"
			if s.remoteTag != "" {
				m.URI = s.remote
				to += ";tag=" + s.remoteTag
			}
			m.add("Max-Forwards", "70", "From", "<"+s.p.aor()+">;tag="+s.tag, "To", to, "Call-ID", s.callID,
				"CSeq", cseqValue(s.seq, m.Method), "Contact", "<"+s.p.URI()+">", "Event", s.event,
				"Expires", strconv.Itoa(int(expires/time.Second)))
			m.Headers = append(m.Headers, s.headers...)
			return m, nil
		},
		answer: func(_ *clientTx, res *Message) {
			if res != nil && res.Code/100 == 2 {
				s.remoteTag = res.toTag()
				s.remote, _ = splitAddress(res.Header("Contact"))
			}
		},
	})
	if err != nil {
		return err
	}
	return s.p.refusal(what, res)
}

// notifiedIn answers a NOTIFY of a subscription. p.mu is held.
func (s *Subscription) notifiedIn(tx *serverTx) {
	m := tx.req
	seq, _ := m.cseq()
	switch {
	case seq <= s.remoteSeq:
		s.p.stats.Unexpected++
		tx.respond(500, nil) // out of order (RFC 3261 section 12.2.2)
		return
	case s.ended:
		s.p.stats.Unexpected++
		tx.respond(481, nil)
		return
	}
	s.remoteSeq = seq
	s.notified = append(s.notified, m)
	if strings.HasPrefix(m.Header("Subscription-State"), "terminated") {
		s.ended = true
	}
	if s.answerWith != 0 {
		tx.respond(s.answerWith, nil)
	}
}

// AnswerWith is the answer to the NOTIFYs that come from now on; 0 answers none.
func (s *Subscription) AnswerWith(code int) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.answerWith = code
}

// Notify returns the next NOTIFY nobody took yet, as soon as it is there.
func (s *Subscription) Notify(ctx context.Context) (m *Message, err error) {
	err = s.p.await(ctx, "notify of "+s.event, func() (bool, error) {
		if s.taken == len(s.notified) {
			return false, nil
		}
		m = s.notified[s.taken]
		s.taken++
		return true, nil
	})
	return m, err
}

// Notified returns every NOTIFY so far, repetitions left out, and counts them as
// taken.
func (s *Subscription) Notified() []*Message {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.taken = len(s.notified)
	return slices.Clone(s.notified)
}

// Event is the package it is of.
func (s *Subscription) Event() string { return s.event }

// CallID is that of the subscription's dialog.
func (s *Subscription) CallID() string { return s.callID }

// Publish publishes state of the phone's own address in an event package
// (RFC 3903). ifMatch is the entity-tag of what it refreshes, replaces or, with
// an expiry of 0, removes; empty for a first publication. It returns the new one.
func (p *Phone) Publish(ctx context.Context, event, ifMatch string, expires time.Duration, contentType string, body []byte) (etag string, err error) {
	what := "publish " + event
	seq, callID, tag, uri := uint32(0), token(), token(), p.aor()
	res, err := p.ask(ctx, query{
		what: what,
		hop:  func() (netip.AddrPort, error) { return p.hop(uri) },
		build: func() (*Message, error) {
			seq++
			m := &Message{Method: "PUBLISH", URI: uri}
			m.add("Max-Forwards", "70", "From", "<"+uri+">;tag="+tag, "To", "<"+uri+">", "Call-ID", callID,
				"CSeq", cseqValue(seq, m.Method), "Event", event, "Expires", strconv.Itoa(int(expires/time.Second)))
			if ifMatch != "" {
				m.add("SIP-If-Match", ifMatch)
			}
			if len(body) > 0 {
				m.body(contentType, body)
			}
			return m, nil
		},
	})
	if err != nil {
		return "", err
	}
	return res.Header("SIP-ETag"), p.refusal(what, res)
}

// Message sends a text to target (RFC 3428), with further headers as pairs of name
// and value, and returns the final response, whatever its code.
func (p *Phone) Message(ctx context.Context, target, text string, headers ...string) (*Message, error) {
	seq, callID, tag, uri := uint32(0), token(), token(), p.dial(target)
	return p.ask(ctx, query{
		what: "message to " + uri,
		hop:  func() (netip.AddrPort, error) { return p.hop(uri) },
		build: func() (*Message, error) {
			seq++
			m := &Message{Method: "MESSAGE", URI: uri}
			m.add("Max-Forwards", "70", "From", "<"+p.aor()+">;tag="+tag, "To", "<"+uri+">", "Call-ID", callID,
				"CSeq", cseqValue(seq, m.Method))
			for i := 0; i+1 < len(headers); i += 2 {
				m.add(headers[i], headers[i+1])
			}
			m.body("text/plain", []byte(text))
			return m, nil
		},
	})
}

// Texted returns the next MESSAGE nobody took yet, as soon as it is there.
func (p *Phone) Texted(ctx context.Context) (m *Message, err error) {
	err = p.await(ctx, "message", func() (bool, error) {
		if len(p.texts) == 0 {
			return false, nil
		}
		m, p.texts = p.texts[0], p.texts[1:]
		return true, nil
	})
	return m, err
}

// Texts are all messages nobody took yet; they stay.
func (p *Phone) Texts() []*Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.texts)
}

// AnswerTexts is the answer to the MESSAGEs that come from now on, 200 at first;
// 0 answers none. Only those answered with 2xx are kept for Texted.
func (p *Phone) AnswerTexts(code int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.textAnswer = code
}

// texted answers a MESSAGE outside a dialog. p.mu is held.
func (p *Phone) texted(tx *serverTx) {
	if p.textAnswer/100 == 2 {
		p.texts = append(p.texts, tx.req)
	}
	if p.textAnswer != 0 {
		tx.respond(p.textAnswer, nil)
	}
}
