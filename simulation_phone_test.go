package cordpair_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cordpair/cordpair/sip/siptest"
)

const (
	// ringsAtMost is how long a call may go unanswered: the switch rings a phone
	// for 60 s, and 64*T1 pass on each side.
	ringsAtMost = 130 * time.Second
	// endsAtLatest is when a party that only waits must know that the other has gone:
	// the other talks for less than a minute, a phone that is gone is noticed
	// after 60 s of silence and 32 s without an answer, and the BYE takes 32 s.
	endsAtLatest = 240 * time.Second
	// sessionEnds is the same where a phone has gone that had put the other on hold: it
	// owes no audio, so only the session timer misses it (M8, RFC 4028).
	sessionEnds = 40 * time.Minute
)

// handset is a phone with a will of its own.
type handset struct {
	s      *sim
	number string
	tcp    bool
	index  uint64
	phone  *siptest.Phone
	rand   *rand.Rand // its script only

	mu sync.Mutex
	// bound: the last thing it knows of its registration is a 200 to a REGISTER;
	// changes counts its attempts to change that.
	bound   bool
	changes int
	gone    bool
	bad     siptest.Misbehaviour
	calls   map[*siptest.Call]int // and the life of the switch in which they began
	taken   uint64                // incoming calls so far
	watched []*siptest.Subscription
	texts   int // sent

	published publications
}

// live is what a phone does all day.
func (h *handset) live(until time.Time) {
	ctx, hang := context.WithCancel(h.s.t.Context())
	if h.rand.IntN(20) == 0 {
		h.bad = []siptest.Misbehaviour{siptest.NeverACK, siptest.IgnoreBYE, siptest.NoRTCP}[h.rand.IntN(3)]
		h.phone.Misbehave(h.bad)
	}
	var answering sync.WaitGroup
	answering.Go(func() { h.answerAll(ctx) })
	h.register()
	if h.rand.IntN(3) == 0 {
		h.watch()
	}
	for time.Now().Before(until) && !h.isGone() {
		pause(h.rand, 5*time.Second)
		switch n := h.rand.IntN(100); {
		case n < 12:
			h.register()
		case n < 20:
			h.unregister()
			pause(h.rand, 3*time.Second)
			h.register()
		case n < 24:
			h.options()
		case n < 36:
			h.text()
		case n < 41:
			h.takeOver(h.rand)
		case n < 47:
			h.publish()
		default:
			h.call(h.rand)
		}
	}
	time.Sleep(time.Until(until.Add(30 * time.Second))) // the others still call
	hang()
	answering.Wait()
}

// fine are outcomes of what a phone does that are nobody's fault: it was late,
// the network was bad, the phone or the switch has died.
func (h *handset) fine(err error, life int) bool {
	switch {
	case err == nil, h.isGone(), life != h.s.life():
		return true
	}
	for _, ok := range []error{siptest.ErrTimeout, siptest.ErrDisconnected, siptest.ErrCallOver, siptest.ErrPhoneClosed, siptest.ErrAnswered, siptest.ErrNotAnswered} {
		if errors.Is(err, ok) {
			return true
		}
	}
	return h.tcp && errors.Is(err, siptest.ErrRefused) // between two lives
}

// did notes what no phone may see.
func (h *handset) did(what string, err error, life int) bool {
	if h.fine(err, life) {
		return err == nil
	}
	h.s.problem("%s %s: %.600v", h.number, what, err)
	return false
}

func (h *handset) register() {
	life := h.s.life()
	h.mu.Lock()
	h.changes++
	h.mu.Unlock()
	err := h.phone.Register(h.s.t.Context())
	h.did("registers", err, life)
	if err == nil {
		h.mu.Lock()
		h.bound = true
		h.mu.Unlock()
	}
}

func (h *handset) unregister() {
	life := h.s.life()
	h.mu.Lock()
	h.bound = false
	h.changes++
	h.mu.Unlock()
	h.did("unregisters", h.phone.Unregister(h.s.t.Context()), life)
}

func (h *handset) options() {
	life := h.s.life()
	_, err := h.phone.Options(h.s.t.Context(), "sip:"+domain)
	h.did("asks for options", err, life)
}

// vanish ends the phone without a word.
func (h *handset) vanish() {
	h.mu.Lock()
	h.gone = true
	h.mu.Unlock()
	h.s.must(h.phone.Close())
}

func (s *sim) someoneGone() bool { return slices.ContainsFunc(s.sets, (*handset).isGone) }

func (h *handset) isGone() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gone
}

// began remembers in which life of the switch a call began.
func (h *handset) began(c *siptest.Call) int {
	life := h.s.life()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls[c] = life
	return life
}

// call dials somebody and sees it through.
func (h *handset) call(r *rand.Rand) {
	life := h.s.life()
	c, err := h.phone.Call(h.s.t.Context(), h.s.number(r))
	if !h.did("calls", err, life) {
		return
	}
	life = h.began(c)
	patience := moment(r, 20*time.Second) + time.Millisecond
	err = h.within(patience, c.WaitAnswered)
	switch {
	case err == nil:
		h.talk(c, r, life)
		h.hangUp(c, life)
	case !errors.Is(err, context.DeadlineExceeded): // it is over
	case r.IntN(4) == 0: // waits for whatever comes
		if h.within(ringsAtMost, c.WaitAnswered) == nil {
			h.hangUp(c, life)
		} else {
			h.awaitEnd(c, ringsAtMost, life)
		}
	default:
		h.did("cancels", h.within(ringsAtMost, c.Cancel), life)
	}
}

// number draws one to dial.
func (s *sim) number(r *rand.Rand) string {
	numbers := []string{"101", "102", "103", "104", "105", "101", "102", "103", "199", "*43"}
	return numbers[r.IntN(len(numbers))]
}

// moment draws a time below most. Half of them are whole half seconds, so that
// what two parties do crosses on the way.
func moment(r *rand.Rand, most time.Duration) time.Duration {
	d := between(r, 0, most)
	if r.IntN(2) == 0 {
		return d.Truncate(500 * time.Millisecond)
	}
	return d
}

func pause(r *rand.Rand, most time.Duration) { time.Sleep(moment(r, most)) }

// within gives a wait an end.
func (h *handset) within(d time.Duration, wait func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(h.s.t.Context(), d)
	defer cancel()
	return wait(ctx)
}

// awaitEnd waits for the far end to end the call.
func (h *handset) awaitEnd(c *siptest.Call, most time.Duration, life int) {
	wait := func(ctx context.Context) error { _, err := c.WaitEnded(ctx); return err }
	err := h.within(most, wait)
	if errors.Is(err, context.DeadlineExceeded) && h.s.someoneGone() {
		err = h.within(sessionEnds, wait)
	}
	if errors.Is(err, context.DeadlineExceeded) && h.s.moved() && h.known(c, life) {
		life = 0 // no rule ends the call of two who both wait since a transfer joined them
	}
	if h.bad&siptest.IgnoreBYE != 0 && errors.Is(err, context.DeadlineExceeded) {
		life = 0 // it was told, and would not hear
	}
	if !h.did("waits for the end", err, life) && !h.isGone() {
		_ = h.within(ringsAtMost, c.Hangup) // of a switch that knows nothing of it, or has failed already
	}
}

// known tells whether the switch has the call of a phone that was told of no end. If
// not, the phone should have been.
func (h *handset) known(c *siptest.Call, life int) bool {
	err := h.within(ringsAtMost, func(ctx context.Context) error { return c.PressInfo(ctx, "5") })
	return !overtaken(err) || overFor(c) || life != h.s.life()
}

func (h *handset) hangUp(c *siptest.Call, life int) {
	h.did("hangs up", h.within(ringsAtMost, c.Hangup), life)
}

// talk is what happens in a call that is up.
func (h *handset) talk(c *siptest.Call, r *rand.Rand, life int) {
	for range r.IntN(4) {
		pause(r, 5*time.Second)
		var err error
		what := ""
		switch r.IntN(5) {
		case 0:
			what = "holds"
			if err = h.within(ringsAtMost, c.Hold); err == nil && r.IntN(4) > 0 {
				pause(r, 4*time.Second)
				what, err = "resumes", h.within(ringsAtMost, c.Resume)
			}
		case 1:
			what, err = "presses keys", h.within(ringsAtMost, func(ctx context.Context) error { return c.PressInfo(ctx, "5") })
		case 2:
			if c.SayTone(440) == nil {
				time.Sleep(200 * time.Millisecond)
				c.Quiet()
			}
		case 3:
			if r.IntN(2) == 0 && !h.transfer(c, r, life) {
				return
			}
		}
		if overtaken(err) || !h.did(what, err, life) {
			return
		}
	}
	pause(r, 4*time.Second)
}

// overtaken: the far end had hung up, or was about to.
func overtaken(err error) bool {
	return err != nil && strings.Contains(err.Error(), "with 481 ")
}

// answerAll takes incoming calls until ctx ends.
func (h *handset) answerAll(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		c, err := h.phone.Incoming(ctx)
		if err != nil {
			return
		}
		life := h.began(c)
		h.taken++
		r := dice(h.s.seed, h.index<<32+h.taken)
		all.Go(func() { h.answer(c, r, life) })
	}
}

// answer decides about one incoming call.
func (h *handset) answer(c *siptest.Call, r *rand.Rand, life int) {
	if strings.Contains(c.Invite().Header("From"), "sip:109@") {
		h.did("tells the prober that it is there", c.Reject(486), life)
		return
	}
	pause(r, time.Second)
	n := r.IntN(100)
	switch {
	case n < 10:
		h.did("is busy", c.Reject(486), life)
		return
	case n < 15:
		h.did("declines", c.Reject(603), life)
		return
	case n < 20:
		h.did("does not want to be disturbed", c.Reject(480), life)
		return
	case n < 30: // rings for nobody
		h.did("rings", c.Ring(), life)
		h.awaitEnd(c, ringsAtMost, life)
		return
	case n < 35: // does not even ring
		h.awaitEnd(c, ringsAtMost, life)
		return
	case n < 45:
		h.did("is heard early", c.Progress(), life)
		pause(r, 3*time.Second)
	case n < 85:
		h.did("rings", c.Ring(), life)
		pause(r, 8*time.Second)
	}
	if !h.did("answers", c.Answer(), life) || h.within(ringsAtMost, c.WaitAnswered) != nil {
		return
	}
	h.talk(c, r, life)
	if r.IntN(2) == 0 {
		h.hangUp(c, life)
		return
	}
	h.awaitEnd(c, endsAtLatest, life)
}
