package wire

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Field is one header as it will be written. Both parts are cleaned when they
// are rendered (S15).
type Field struct{ Name, Value string }

// Fault is a request that cannot be processed, and all that its answer needs.
// It is the error of Parse and Framer and the result of Rules.Validate. A fault
// of a response cannot be answered: Reply gives nil.
type Fault struct {
	Status int     // 400 to 699
	Reason string  // reason phrase; names the header at fault and repeats nothing from outside
	Method string  // of the request, as spelled; an ACK is never answered
	Extra  []Field // Unsupported, Accept, Allow …

	echo echo
	size int // bytes of the request
}

// amplification is how many bytes an answer may have per byte of a request from
// a source nobody has authenticated (S12).
const amplification = 3

// Error gives status and reason.
func (f *Fault) Error() string { return fmt.Sprintf("%d %s", f.Status, f.Reason) }

// Reply renders the stateless answer (RFC 3261 section 8.2.7), or nil when the
// fault is in a response or an ACK, or the request so short that the answer
// would amplify it (S12). source is where the request came from; a To without
// tag gets toTag.
func (f *Fault) Reply(source netip.AddrPort, toTag string) []byte {
	b := f.echo.reply(f.Method, source, f.Status, f.Reason, toTag, f.Extra)
	if len(b) > amplification*f.size {
		return nil
	}
	return b
}

// ReplyTo returns where the answer goes on UDP (S11).
func (f *Fault) ReplyTo(source netip.AddrPort) netip.AddrPort { return f.echo.via.replyTo(source) }

// CallID returns the Call-ID for the log line, "" when there is none.
func (f *Fault) CallID() string { return Clean(f.echo.callID) }

// echo is what an answer repeats of its request (RFC 3261 section 8.2.6.2).
type echo struct {
	answerable bool // the top Via can be read
	via        hop
	vias       []string // the others, verbatim
	from       string
	to         string
	toTag      bool
	callID     string
	cseq       string
}

// newEcho reads what can be read of a broken message. What is broken below the
// top Via is repeated as it came, which keeps the answer deliverable.
func newEcho(s *section) (e echo) {
	e.addVias(s)
	e.from, e.to, e.callID, e.cseq = s.only(hdrFrom), s.only(hdrTo), s.only(hdrCallID), s.only(hdrCSeq)
	_, e.toTag = tagIn([]byte(e.to))
	return e
}

// addVias reads the top Via if that has not been done, and takes the others.
func (e *echo) addVias(s *section) {
	top := true
	l := s.list(wanted{id: hdrVia})
	for value, ok := l.next(); ok && len(e.vias) < maxVias; value, ok = l.next() {
		switch {
		case !top:
			e.vias = append(e.vias, value)
		case !e.answerable && e.via.scan(value, true) != nil:
			return
		}
		top, e.answerable = false, true
	}
}

// reply renders an answer. extra headers follow CSeq.
func (e *echo) reply(method string, source netip.AddrPort, status int, reason, toTag string, extra []Field) []byte {
	if !e.answerable || method == "ACK" {
		return nil
	}
	w := Writer{writer{make([]byte, 0, 512)}}
	e.begin(&w.w, source, status, reason, toTag)
	w.Fields(extra...)
	return w.End("", nil)
}

// begin writes an answer up to CSeq.
func (e *echo) begin(w *writer, source netip.AddrPort, status int, reason, toTag string) {
	w.b = append(w.b, "SIP/2.0 "...)
	w.b = strconv.AppendInt(w.b, int64(status), 10)
	w.b = append(w.b, ' ')
	w.line(reason)
	w.stamped(&e.via, source)
	for _, v := range e.vias {
		w.field("Via", v)
	}
	w.field("From", e.from)
	if e.to != "" {
		w.text("To: ")
		w.text(e.to)
		if toTag != "" && !e.toTag && status > 100 {
			w.text(";tag=")
			w.text(toTag)
		}
		w.crlf()
	}
	w.field("Call-ID", e.callID)
	w.field("CSeq", e.cseq)
}

// replyTo implements S11: always the source's address; the source's port too,
// unless the sender asked for no rport and names that very address in Via.
func (h *hop) replyTo(source netip.AddrPort) netip.AddrPort {
	if h.rport || h.host == "" {
		return source
	}
	if ip, ok := HostAddr(h.host); !ok || ip != source.Addr().Unmap() {
		return source
	}
	port := h.port
	if port == 0 {
		port = 5060
		if strings.EqualFold(h.transport, "TLS") {
			port = 5061
		}
	}
	return netip.AddrPortFrom(source.Addr(), uint16(port))
}
