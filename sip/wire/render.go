package wire

import (
	"net/netip"
	"strconv"
	"strings"
)

// writer appends text, cleaned: whatever came from outside, no CR, LF or NUL of it
// reaches the wire (S15).
type writer struct{ b []byte }

// WriteString implements io.StringWriter.
func (w *writer) WriteString(s string) (int, error) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f {
			w.b = appendClean(w.b, s)
			return len(s), nil
		}
	}
	w.b = append(w.b, s...)
	return len(s), nil
}

func (w *writer) text(s string) { _, _ = w.WriteString(s) }

func (w *writer) crlf() { w.b = append(w.b, '\r', '\n') }

func (w *writer) line(s string) {
	w.text(s)
	w.crlf()
}

// field writes one header; one without value is left out.
func (w *writer) field(name, value string) {
	if value == "" {
		return
	}
	w.text(name)
	w.b = append(w.b, ": "...)
	w.line(value)
}

// stamped writes the top Via with received and rport set to the packet's source
// (RFC 3581 section 4, RFC 3261 section 18.2.1) instead of what the sender
// claimed for them.
func (w *writer) stamped(h *hop, source netip.AddrPort) {
	w.text("Via: ")
	w.text(h.head)
	if !source.IsValid() {
		w.line(h.params)
		return
	}
	ip := source.Addr().Unmap()
	received, rported := h.rport, false // received: still to be written
	if !received {
		sentBy, isAddr := HostAddr(h.host)
		received = !isAddr || sentBy != ip
	}
	list, more, ok := afterSemi(h.params)
	for more && (ok || h.lenient) {
		var name, value string
		name, value, list, more, ok = h.param(list)
		switch {
		case !ok:
		case isNamed(name, "received"):
			if received {
				w.received(ip)
			}
			received = false
		case isNamed(name, "rport"):
			if !rported {
				w.param("rport=", "")
				w.b = strconv.AppendUint(w.b, uint64(source.Port()), 10)
			}
			rported = true
		default:
			w.param(name, value)
		}
	}
	if received {
		w.received(ip)
	}
	w.crlf()
}

func (w *writer) received(ip netip.Addr) {
	w.param("received=", "")
	w.b = ip.AppendTo(w.b)
}

// param writes one parameter.
func (w *writer) param(name, value string) {
	w.b = append(w.b, ';')
	w.text(name)
	if value != "" {
		w.b = append(w.b, '=')
		w.text(value)
	}
}

// StatelessReply renders an answer to the request m without keeping anything of
// it. A To without tag gets toTag. It gives nil for an ACK or a response.
func StatelessReply(m *Message, source netip.AddrPort, status int, reason, toTag string, extra ...Field) []byte {
	if !m.IsRequest() || m.method == "ACK" {
		return nil
	}
	return AppendReply(make([]byte, 0, 512), m, source, status, reason, toTag, extra...)
}

func dialogForming(method string) bool {
	switch method {
	case "INVITE", "SUBSCRIBE", "REFER", "NOTIFY":
		return true
	}
	return false
}

// join renders a list as one header value.
func join(list []string) string { return strings.Join(list, ", ") }
