package siptest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Record is one message of a phone's history.
type Record struct {
	At       time.Time
	Sent     bool // by the phone; otherwise it was received
	Repeated bool // a retransmission
	Peer     netip.AddrPort
	Message  *Message // nil when it could not be read
	Raw      []byte
}

// Messages returns what the phone sent and received, oldest first, as far as
// Config.History reaches back.
func (p *Phone) Messages() []Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.history)
}

// Transcript tells the phone's messages, one line each, with times since the
// phone was made:
//
//	+0.000s -> 10.0.0.1:5060 INVITE sip:102@demo.test  (1 INVITE, sdp)
//	+0.000s <- 10.0.0.1:5060 401 Unauthorized  (1 INVITE)
func (p *Phone) Transcript() string {
	var b strings.Builder
	for _, r := range p.Messages() {
		arrow := "<-"
		if r.Sent {
			arrow = "->"
		}
		fmt.Fprintf(&b, "%+.3fs %s %s %s\n", r.At.Sub(p.born).Seconds(), arrow, r.Peer, r.line())
	}
	if b.Len() == 0 {
		return "no message at all\n"
	}
	return b.String()
}

func (r Record) line() string {
	if r.Message == nil {
		return fmt.Sprintf("%.60q  (%d bytes)", r.Raw, len(r.Raw))
	}
	m := r.Message
	notes := []string{m.Header("CSeq")}
	if m.hasSDP() {
		notes = append(notes, "sdp")
	}
	for _, h := range []string{"Reason", "Warning", "Retry-After"} {
		if v := m.Header(h); v != "" {
			notes = append(notes, h+": "+v)
		}
	}
	if r.Repeated {
		notes = append(notes, "again")
	}
	return fmt.Sprintf("%s  (%s)", m.startLine(), strings.Join(notes, ", "))
}

// note adds to the history. p.mu is held.
func (p *Phone) note(r Record) {
	r.At = time.Now()
	if len(p.history) >= p.cfg.History {
		// Half is thrown away at a time, so that a long life costs little.
		p.history = slices.Clone(p.history[(len(p.history)+1)/2:])
	}
	p.history = append(p.history, r)
}
