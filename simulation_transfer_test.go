package cordpair_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cordpair/cordpair/sip/siptest"
)

// refersAtMost is how long a transfer may take: its target rings, and what fails
// runs into 64*T1.
const refersAtMost = 160 * time.Second

// transfer connects the party of a call with somebody else, in one of the ways
// there are. It reports false when the call is over for this phone.
func (h *handset) transfer(c *siptest.Call, r *rand.Rand, life int) bool {
	to := h.s.number(r)
	h.s.place(to)
	switch r.IntN(4) {
	case 0:
		return h.attended(c, to, r, life)
	case 1:
		code := []string{"#1", "*2"}[r.IntN(2)]
		for n := range len(to) {
			h.s.place(to[:n]) // on a bad line keys come late, and a number ends early
		}
		err := h.within(ringsAtMost, func(ctx context.Context) error {
			if err := c.PressInfo(ctx, code); err != nil {
				return err
			}
			time.Sleep(time.Second) // people listen
			return c.PressInfo(ctx, to+"#")
		})
		if overtaken(err) || !h.did("transfers by "+code, err, life) {
			return false
		}
		pause(r, 20*time.Second)
		return true
	}
	return h.refer(c, "<sip:"+to+"@"+domain+">", life)
}

// refer sends a REFER and hears what comes of it.
func (h *handset) refer(c *siptest.Call, to string, life int) bool {
	var res *siptest.Message
	err := h.within(ringsAtMost, func(ctx context.Context) (err error) { res, err = c.Refer(ctx, to); return err })
	if !h.did("refers", err, life) || res.Code >= 300 {
		return err == nil && res.Code != 481
	}
	err = h.within(refersAtMost, func(ctx context.Context) error { return told(ctx, c) })
	return h.did("waits for the end of a transfer", err, life) && !overFor(c)
}

// told waits until the phone knows what came of its transfer. A BYE may overtake
// that, and a phone whose call is over no longer asks.
func told(ctx context.Context, c *siptest.Call) error {
	ctx, cancel := context.WithCancel(ctx)
	var ending sync.WaitGroup
	ending.Go(func() { // ends with the call, or with ctx
		_, _ = c.WaitEnded(ctx) // either is an end
		cancel()
	})
	_, err := c.WaitNotified(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	cancel()
	ending.Wait()
	return err
}

// attended asks the target first and transfers then, or before it has answered.
func (h *handset) attended(c *siptest.Call, to string, r *rand.Rand, life int) bool {
	if err := h.within(ringsAtMost, c.Hold); overtaken(err) || !h.did("holds", err, life) {
		return false
	}
	second, err := h.phone.Call(h.s.t.Context(), to)
	if !h.did("asks the target", err, life) {
		return false
	}
	h.began(second)
	if h.within(moment(r, 15*time.Second)+time.Second, second.WaitAnswered) != nil {
		h.did("asks in vain", h.within(ringsAtMost, second.Cancel), life)
		return true
	}
	pause(r, 2*time.Second)
	goes := h.refer(c, second.ReferTo(), life)
	h.hangUp(second, life)
	return goes
}

// overFor tells whether a call is over.
func overFor(c *siptest.Call) bool {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := c.WaitEnded(ctx)
	return err == nil
}

// takeOver takes somebody's place in a call of which this phone knows only the
// dialog, as a pickup by Replaces does (RFC 3891).
func (h *handset) takeOver(r *rand.Rand) {
	other := h.s.sets[r.IntN(len(h.s.sets))]
	calls := other.phone.Calls()
	if other == h || len(calls) == 0 {
		return
	}
	theirs := calls[r.IntN(len(calls))]
	life := h.s.life()
	h.s.place(other.number)
	c, err := h.phone.CallReplacing(h.s.t.Context(), "sip:"+other.number+"@"+domain, theirs.Replaces())
	if !h.did("takes a call over", err, life) {
		return
	}
	life = h.began(c)
	if h.within(ringsAtMost, c.WaitAnswered) == nil {
		h.talk(c, r, life)
		h.hangUp(c, life)
	}
}

// place notes that the switch may call somebody, or that parties change.
func (s *sim) place(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[to]++
}

// moved tells whether parties may have changed.
func (s *sim) moved() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked) > 0
}
