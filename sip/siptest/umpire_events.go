package siptest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// termKey names a subscription: the switch's side of its dialog and the event with
// its id (RFC 6665 section 4.4.1).
type termKey struct {
	dialogKey
	event string
}

// term is what the switch has notified of in one subscription.
type term struct {
	last *asking
	at   time.Time
	over bool
	code int // of the last message/sipfrag
}

// notifies checks a NOTIFY (RFC 6665 section 4.1.3 and 4.2.2): one at a time, with a
// state, and none after the last.
func (u *Umpire) notifies(s Sighting, a *asking) {
	m := a.m
	key := termKey{dialogKey{m.callID(), m.fromTag()}, m.Header("Event")}
	if u.terms[key] == nil {
		u.terms[key] = &term{}
	}
	t := u.terms[key]
	state, _, _ := strings.Cut(m.Header("Subscription-State"), ";")
	expires, err := strconv.Atoi(param(m.Header("Subscription-State"), "expires"))
	switch {
	case key.event == "":
		u.fault(s, m, "no Event")
	case state != "active" && state != "pending" && state != "terminated":
		u.fault(s, m, "Subscription-State %q", m.Header("Subscription-State"))
	case state != "terminated" && (err != nil || expires < 0):
		u.fault(s, m, "Subscription-State %q does not say for how long", m.Header("Subscription-State"))
	case t.over:
		u.fault(s, m, "after the last NOTIFY")
	case t.last != nil && len(t.last.finals) == 0 && s.At.Sub(t.at) < timeout:
		u.fault(s, m, "while the last NOTIFY is not answered")
	}
	if strings.HasPrefix(key.event, "refer") {
		u.tells(s, m, t, state == "terminated")
	}
	t.last, t.at, t.over = a, s.At, state == "terminated"
}

// tells checks what a REFER's NOTIFY says (RFC 3515 section 2.4.4 and 2.4.5).
func (u *Umpire) tells(s Sighting, m *Message, t *term, last bool) {
	words := strings.Fields(string(m.Body))
	code := 0
	if len(words) > 1 && words[0] == "SIP/2.0" {
		code, _ = strconv.Atoi(words[1])
	}
	switch {
	case !strings.HasPrefix(m.Header("Content-Type"), "message/sipfrag"):
		u.fault(s, m, "Content-Type %q of a REFER's NOTIFY", m.Header("Content-Type"))
	case code < 100 || code > 699:
		u.fault(s, m, "sipfrag %q", m.Body)
	case t.code >= 200 && code != t.code:
		u.fault(s, m, "%d after %d", code, t.code)
	case last && code < 200 && param(m.Header("Subscription-State"), "reason") == "noresource":
		u.fault(s, m, "ends with %d", code)
	}
	t.code = code
}

// reliable checks a provisional response that asks for a PRACK (RFC 3262 section 3).
func (u *Umpire) reliable(s Sighting, m *Message, raw []byte, h *hearing) {
	asked := strings.Contains(strings.Join(append(h.m.Values("Require"), h.m.Values("Supported")...), ","), "100rel")
	required := strings.Contains(m.Header("Require"), "100rel")
	seq, _ := strconv.ParseUint(m.Header("RSeq"), 10, 32)
	switch {
	case required != (m.Header("RSeq") != ""):
		u.fault(s, m, "RSeq %q, Require %q", m.Header("RSeq"), m.Header("Require"))
		return
	case !required:
		return
	case !asked:
		u.fault(s, m, "reliable, which the phone does not know")
	case m.Code == 100:
		u.fault(s, m, "a reliable 100")
	case h.rseq == uint32(seq) && !bytes.Equal(raw, h.reliable):
		u.fault(s, m, "RSeq %d with another text", seq)
	case h.rseq == uint32(seq):
		return
	case seq == 0 || h.rseq != 0 && uint32(seq) != h.rseq+1:
		u.fault(s, m, "RSeq %d after %d", seq, h.rseq)
	case h.rseq != 0 && !h.pracked:
		u.fault(s, m, "RSeq %d before the PRACK of the last", seq)
	}
	h.rseq, h.reliable, h.pracked = uint32(seq), bytes.Clone(raw), false
	h.settled = h.settled || m.hasSDP()
}

// prack notes a phone's acknowledgement.
func (u *Umpire) prack(m *Message) {
	for _, h := range u.heard {
		if h.m.Method != "INVITE" || h.m.callID() != m.callID() || h.rseq == 0 {
			continue
		}
		if m.Header("RAck") == fmt.Sprintf("%d %s", h.rseq, h.m.Header("CSeq")) {
			h.pracked = true
		}
	}
}
