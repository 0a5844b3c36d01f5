package siptest

import (
	"bytes"
	"regexp"
	"strings"
	"time"
)

// wanted are fields that a response must carry (RFC 3261 section 20 and 21, RFC 6665).
var wanted = map[int]string{401: "WWW-Authenticate", 405: "Allow", 407: "Proxy-Authenticate", 415: "Accept", 420: "Unsupported", 423: "Min-Expires", 489: "Allow-Events"}

// answer judges a response of the switch (RFC 3261 section 8.2.6 and 17.2).
func (u *Umpire) answer(s Sighting, m *Message, raw []byte) {
	_, method := m.cseq()
	via := m.Values("Via")
	sentBy, _, _ := strings.Cut(via[0], ";")
	h := u.heard[txKey{branch: m.branch(), sentBy: sentBy, method: method}]
	if h == nil {
		u.fault(s, m, "answer to nothing that was asked")
		return
	}
	u.echoes(s, m, h)
	u.tagged(s, m, h)
	if name := wanted[m.Code]; name != "" && m.Header(name) == "" {
		u.fault(s, m, "no %s", name)
	}
	if m.hasSDP() {
		u.agree(s, m, h.m)
	}
	u.inOrder(s, m, raw, h)
}

// echoes: what is copied from the request (RFC 3261 section 8.2.6.2, RFC 3581).
func (u *Umpire) echoes(s Sighting, m *Message, h *hearing) {
	for _, name := range []string{"From", "Call-ID", "CSeq"} {
		if got, want := m.Header(name), h.m.Header(name); got != want {
			u.fault(s, m, "%s %q, want %q", name, got, want)
		}
	}
	got, want := m.Values("Via"), h.m.Values("Via")
	if len(got) != len(want) {
		u.fault(s, m, "Via %q, want %q", got, want)
		return
	}
	for i := range got {
		if received.ReplaceAllString(got[i], "") != received.ReplaceAllString(want[i], "") {
			u.fault(s, m, "Via %q, want %q", got[i], want[i])
		}
	}
	if strings.Contains(want[0], ";rport") && (param(got[0], "rport") == "" || param(got[0], "received") == "") {
		u.fault(s, m, "Via %q does not say where the request came from", got[0])
	}
}

// received are the parameters that the receiver of a request adds to its Via.
var received = regexp.MustCompile(`;(received=[^;]*|rport(=\d+)?)`)

// tagged: one To tag for all answers to a request, and a Contact where a dialog
// begins.
func (u *Umpire) tagged(s Sighting, m *Message, h *hearing) {
	to, tag := h.m.Header("To"), m.toTag()
	switch {
	case h.m.toTag() != "":
		if m.Header("To") != to {
			u.fault(s, m, "To %q, want %q", m.Header("To"), to)
		}
	case m.Code == 100:
	case tag == "":
		u.fault(s, m, "no To tag")
	case !strings.HasPrefix(m.Header("To"), to):
		u.fault(s, m, "To %q, want %q with a tag", m.Header("To"), to)
	case h.tag != "" && h.tag != tag:
		u.fault(s, m, "To tag %q after %q", tag, h.tag)
	default:
		h.tag = tag
	}
	if h.m.Method != "INVITE" && h.m.Method != "SUBSCRIBE" || m.Code == 100 || m.Code >= 300 {
		return
	}
	if contact := m.Values("Contact"); len(contact) != 1 {
		u.fault(s, m, "%d Contacts", len(contact))
	}
	if contact := h.m.Values("Contact"); len(contact) > 0 {
		u.target(dialogKey{m.callID(), tag}, contact[0])
	}
	u.side(dialogKey{m.callID(), tag}).durable = h.m.Method == "SUBSCRIBE"
}

// inOrder: provisional responses, then one final one, as often as its timer says.
func (u *Umpire) inOrder(s Sighting, m *Message, raw []byte, h *hearing) {
	invite := h.m.Method == "INVITE"
	h.trying = true
	switch {
	case m.Code < 200 && h.final != nil:
		u.fault(s, m, "after the final %d", h.final.Code)
	case m.Code < 200 && !invite && (m.Code != 100 || s.At.Sub(h.at) < 3500*time.Millisecond):
		u.fault(s, m, "provisional response to %s (RFC 4320)", h.m.Method)
	case m.Code < 200:
		u.reliable(s, m, raw, h)
	case m.Code == 408 && !invite:
		u.fault(s, m, "408 to %s (RFC 4320)", h.m.Method)
	case h.final == nil:
		h.final, h.raw, h.finalAt = m, bytes.Clone(raw), s.At
		if invite && m.Code < 300 && h.m.hasSDP() && !m.hasSDP() && !h.settled {
			u.fault(s, m, "an offer without an answer")
		}
	case challenged(h.final) && challenged(m): // without a transaction
	case !bytes.Equal(raw, h.raw):
		u.fault(s, m, "the final response was %d:\n%s\nand now\n%s", h.final.Code, h.raw, raw)
	default:
		h.repeated++
		if invite && s.Stream && m.Code >= 300 {
			u.fault(s, m, "repeated over a stream")
		}
		if after := s.At.Sub(h.finalAt); after > timeout+time.Second {
			u.fault(s, m, "repeated %v after it was first sent", after)
		}
	}
}
