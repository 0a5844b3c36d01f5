//go:build system

package browsertest

import (
	"testing"

	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/media/mediatest"
)

// beeps tells whether anything loud was heard of late: the fake microphone of
// Chromium beeps once a second and is silent between.
func (e *ear) beeps() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.last) >= 4000 && mediatest.Peak(e.last) > 1000
}

// TestChromiumCalls: the offer of a page is answered and both hear each other, again
// after an ICE restart; then the page hangs up.
func TestChromiumCalls(t *testing.T) {
	e := open(t)
	p, s := newPhone(t, e), begin(t, e, false)
	must(t, media.Join(p.session, s))
	c := browse(t, s, p.session, "")
	c.talks(p)
	before := c.last.Load().Packets
	c.tell("restart")
	p.deaf()
	until(t, "packets after the restart", func() bool { return c.hears(phoneTone) && c.last.Load().Packets > before+100 })
	c.talks(p)
	c.tell("hang up")
	until(t, "end", c.over.Load)
	if st := s.Stats(); st.Forged != 0 {
		t.Errorf("%d of its packets were taken for forged", st.Forged)
	}
}

// TestChromiumIsCalled: a page takes our offer.
func TestChromiumIsCalled(t *testing.T) {
	e := open(t)
	p, s := newPhone(t, e), begin(t, e, true)
	c := browse(t, s, p.session, "#called")
	must(t, media.Join(p.session, s))
	c.talks(p)
}

// talks waits until each side hears the other.
func (c *chromium) talks(p *phone) {
	c.t.Helper()
	until(c.t, "tone for the page", func() bool { return c.hears(phoneTone) })
	until(c.t, "beep for the phone", p.beeps)
	r := c.last.Load()
	if r.State != "connected" {
		c.t.Errorf("the page is %s", r.State)
	}
}
