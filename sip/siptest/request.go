package siptest

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

func cseqValue(n uint32, method string) string {
	return strconv.FormatUint(uint64(n), 10) + " " + method
}

// domain is the host part of the phone's own URIs.
func (p *Phone) domain() string {
	if p.cfg.Domain == "" {
		return p.addr.String()
	}
	return p.cfg.Domain
}

// aor is the phone's address of record.
func (p *Phone) aor() string { return "sip:" + p.cfg.User + "@" + p.domain() }

// dial turns what is dialled into a URI; a URI stays as it is. A # must not
// stand in a URI (RFC 3261 section 25.1).
func (p *Phone) dial(target string) string {
	if strings.HasPrefix(strings.ToLower(target), "sip:") || strings.HasPrefix(strings.ToLower(target), "sips:") {
		return target
	}
	return "sip:" + strings.ReplaceAll(target, "#", "%23") + "@" + p.domain()
}

// hop is where a new request goes: the switch, or where its URI points.
func (p *Phone) hop(uri string) (netip.AddrPort, error) {
	if p.cfg.Switch.IsValid() {
		return p.cfg.Switch, nil
	}
	to, _, err := uriAddress(uri)
	return to, err
}

// query is a request that is repeated with credentials when it is challenged.
type query struct {
	what string // for errors
	hop  func() (netip.AddrPort, error)
	// build makes the request anew for every attempt, under p.mu.
	build func() (*Message, error)
	// answer sees the responses as clientTx.answer does; may be nil.
	answer func(*clientTx, *Message)
}

// ask performs a query and returns its final response, whatever it is.
func (p *Phone) ask(ctx context.Context, q query) (*Message, error) {
	for attempt := 0; ; attempt++ {
		to, err := q.hop()
		if err != nil {
			return nil, p.failed(q.what, err)
		}
		w, err := p.reach(ctx, to)
		if err != nil {
			return nil, p.failed(q.what, err)
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, p.failed(q.what, ErrPhoneClosed)
		}
		m, err := q.build()
		if err != nil {
			p.mu.Unlock()
			return nil, p.failed(q.what, err)
		}
		p.account.authorize(m)
		tx := p.start(w, m, q.answer)
		p.mu.Unlock()
		err = p.await(ctx, q.what, func() (bool, error) { return tx.final != nil, tx.err })
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		again := attempt < 2 && challenged(tx.final) && p.account.learn(tx.req, tx.final)
		p.mu.Unlock()
		if !again {
			return tx.final, nil
		}
	}
}

func challenged(res *Message) bool { return res.Code == 401 || res.Code == 407 }

// refusal is the error of a final response, nil for a 2xx.
func (p *Phone) refusal(what string, res *Message) error {
	if res.Code < 300 {
		return nil
	}
	return p.failed(what, fmt.Errorf("%w with %s", ErrRefusedWith, res.startLine()))
}

// Register binds the phone's address to its account for Config.Expires
// (RFC 3261 section 10.2), answering a challenge. Calling it again refreshes
// the binding.
func (p *Phone) Register(ctx context.Context) error {
	return p.register(ctx, int(p.cfg.Expires.Seconds()))
}

// Unregister removes the phone's binding.
func (p *Phone) Unregister(ctx context.Context) error { return p.register(ctx, 0) }

func (p *Phone) register(ctx context.Context, expires int) error {
	uri := "sip:" + p.domain()
	what := fmt.Sprintf("register for %d s", expires)
	res, err := p.ask(ctx, query{
		what: what,
		hop:  func() (netip.AddrPort, error) { return p.hop(uri) },
		build: func() (*Message, error) {
			p.regSeq++
			m := &Message{Method: "REGISTER", URI: uri}
			m.add("Max-Forwards", "70", "From", "<"+p.aor()+">;tag="+p.regTag, "To", "<"+p.aor()+">", "Call-ID", p.regID,
				"CSeq", cseqValue(p.regSeq, "REGISTER"), "Contact", "<"+p.URI()+">", "Expires", strconv.Itoa(expires), "Allow", allowed)
			return m, nil
		},
	})
	if err != nil {
		return err
	}
	return p.refusal(what, res)
}

// Options asks what target can do and returns the final response, whatever its
// code.
func (p *Phone) Options(ctx context.Context, target string) (*Message, error) {
	uri := p.dial(target)
	seq, callID, tag := uint32(0), token(), token()
	return p.ask(ctx, query{
		what: "options " + uri,
		hop:  func() (netip.AddrPort, error) { return p.hop(uri) },
		build: func() (*Message, error) {
			seq++
			m := &Message{Method: "OPTIONS", URI: uri}
			m.add("Max-Forwards", "70", "From", "<"+p.aor()+">;tag="+tag, "To", "<"+uri+">", "Call-ID", callID,
				"CSeq", cseqValue(seq, "OPTIONS"), "Contact", "<"+p.URI()+">", "Accept", "application/sdp")
			return m, nil
		},
	})
}
