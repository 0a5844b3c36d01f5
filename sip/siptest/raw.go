package siptest

import (
	"context"
	"errors"
	"slices"
)

// errNoSwitch is the error of raw sending without a Config.Switch.
var errNoSwitch = errors.New("siptest: raw messages go to Config.Switch, and there is none")

// exchange collects the responses that no transaction claims.
type exchange struct{ answers []*Message }

// Send sends raw bytes to the switch, as one datagram or as stream data. It does
// not wait for anything to come back.
func (p *Phone) Send(ctx context.Context, raw []byte) error {
	_, err := p.sendRaw(ctx, raw)
	return err
}

func (p *Phone) sendRaw(ctx context.Context, raw []byte) (path, error) {
	if !p.cfg.Switch.IsValid() {
		return path{}, errNoSwitch
	}
	w, err := p.reach(ctx, p.cfg.Switch)
	if err != nil {
		return path{}, p.failed("send", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return path{}, p.failed("send", ErrPhoneClosed)
	}
	m, err := parse(raw)
	if err != nil {
		m = nil // what cannot be read is what this is for
	}
	p.transmit(w, m, slices.Clone(raw), false)
	return w, nil
}

// Exchange sends raw bytes to the switch and returns the responses that no
// transaction of the phone claims, up to and including the first final one.
// Nothing is sent again and nothing is acknowledged. When ctx ends or the connection
// breaks first, it returns what came and an error.
func (p *Phone) Exchange(ctx context.Context, raw []byte) ([]*Message, error) {
	x := &exchange{}
	p.mu.Lock()
	p.raws = append(p.raws, x)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.raws = slices.DeleteFunc(p.raws, func(o *exchange) bool { return o == x })
	}()
	w, err := p.sendRaw(ctx, raw)
	if err != nil {
		return nil, err
	}
	err = p.await(ctx, "exchange", func() (bool, error) {
		if n := len(x.answers); n > 0 && x.answers[n-1].Code >= 200 {
			return true, nil
		}
		if w.link != nil && w.link.isDown() {
			return false, ErrDisconnected
		}
		return false, nil
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	return x.answers, err
}

// toExchange gives a response to the exchanges under way. p.mu is held.
func (p *Phone) toExchange(m *Message) bool {
	for _, x := range p.raws {
		x.answers = append(x.answers, m)
	}
	return len(p.raws) > 0
}
