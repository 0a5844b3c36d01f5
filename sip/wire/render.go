package wire

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// writer appends what sipgo's header writers give it, cleaned: whatever came
// from outside, no CR, LF or NUL of it reaches the wire (S15).
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

// via writes a Via line as sipgo does, without building the value first.
func (w *writer) via(v *sip.ViaHeader) {
	w.hop(v)
	for _, kv := range v.Params {
		w.param(kv.K, kv.V)
	}
	w.crlf()
}

// stamped writes a Via line as it would be after stamp.
func (w *writer) stamped(v *sip.ViaHeader, source netip.AddrPort) {
	if !source.IsValid() {
		w.via(v)
		return
	}
	w.hop(v)
	ip := source.Addr().Unmap()
	rport := v.Params.Has("rport")
	sentBy, ok := HostAddr(v.Host)
	there := !rport && ok && sentBy == ip
	received := there
	for _, kv := range v.Params {
		switch {
		case kv.K == "received" && there:
			continue
		case kv.K == "received" && !received:
			received = true
			w.received(ip)
		case kv.K == "rport" && rport:
			rport = false // the first of them, should there be more
			w.param("rport=", "")
			w.b = strconv.AppendUint(w.b, uint64(source.Port()), 10)
		default:
			w.param(kv.K, kv.V)
		}
	}
	if !received {
		w.received(ip)
	}
	w.crlf()
}

func (w *writer) received(ip netip.Addr) {
	w.param("received=", "")
	w.b = ip.AppendTo(w.b)
}

// param writes one parameter, with quotes around blanks as sipgo does.
func (w *writer) param(name, value string) {
	w.b = append(w.b, ';')
	w.text(name)
	if value == "" {
		return
	}
	w.b = append(w.b, '=')
	quoted := strings.ContainsAny(value, " \t")
	if quoted {
		w.b = append(w.b, '"')
	}
	w.text(value)
	if quoted {
		w.b = append(w.b, '"')
	}
}

// hop writes a Via line up to its parameters.
func (w *writer) hop(v *sip.ViaHeader) {
	w.text("Via: ")
	w.text(v.ProtocolName)
	w.b = append(w.b, '/')
	w.text(v.ProtocolVersion)
	w.b = append(w.b, '/')
	w.text(v.Transport)
	w.b = append(w.b, ' ')
	w.text(v.Host)
	if v.Port > 0 {
		w.b = append(w.b, ':')
		w.b = strconv.AppendInt(w.b, int64(v.Port), 10)
	}
}

// Append renders a sipgo message behind dst and returns the extended slice. The
// Content-Length is always that of the body, whatever the message says, and
// stands last. Values are cleaned; a DisplayName must have gone through Escape.
func Append(dst []byte, m sip.Message) []byte {
	w := writer{b: dst}
	var headers []sip.Header
	switch m := m.(type) {
	case *sip.Request:
		headers = m.Headers()
		w.text(string(m.Method))
		w.b = append(w.b, ' ')
		m.Recipient.StringWrite(&w)
		w.b = append(w.b, " SIP/2.0\r\n"...)
	case *sip.Response:
		headers = m.Headers()
		w.b = append(w.b, "SIP/2.0 "...)
		w.b = strconv.AppendInt(w.b, int64(m.StatusCode), 10)
		w.b = append(w.b, ' ')
		w.line(m.Reason)
	default:
		return dst
	}
	for _, h := range headers {
		if known, _ := lookUp(h.Name()); known.id == hdrContentLength {
			continue
		}
		if via, ok := h.(*sip.ViaHeader); ok {
			w.via(via)
			continue
		}
		h.StringWrite(&w)
		w.crlf()
	}
	w.b = append(w.b, "Content-Length: "...)
	w.b = strconv.AppendInt(w.b, int64(len(m.Body())), 10)
	w.b = append(w.b, "\r\n\r\n"...)
	return append(w.b, m.Body()...)
}

// StatelessReply renders an answer to the request m without keeping anything of
// it. A To without tag gets toTag. It gives nil for an ACK or a response.
func StatelessReply(m *Message, source netip.AddrPort, status int, reason, toTag string, extra ...Field) []byte {
	if !m.IsRequest() {
		return nil
	}
	e := m.echo()
	return e.reply(m.method, source, status, reason, toTag, extra)
}

// NewResponse builds an answer to the request m (RFC 3261 section 8.2.6): its
// Via headers with received and rport set from source, From, To, Call-ID, CSeq,
// and Record-Route where a dialog may come of it. A To without tag gets toTag
// unless that is empty or status is 100; a 100 repeats Timestamp. The response
// shares Via and From with m.
func NewResponse(m *Message, source netip.AddrPort, status int, reason, toTag string) *sip.Response {
	m.StampVia(source)
	res := sip.NewResponse(status, reason)
	for _, via := range m.vias {
		res.AppendHeader(via)
	}
	if status > 100 && status < 300 && dialogForming(m.method) {
		for _, f := range m.fields {
			if f.id == hdrRecordRoute {
				res.AppendHeader(sip.NewHeader(f.name, f.value))
			}
		}
	}
	res.AppendHeader(m.from)
	to := *m.to
	if status > 100 && toTag != "" && !to.Params.Has("tag") {
		to.Params = append(to.Params.Clone(), sip.HeaderKV{K: "tag", V: toTag})
	}
	res.AppendHeader(&to)
	callID := sip.CallIDHeader(m.callID)
	res.AppendHeader(&callID)
	res.AppendHeader(&sip.CSeqHeader{SeqNo: m.cseq, MethodName: sip.RequestMethod(m.cseqMethod)})
	if ts, ok := m.Header("Timestamp"); ok && status == 100 {
		res.AppendHeader(sip.NewHeader("Timestamp", ts))
	}
	return res
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
