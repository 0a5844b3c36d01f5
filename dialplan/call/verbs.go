package call

import (
	"context"
	"errors"
	"time"
)

// The verbs below are for effects: they ask the loop and wait, with the ctx
// given to Effect.Run or one derived from it. They act on the party the script
// is for: the one that has been in the call longest. All return ctx's cause
// when that ends, and ErrNotScript, ErrBusy or ErrEnded when the loop declines.

// RingSpec says whom to ring, as whom and for how long.
type RingSpec struct {
	// Branch of the plan the ring belongs to; it returns in the outcome and in
	// the later OutcomeTalkEnded.
	Branch string
	// Extension to ring, of the call's own tenant.
	Extension int64
	// From is shown to the called party; zero for the party it is rung for.
	From Party
	// Diverted are those who sent the call on, the first one first. With any the
	// caller is told that it is being forwarded.
	Diverted []Diversion
	// Timeout after which ringing legs are hung up with CauseNoAnswer. Zero
	// sets no limit of its own: ctx and the longest call remain.
	Timeout time.Duration
}

// Ring rings every contact of an extension. OutcomeDone means that one answered
// and the parties talk: the effect returns, and the end of the talk is told to
// the planner as OutcomeTalkEnded. Otherwise the outcome is the best that any
// contact gave: busy before rejected before no answer before failed before
// unreachable. A contact that sends the call on decides for all of them at once. If ctx ends first, the legs that ring are cancelled.
func (c *Call) Ring(ctx context.Context, spec RingSpec) (Outcome, error) {
	result := make(chan Outcome, 1) // the loop never waits
	r := &ring{spec: spec, result: func(o Outcome) { result <- o }}
	if err := c.ask(ctx, func() error {
		c.startRing(r)
		return nil
	}); err != nil {
		c.tell(&giveUp{r}) // it may still start, if ctx ended while the ask was waiting
		return Outcome{}, err
	}
	select {
	case o := <-result:
		return o, nil
	case <-ctx.Done():
		c.tell(&giveUp{r})
		return Outcome{}, context.Cause(ctx)
	}
}

// Answer answers the caller, if that has not happened yet. It does not wait for
// the confirmation: without one the leg ends with CauseProtocol.
func (c *Call) Answer(ctx context.Context) error {
	return c.ask(ctx, func() error {
		c.answer(c.driven(ctx))
		c.arrived()
		return nil
	})
}

// Play lets the party hear sounds and returns when the last has ended, or with
// the error of the media; with loop it plays until ctx ends. It does not answer
// the call: before an answer the party may hear nothing.
func (c *Call) Play(ctx context.Context, sounds []string, loop bool) error {
	heard := make(chan error, 1)
	done := func(err error) {
		select {
		case heard <- err:
		default: // once is the contract of Media; a second call must not block it
		}
	}
	err := c.ask(ctx, func() error {
		c.driven(ctx).leg.Media().Play(sounds, loop, done)
		return nil
	})
	if err == nil {
		select {
		case err := <-heard:
			return err
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	c.tell(&quiet{scriptOf(ctx)})
	return err
}

// quiet stops a Play that was given up, if its script still drives the call.
type quiet struct{ script *script }

func (m *quiet) handle(c *Call) {
	if c.permit(m.script) == nil {
		s := c.main()
		if m.script.seat != nil {
			s = m.script.seat
		}
		s.leg.Media().Quiet()
	}
}

// Echo lets the party hear itself from now on and returns at once.
func (c *Call) Echo(ctx context.Context) error {
	return c.ask(ctx, func() error {
		c.driven(ctx).leg.Media().Echo()
		return nil
	})
}

// End ends the call with a cause; the ctx of the script ends with ErrEnded. A
// call that is over already is no error.
func (c *Call) End(ctx context.Context, cause Cause) error {
	err := c.ask(ctx, func() error {
		c.end(cause, "")
		return nil
	})
	if errors.Is(err, ErrEnded) {
		return nil
	}
	return err
}
