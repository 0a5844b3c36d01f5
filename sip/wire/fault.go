package wire

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
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
func (f *Fault) ReplyTo(source netip.AddrPort) netip.AddrPort { return replyTo(f.echo.via, source) }

// CallID returns the Call-ID for the log line, "" when there is none.
func (f *Fault) CallID() string { return Clean(f.echo.callID) }

// echo is what an answer repeats of its request (RFC 3261 section 8.2.6.2).
type echo struct {
	via    *sip.ViaHeader // the top one; nil when nothing can be answered
	lost   bool           // the top one cannot be read: the next is not the top one
	vias   []string       // the others, verbatim
	from   string
	to     string
	toTag  bool
	callID string
	cseq   string
}

// newEcho reads from fields what can be read of them. What is broken below the
// top Via is left out or repeated as it came; both keep the answer deliverable.
func newEcho(fields []field) (e echo) {
	for _, f := range fields {
		switch f.id {
		case hdrVia:
			e.addVias(f.value)
		case hdrFrom:
			e.from = first(e.from, f.value)
		case hdrTo:
			e.to = first(e.to, f.value)
		case hdrCallID:
			e.callID = first(e.callID, f.value)
		case hdrCSeq:
			e.cseq = first(e.cseq, f.value)
		}
	}
	_, e.toTag = tagIn([]byte(e.to))
	return e
}

func first(have, value string) string {
	if have != "" {
		return have
	}
	return value
}

func (e *echo) addVias(list string) {
	for more := true; more; {
		var value string
		value, list, more, _ = cut(list, ',')
		switch via, err := parseVia(value, true); {
		case err != nil:
			e.lost = e.lost || e.via == nil
		case e.lost:
		case e.via == nil:
			e.via = via
		case len(e.vias) < maxVias:
			e.vias = append(e.vias, trim(value))
		}
	}
}

// reply renders an answer. extra headers follow CSeq.
func (e *echo) reply(method string, source netip.AddrPort, status int, reason, toTag string, extra []Field) []byte {
	if e.via == nil || method == "ACK" {
		return nil
	}
	w := writer{b: make([]byte, 0, 512)}
	e.begin(&w, source, status, reason, toTag)
	for _, f := range extra {
		w.field(f.Name, f.Value)
	}
	w.b = append(w.b, "Content-Length: 0\r\n\r\n"...)
	return w.b
}

// begin writes an answer up to CSeq.
func (e *echo) begin(w *writer, source netip.AddrPort, status int, reason, toTag string) {
	w.b = append(w.b, "SIP/2.0 "...)
	w.b = strconv.AppendInt(w.b, int64(status), 10)
	w.b = append(w.b, ' ')
	w.line(reason)
	w.stamped(e.via, source)
	for _, v := range e.vias {
		w.field("Via", v)
	}
	w.field("From", e.from)
	if to := e.to; to != "" && toTag != "" && !e.toTag && status > 100 {
		w.field("To", to+";tag="+toTag)
	} else {
		w.field("To", to)
	}
	w.field("Call-ID", e.callID)
	w.field("CSeq", e.cseq)
}

// stamp sets received and rport to the packet's source (RFC 3581 section 4,
// RFC 3261 section 18.2.1) and removes what the sender claimed for them.
func stamp(via *sip.ViaHeader, source netip.AddrPort) {
	if !source.IsValid() {
		return
	}
	ip := source.Addr().Unmap()
	rport := via.Params.Has("rport")
	sentBy, ok := HostAddr(via.Host)
	if !rport && ok && sentBy == ip {
		via.Params.Remove("received")
		return
	}
	via.Params.Add("received", ip.String())
	if rport {
		via.Params.Add("rport", strconv.Itoa(int(source.Port())))
	}
}

// replyTo implements S11: always the source's address; the source's port too,
// unless the sender asked for no rport and names that very address in Via.
func replyTo(via *sip.ViaHeader, source netip.AddrPort) netip.AddrPort {
	if via == nil || via.Params.Has("rport") {
		return source
	}
	if ip, ok := HostAddr(via.Host); !ok || ip != source.Addr().Unmap() {
		return source
	}
	port := via.Port
	if port == 0 {
		port = 5060
		if strings.EqualFold(via.Transport, "TLS") {
			port = 5061
		}
	}
	return netip.AddrPortFrom(source.Addr(), uint16(port))
}
