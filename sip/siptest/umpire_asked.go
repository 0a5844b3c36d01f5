package siptest

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// mostRepeats is how often a request or response may be sent: timer E and G, and the
// repetition of a 2xx, allow eleven times in 32 s (RFC 3261 section 17).
const mostRepeats = 11

// outsideDialog are requests that may come without a To tag.
var outsideDialog = map[string]bool{
	"INVITE": true, "OPTIONS": true, "CANCEL": true, "REGISTER": true, "SUBSCRIBE": true, "MESSAGE": true, "NOTIFY": true,
	"REFER": true, "PUBLISH": true,
}

// withContact are requests that a Contact belongs in.
var withContact = map[string]bool{"INVITE": true, "UPDATE": true, "SUBSCRIBE": true, "NOTIFY": true, "REFER": true}

// ask judges a request of the switch (RFC 3261 section 8.1.1, 12.2.1.1 and 17.1).
func (u *Umpire) ask(s Sighting, m *Message, raw []byte) {
	via := m.Values("Via")
	if len(via) != 1 || !strings.HasPrefix(m.branch(), "z9hG4bK") || m.branch() == "z9hG4bK" {
		u.fault(s, m, "Via %q", via)
	}
	if n, err := strconv.Atoi(m.Header("Max-Forwards")); err != nil || n < 1 || n > 70 {
		u.fault(s, m, "Max-Forwards %q", m.Header("Max-Forwards"))
	}
	if m.toTag() == "" && !outsideDialog[m.Method] && !(m.Method == "ACK") {
		u.fault(s, m, "outside any dialog")
	}
	if withContact[m.Method] && len(m.Values("Contact")) != 1 {
		u.fault(s, m, "%d Contacts", len(m.Values("Contact")))
	}
	key := txKey{branch: m.branch(), method: m.Method}
	if a := u.asked[key]; a != nil {
		u.askedAgain(s, m, raw, a)
		return
	}
	a := &asking{m: m, raw: bytes.Clone(raw), stream: s.Stream, count: 1}
	u.asked[key] = a
	switch m.Method {
	case "CANCEL":
		u.cancels(s, m)
	case "ACK":
		u.acknowledges(s, m)
	default:
		u.fresh(s, m)
		u.advances(s, a)
		if m.Method == "NOTIFY" {
			u.notifies(s, a)
		}
	}
}

func (u *Umpire) askedAgain(s Sighting, m *Message, raw []byte, a *asking) {
	a.count++
	switch {
	case !bytes.Equal(raw, a.raw):
		u.fault(s, m, "sent again with another text")
	case m.Method == "ACK":
		return // once for each repeated response
	case s.Stream:
		u.fault(s, m, "sent again over a stream")
	case a.count > mostRepeats || m.Method == "INVITE" && a.count > 7:
		u.fault(s, m, "sent %d times", a.count)
	case m.Method == "INVITE" && a.provisional && len(a.finals) > 0 && a.finals[0].Code < 300 && u.confirmed(a):
		u.fault(s, m, "sent again after its ACK")
	}
}

// confirmed: the switch has acknowledged the 2xx to this INVITE.
func (u *Umpire) confirmed(invite *asking) bool {
	seq, _ := invite.m.cseq()
	for key, a := range u.asked {
		if key.method != "ACK" || a.m.callID() != invite.m.callID() {
			continue
		}
		if n, _ := a.m.cseq(); n == seq {
			return true
		}
	}
	return false
}

// fresh: a branch is used once, whatever the method.
func (u *Umpire) fresh(s Sighting, m *Message) {
	for _, method := range []string{"INVITE", "BYE", "OPTIONS", "NOTIFY", "INFO", "UPDATE", "REFER", "MESSAGE", "PRACK", "SUBSCRIBE", "ACK"} {
		if a := u.asked[txKey{branch: m.branch(), method: method}]; a != nil && method != m.Method {
			u.fault(s, m, "has the branch of a %s", method)
		}
	}
}

// cancels checks a CANCEL against its INVITE (RFC 3261 section 9.1).
func (u *Umpire) cancels(s Sighting, m *Message) {
	invite := u.asked[txKey{branch: m.branch(), method: "INVITE"}]
	if invite == nil {
		u.fault(s, m, "CANCEL of no INVITE")
		return
	}
	seq, _ := m.cseq()
	n, _ := invite.m.cseq()
	of := invite.m
	if seq != n || m.URI != of.URI || m.callID() != of.callID() || m.Header("From") != of.Header("From") || m.Header("To") != of.Header("To") ||
		m.Header("Via") != of.Header("Via") || !slices.Equal(m.Values("Route"), of.Values("Route")) {
		u.fault(s, m, "does not name its INVITE:\n%s\n%s", of, m)
	}
	if !invite.provisional {
		u.fault(s, m, "CANCEL before any provisional response")
	}
}

// acknowledges checks an ACK (RFC 3261 section 13.2.2.4 and 17.1.1.3).
func (u *Umpire) acknowledges(s Sighting, m *Message) {
	seq, _ := m.cseq()
	if a := u.asked[txKey{branch: m.branch(), method: "INVITE"}]; a != nil {
		n, _ := a.m.cseq()
		answered := slices.ContainsFunc(a.finals, func(f *Message) bool { return f.Code >= 300 && f.Header("To") == m.Header("To") })
		if !answered || n != seq || m.URI != a.m.URI || m.callID() != a.m.callID() || m.Header("From") != a.m.Header("From") ||
			m.Header("Via") != a.m.Header("Via") || !slices.Equal(m.Values("Route"), a.m.Values("Route")) {
			u.fault(s, m, "ACK that does not fit a refusal of its INVITE")
		}
		return
	}
	for key, a := range u.asked {
		n, _ := a.m.cseq()
		if key.method != "INVITE" || a.m.callID() != m.callID() || n != seq {
			continue
		}
		if slices.ContainsFunc(a.finals, func(f *Message) bool { return f.Code < 300 && f.toTag() == m.toTag() }) {
			return
		}
	}
	u.fault(s, m, "ACK of nothing the phone has said")
}

// advances checks a request against the dialog it is sent in.
func (u *Umpire) advances(s Sighting, a *asking) {
	m := a.m
	key := dialogKey{m.callID(), m.fromTag()}
	d := u.side(key)
	seq, _ := m.cseq()
	switch {
	case m.Method == "MESSAGE" && m.toTag() == "" && seq == d.seq: // tried again; the phone knows it by its number
	case seq <= d.seq && d.seq != 0:
		u.fault(s, m, "CSeq %d after %d", seq, d.seq)
	case d.bye:
		u.fault(s, m, "after its own BYE")
	case m.toTag() != "" && !slices.Contains(d.contacts, m.URI):
		u.fault(s, m, "Request-URI is none of the phone's Contacts %q", d.contacts)
	case m.Method == "INVITE" && d.invite != nil && len(d.invite.finals) == 0:
		u.fault(s, m, "while the last INVITE is not answered")
	case m.Method == "BYE":
		u.early(s, m)
	}
	d.seq = seq
	d.bye = d.bye || m.Method == "BYE"
	if m.Method == "INVITE" {
		d.invite = a
	}
}

// early: who answered a call does not hang up before it knows that the answer
// was seen, or can no longer hope so (RFC 3261 section 15).
func (u *Umpire) early(s Sighting, m *Message) {
	for _, h := range u.heard {
		if h.m.Method == "INVITE" && h.m.callID() == m.callID() && h.tag == m.fromTag() && h.final != nil && h.final.Code < 300 &&
			!h.acked && s.At.Sub(h.finalAt) < timeout {
			u.fault(s, m, "BYE before the ACK")
		}
	}
}
