package call

import (
	"context"
	"time"
)

// keyPause is how long the next key of a code pressed during a call may take
// (spec/function-keys.md 2.3).
const keyPause = 1500 * time.Millisecond

// typedAhead bounds the keys that wait for a script which has begun and does not
// gather yet: a speed dial presses them faster than it starts.
const typedAhead = 32

// Keypad is a Planner that knows codes parties press while they talk.
type Keypad interface {
	// Press says what the keys that a party has pressed one after another stand
	// for. It is pure as Next is.
	Press(in Situation, by Party, keys string) Key
}

// Key is what some keys stand for. The zero value is: nothing.
type Key struct {
	// Step is what to do, nil for nothing or nothing yet.
	Step *Step
	// Alone: the step is for the party that pressed, in a leg script; the other
	// one waits. Otherwise the call does it instead of what it does now.
	Alone bool
	// More: with further keys they may stand for something.
	More  bool
	Trace []TraceEntry
}

// pressed handles a key: a script that gathers takes it, else it may be part of a
// code.
func (c *Call) pressed(s *seat, d byte) {
	c.emit(Event{Kind: EventDigit, Leg: s.leg.ID(), Digit: d})
	switch {
	case s.gather != nil:
		c.gathered(s, d)
		return
	case s.script != nil:
		if len(s.keys) < typedAhead {
			s.keys += string(d)
		}
		return
	}
	pad, ok := c.planner.(Keypad)
	if !ok || !c.listens(s) {
		return
	}
	for keys := s.keys + string(d); keys != ""; keys = keys[1:] {
		k := pad.Press(c.situation(), s.leg.Party(), keys)
		for i := range k.Trace {
			c.trace(&k.Trace[i])
		}
		if k.Step != nil {
			c.forgetKeys(s)
			c.press(s, k)
			return
		}
		if k.More {
			s.keys = keys
			c.arm(&s.pause, keyPause, func(*Call) { s.keys = "" })
			return
		}
	}
	c.forgetKeys(s)
}

// listens reports whether the keys of a party that no script has may be a code: it
// talks, or it waits while the one it consults is rung.
func (c *Call) listens(s *seat) bool {
	return c.state == StateTalking && c.peerOf(s) != nil || c.state == StateRinging && c.consults(s)
}

func (c *Call) press(s *seat, k Key) {
	if k.Alone {
		c.startLegScript(s, *k.Step)
		return
	}
	c.turn(*k.Step, s)
}

func (c *Call) forgetKeys(s *seat) {
	s.keys = ""
	c.disarm(&s.pause)
}

// startLegScript runs an effect for one of two parties that talk; the other one
// hears music.
func (c *Call) startLegScript(s *seat, step Step) {
	effect, err := c.reg.cfg.Effects.Effect(step)
	if err != nil {
		c.fault(step, err)
		return
	}
	c.note(step.Name, "")
	c.launch(&script{step: step, seat: s}, effect)
	s.leg.Media().Quiet()
	c.mix()
}

// legScriptDone is what follows when a leg script has returned.
func (c *Call) legScriptDone(m *scriptDone) {
	c.legScripts--
	s := m.script
	if s.seat.script == s {
		s.seat.script = nil
		c.dropGather(s.seat)
		c.forgetKeys(s.seat)
	}
	switch {
	case c.spoilt(m):
	case m.outcome.Refer != nil:
		c.refer(s.seat, *m.outcome.Refer)
	case c.state == StateTalking:
		c.mix()
	}
}

// stopLegScript tells the script of a leg, if it has one, to return. Nothing it
// asks from now on is done, so the leg need not wait for it.
func (c *Call) stopLegScript(s *seat, why error) {
	c.forgetKeys(s)
	c.dropGather(s)
	if s.script != nil {
		s.script.stopped = why
		c.endScript(s.script, why)
		s.script = nil
	}
}

func (c *Call) stopLegScripts(why error) {
	for _, s := range c.legs {
		c.stopLegScript(s, why)
	}
}

// GatherSpec says which keys to wait for.
type GatherSpec struct {
	// Sounds are heard first; a key stops them.
	Sounds []string
	// First is how long the first key may take, from the end of the sounds on;
	// Next how long each further one. Both are needed.
	First, Next time.Duration
	// End is the key that ends the entry and is not part of it; 0 for none.
	End byte
	// Max is how many keys end it without.
	Max int
}

// gather is a Gather under way. Loop only.
type gather struct {
	spec   GatherSpec
	keys   []byte
	wait   timer
	result chan string // one slot
}

// Gather waits for keys of the party and returns them: those before the End key,
// before a pause that was too long, or Max of them.
func (c *Call) Gather(ctx context.Context, spec GatherSpec) (string, error) {
	g := &gather{spec: spec, result: make(chan string, 1)}
	if err := c.ask(ctx, func() error {
		c.startGather(c.driven(ctx), g)
		return nil
	}); err != nil {
		return "", err
	}
	select {
	case keys := <-g.result:
		return keys, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (c *Call) startGather(s *seat, g *gather) {
	c.dropGather(s)
	s.gather = g
	ahead := s.keys
	s.keys = ""
	for i := 0; i < len(ahead) && s.gather == g; i++ {
		c.gathered(s, ahead[i])
	}
	if ahead != "" {
		return
	}
	if len(g.spec.Sounds) == 0 {
		c.awaitKey(s, g.spec.First)
		return
	}
	s.leg.Media().Play(g.spec.Sounds, false, func(error) {
		// From any goroutine, maybe under a lock of the media's.
		c.box.PushExempt(&heardOut{s, g})
		c.wake()
	})
}

// heardOut: the sounds before a Gather have ended.
type heardOut struct {
	seat   *seat
	gather *gather
}

func (m *heardOut) handle(c *Call) {
	if m.seat.gather == m.gather && len(m.gather.keys) == 0 {
		c.awaitKey(m.seat, m.gather.spec.First)
	}
}

func (c *Call) awaitKey(s *seat, d time.Duration) {
	g := s.gather
	c.arm(&g.wait, d, func(c *Call) { c.endGather(s, g) })
}

// gathered takes a key.
func (c *Call) gathered(s *seat, d byte) {
	g := s.gather
	if len(g.keys) == 0 {
		s.leg.Media().Quiet()
	}
	if d == g.spec.End {
		c.endGather(s, g)
		return
	}
	g.keys = append(g.keys, d)
	if len(g.keys) >= g.spec.Max {
		c.endGather(s, g)
		return
	}
	c.awaitKey(s, g.spec.Next)
}

func (c *Call) endGather(s *seat, g *gather) {
	if s.gather == g {
		c.dropGather(s)
		g.result <- string(g.keys)
	}
}

func (c *Call) dropGather(s *seat) {
	if s.gather != nil {
		c.disarm(&s.gather.wait)
		s.gather = nil
	}
}

// driven is the party that the script of ctx is for.
func (c *Call) driven(ctx context.Context) *seat {
	if s := scriptOf(ctx); s != nil && s.seat != nil {
		return s.seat
	}
	return c.main()
}
