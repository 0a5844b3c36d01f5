package call

import "time"

// timer is a deadline whose expiry arrives as a message. Setting or stopping it
// begins a new generation, so that an expiry already in the mailbox is ignored.
// Loop only.
type timer struct {
	generation int
	clock      *time.Timer
}

// arm has expired run in the loop after d.
func (c *Call) arm(t *timer, d time.Duration, expired func()) {
	t.stop()
	m := &expiry{timer: t, generation: t.generation, expired: expired}
	// Exempt: a full mailbox must not keep a call from ending.
	t.clock = time.AfterFunc(d, func() {
		c.box.PushExempt(m)
		c.run()
	})
}

func (t *timer) stop() {
	t.generation++
	if t.clock != nil {
		t.clock.Stop()
		t.clock = nil
	}
}

type expiry struct {
	timer      *timer
	generation int
	expired    func()
}

func (m *expiry) handle(*Call) {
	if m.generation == m.timer.generation {
		m.timer.stop()
		m.expired()
	}
}
