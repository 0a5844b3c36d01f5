package siptest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrNoMedia is returned before the far end has said where to talk to.
	ErrNoMedia = errors.New("siptest: no media yet")
	// ErrNotHeard is returned when the phone heard something else.
	ErrNotHeard = errors.New("siptest: not heard")
	// errNoKey is a digit no phone has.
	errNoKey = errors.New("siptest: no such key")
	// errOnHold is pressing keys while one side holds the other.
	errOnHold = errors.New("siptest: on hold")
	// errNoEvents is a far end that does not understand RFC 4733.
	errNoEvents = errors.New("siptest: the far end takes no telephone-event")
)

// speech is something being said.
type speech struct {
	next func() []int16 // a frame of 160 samples, or nil at the end
	stop chan struct{}
	done bool
}

// Say speaks 8 kHz PCM in the background, in frames of 20 ms, instead of what the
// phone was saying. The last frame is filled with silence. While either side holds the
// other, or keys are pressed, time passes and nothing is sent.
func (c *Call) Say(pcm []int16) error {
	return c.speak("say", func() []int16 {
		if len(pcm) == 0 {
			return nil
		}
		out := make([]int16, samples)
		pcm = pcm[copy(out, pcm):]
		return out
	})
}

// SayTone speaks a sine of half amplitude in the background until Quiet or the
// end of the call.
func (c *Call) SayTone(hz float64) error {
	i := 0
	return c.speak("say a tone", func() []int16 {
		out := make([]int16, samples)
		for k := range out {
			out[k] = sine(hz, i)
			i++
		}
		return out
	})
}

// Quiet ends what Say or SayTone began.
func (c *Call) Quiet() {
	if t := c.media(); t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.out.stop()
	}
}

// WaitSaid waits until Say has said everything, or was ended.
func (c *Call) WaitSaid(ctx context.Context) error {
	return c.p.await(ctx, "wait until it is said", func() (bool, error) {
		if c.talk == nil {
			return false, ErrNoMedia
		}
		c.talk.mu.Lock()
		defer c.talk.mu.Unlock()
		return c.talk.out.speech == nil || c.talk.out.speech.done, nil
	})
}

func (c *Call) media() *talk {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.talk
}

func (c *Call) speak(what string, next func() []int16) error {
	t := c.media()
	if t == nil {
		return c.p.failed(what, ErrNoMedia)
	}
	t.mu.Lock()
	if t.closed || !t.connected {
		closed := t.closed
		t.mu.Unlock()
		if closed {
			return c.p.failed(what, ErrCallOver)
		}
		return c.p.failed(what, ErrNoMedia)
	}
	t.out.stop()
	s := &speech{next: next, stop: make(chan struct{})}
	t.out.speech = s
	t.running.Add(1)
	t.mu.Unlock()
	go t.speak(s) // ends when s is said or stopped
	return nil
}

func (t *talk) speak(s *speech) {
	defer t.running.Done()
	defer t.wake()
	// As with a microphone, a frame can be sent once it is full. Who begins to
	// listen at the same instant thereby hears it all.
	due := time.Now().Add(frame)
	timer := time.NewTimer(frame)
	defer timer.Stop()
	spurt := false
	for {
		select {
		case <-s.stop:
			return
		case <-timer.C:
		}
		if !t.sayFrame(s, &spurt) {
			return
		}
		due = due.Add(frame)
		timer.Reset(time.Until(due))
	}
}

// sayFrame sends the next frame. spurt is whether the one before was sent.
func (t *talk) sayFrame(s *speech, spurt *bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.out.speech != s {
		return false
	}
	pcm := s.next()
	if pcm == nil {
		s.done = true
		return false
	}
	if !t.maySend() || t.out.pressing {
		*spurt = false
		return true
	}
	ts := t.out.last
	if !*spurt {
		ts = t.out.clock()
	}
	data := make([]byte, len(pcm))
	for i, v := range pcm {
		data[i] = t.codec.encode(v)
	}
	t.send(uint8(t.codec), !*spurt, ts, data)
	t.out.last = ts + samples
	*spurt = true
	return true
}

// Press presses keys (0-9 * # A-D) one after the other as RFC 4733 events of
// 100 ms with pauses of 60 ms, and returns when they are sent.
func (c *Call) Press(ctx context.Context, digits string) error {
	what := "press " + digits
	t := c.media()
	if t == nil {
		return c.p.failed(what, ErrNoMedia)
	}
	for _, d := range strings.ToUpper(digits) {
		event := strings.IndexRune(keys, d)
		if event < 0 {
			return c.p.failed(what, fmt.Errorf("%w: %q", errNoKey, d))
		}
		if err := t.press(ctx, byte(event)); err != nil {
			return c.p.failed(what, err)
		}
	}
	return nil
}

// mayPress is why a key cannot be pressed. t.mu is held.
func (t *talk) mayPress() error {
	switch {
	case !t.connected:
		return ErrNoMedia
	case !t.maySend():
		return errOnHold
	case t.remote.event == 0:
		return errNoEvents
	default:
		return nil
	}
}

// press sends one event: a packet every 20 ms with a growing duration, the last
// one three times (RFC 4733 section 2.5).
func (t *talk) press(ctx context.Context, event byte) error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return ErrCallOver
	}
	if err := t.mayPress(); err != nil {
		t.mu.Unlock()
		return err
	}
	t.out.pressing = true
	ts := t.out.clock()
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.out.pressing = false
	}()
	const last = 5
	for n := 1; n <= last; n++ {
		if err := sleep(ctx, frame); err != nil {
			return err
		}
		t.mu.Lock()
		data := []byte{event, 10, byte(n * samples >> 8), byte(n * samples & 0xff)}
		copies := 1
		if n == last {
			data[1] |= 0x80
			copies = 3
		}
		for range copies {
			t.send(uint8(t.remote.event), n == 1, ts, data)
		}
		t.out.last = max(t.out.last, ts+uint32(n*samples))
		t.mu.Unlock()
	}
	return sleep(ctx, 3*frame)
}

// PressInfo presses keys by SIP INFO with application/dtmf-relay, one after the
// other.
func (c *Call) PressInfo(ctx context.Context, digits string) error {
	for _, d := range digits {
		body := fmt.Appendf(nil, "Signal=%c\r\nDuration=160\r\n", d)
		res, err := c.ask(ctx, "INFO", func(m *Message) error {
			m.body("application/dtmf-relay", body)
			return nil
		}, nil)
		if err != nil {
			return err
		}
		if err := c.p.refusal("INFO", res); err != nil {
			return err
		}
	}
	return nil
}

// Digits are the keys received so far, by RFC 4733 or INFO.
func (c *Call) Digits() string {
	t := c.media()
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.digits.String()
}

// WaitDigits waits until the keys received since the beginning are these.
func (c *Call) WaitDigits(ctx context.Context, digits string) error {
	got := ""
	err := c.p.await(ctx, "wait for digits "+digits, func() (bool, error) {
		if c.talk != nil {
			c.talk.mu.Lock()
			got = c.talk.digits.String()
			c.talk.mu.Unlock()
		}
		if got == digits {
			return true, nil
		}
		return false, c.past(ended)
	})
	if err != nil {
		return fmt.Errorf("got digits %q: %w", got, err)
	}
	return nil
}

// Hear listens for d and returns d of 8 kHz PCM: what arrived, in its place in
// time, and zeros where nothing did. When the call ends first, it returns what
// it heard until then and no error.
func (c *Call) Hear(ctx context.Context, d time.Duration) ([]int16, error) {
	t := c.media()
	if t == nil {
		return nil, c.p.failed("hear", ErrNoMedia)
	}
	r := &recorder{start: time.Now(), pcm: make([]int16, int(d*rate/time.Second)), over: make(chan struct{})}
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil, c.p.failed("hear", ErrCallOver)
	}
	t.hearing.recorders = append(t.hearing.recorders, r)
	t.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	var err error
	select {
	case <-timer.C:
	case <-r.over:
		r.pcm = r.pcm[:min(len(r.pcm), int(time.Since(r.start)*rate/time.Second))]
	case <-ctx.Done():
		err = c.p.failed("hear", context.Cause(ctx))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hearing.forget(r)
	return r.pcm, err
}

// HearsTone listens until the phone has heard a tone for 200 ms, for at most
// 5 s.
func (c *Call) HearsTone(ctx context.Context, hz float64) error {
	best, loudest := 0.0, -120.0
	for range 25 {
		pcm, err := c.Hear(ctx, 200*time.Millisecond)
		if err != nil {
			return fmt.Errorf("listening for %g Hz: %w", hz, err)
		}
		if len(pcm) > 0 && HasTone(pcm, hz) {
			return nil
		}
		best, loudest = max(best, share(pcm, hz)), max(loudest, Level(pcm))
	}
	return c.p.failed(fmt.Sprintf("hear %g Hz", hz),
		fmt.Errorf("%w: at most %.0f %% of the energy was there, the loudest 200 ms had %.0f dB, media %+v", ErrNotHeard, 100*best, loudest, c.RTP()))
}

// HearsSilence listens for d and fails when it was louder than -50 dB.
func (c *Call) HearsSilence(ctx context.Context, d time.Duration) error {
	pcm, err := c.Hear(ctx, d)
	if err != nil {
		return err
	}
	if level := Level(pcm); level > silence {
		return c.p.failed("hear silence", fmt.Errorf("%w: %.0f dB", ErrNotHeard, level))
	}
	return nil
}

// RTP returns the packet counters of the call.
func (c *Call) RTP() RTPStats {
	t := c.media()
	if t == nil {
		return RTPStats{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}
