package siptest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Reliable lets a phone take provisional responses reliably (RFC 3262): it says so
// in its INVITEs and acknowledges them.
func Reliable(c *Config) { c.Reliable = true }

// SessionTimer lets a phone ask for a session timer (RFC 4028) and refresh the
// session by UPDATE when that is its part. It does not end a call that the far end
// forgets to refresh.
func SessionTimer(interval time.Duration) Option {
	return func(c *Config) { c.Session = interval }
}

// extend says in a request what the phone supports. p.mu is held.
func (c *Call) extend(m *Message) {
	var tags []string
	if c.p.cfg.Reliable {
		tags = append(tags, "100rel")
	}
	if c.p.cfg.Session > 0 {
		tags = append(tags, "timer")
		value := strconv.Itoa(int(c.p.cfg.Session.Seconds()))
		if c.state == confirmed {
			value += ";refresher=uac"
		}
		m.add("Session-Expires", value)
	}
	if len(tags) > 0 {
		m.add("Supported", strings.Join(tags, ", "))
	}
}

// acknowledgeEarly sends the PRACK of a reliable response; false for one that came
// before or too early. p.mu is held.
func (c *Call) acknowledgeEarly(res *Message) bool {
	n, err := strconv.ParseUint(res.Header("RSeq"), 10, 32)
	if err != nil || !strings.Contains(res.Header("Require"), "100rel") {
		return true
	}
	if c.rseq != 0 && uint32(n) != c.rseq+1 {
		return false
	}
	c.rseq = uint32(n)
	m := c.build("PRACK")
	m.add("RAck", fmt.Sprintf("%d %d INVITE", n, c.inviteSeq))
	c.p.account.authorize(m)
	c.p.start(c.way, m, nil)
	return true
}

// timed answers the session timer of a request in its 2xx. p.mu is held.
func (c *Call) timed(req, res *Message) {
	interval, refresher := sessionExpires(req)
	if c.p.cfg.Session == 0 || interval == 0 {
		return
	}
	if refresher == "" {
		refresher = "uas"
	}
	res.add("Supported", "timer", "Require", "timer",
		"Session-Expires", strconv.Itoa(int(interval.Seconds()))+";refresher="+refresher)
	c.keepSession(interval, refresher == "uas")
}

// granted takes what a 2xx to a request of the phone says. p.mu is held.
func (c *Call) granted(res *Message) {
	if interval, refresher := sessionExpires(res); interval > 0 {
		c.keepSession(interval, refresher == "uac")
	}
}

func sessionExpires(m *Message) (interval time.Duration, refresher string) {
	value, _, _ := strings.Cut(m.Header("Session-Expires"), ";")
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil {
		return 0, ""
	}
	return time.Duration(n) * time.Second, param(m.Header("Session-Expires"), "refresher")
}

// keepSession refreshes the session in time if that is the phone's part.
func (c *Call) keepSession(interval time.Duration, ours bool) {
	if c.refresh != nil {
		c.refresh.Stop()
		c.refresh = nil
	}
	if ours && c.p.cfg.Session > 0 {
		c.refresh = time.AfterFunc(interval/2, c.refreshNow)
	}
}

// refreshNow sends an UPDATE that changes nothing.
func (c *Call) refreshNow() {
	p := c.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || c.state != confirmed {
		return
	}
	m := c.build("UPDATE")
	p.account.authorize(m)
	p.start(c.way, m, func(_ *clientTx, res *Message) {
		if res != nil && res.Code/100 == 2 {
			c.granted(res)
		}
	})
}
