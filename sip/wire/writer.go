package wire

import (
	"net/netip"
	"strconv"
)

// Writer appends a message to a buffer of the caller's, line by line, and
// allocates nothing while it fits. Everything that goes through it is cleaned
// (S15). A Writer is a value: it is used up by End.
//
//	w := wire.Answer(buf[:0], m, source, 200, "OK", tag)
//	w.Open("Contact").Text("<", uri, ">;expires=").Int(60).Close()
//	w.Field("Allow", allow)
//	buf = w.End("", nil)
type Writer struct{ w writer }

// StartRequest begins a request with its request line.
func StartRequest(dst []byte, method, uri string) Writer {
	w := Writer{writer{dst}}
	w.w.text(method)
	w.w.b = append(w.w.b, ' ')
	w.w.text(uri)
	w.w.b = append(w.w.b, " SIP/2.0\r\n"...)
	return w
}

// Answer begins an answer to the request m (RFC 3261 section 8.2.6): status
// line, the Via lines with received and rport set from source, Record-Route where
// a dialog may come of it, From, To, Call-ID, CSeq, and the Timestamp in a 100. A
// To without tag gets toTag unless that is empty or status is 100. Lines are
// repeated as they came.
func Answer(dst []byte, m *Message, source netip.AddrPort, status int, reason, toTag string) Writer {
	w := Writer{writer{dst}}
	e := m.echo()
	e.begin(&w.w, source, status, reason, toTag)
	if status > 100 && status < 300 && dialogForming(m.method) {
		h := wanted{id: hdrRecordRoute}
		for i := m.find(h, 0); i >= 0; i = m.find(h, i+1) {
			w.w.field("Record-Route", m.value(&m.fields[i]))
		}
	}
	if status == 100 {
		w.w.field("Timestamp", m.only(hdrTimestamp))
	}
	return w
}

// Field writes one header line; one without value is left out.
func (w *Writer) Field(name, value string) { w.w.field(name, value) }

// Fields writes header lines in order.
func (w *Writer) Fields(fields ...Field) {
	for _, f := range fields {
		w.w.field(f.Name, f.Value)
	}
}

// Open begins a header line that Text, Int and Addr go on with and Close ends.
func (w *Writer) Open(name string) *Writer { return w.Text(name, ": ") }

// Text goes on with the line.
func (w *Writer) Text(parts ...string) *Writer {
	for _, s := range parts {
		w.w.text(s)
	}
	return w
}

// Quoted goes on with s as a quoted-string.
func (w *Writer) Quoted(s string) *Writer {
	w.w.b = append(w.w.b, '"')
	w.w.text(Escape(s))
	w.w.b = append(w.w.b, '"')
	return w
}

// Int goes on with a decimal number.
func (w *Writer) Int(n int64) *Writer {
	w.w.b = strconv.AppendInt(w.w.b, n, 10)
	return w
}

// Addr goes on with an address and its port, IPv6 in brackets.
func (w *Writer) Addr(a netip.AddrPort) *Writer {
	w.w.b = a.AppendTo(w.w.b)
	return w
}

// Close ends the line.
func (w *Writer) Close() { w.w.crlf() }

// End writes the Content-Type where there is a body, the Content-Length, which
// stands last, and the body, and returns the whole buffer.
func (w *Writer) End(bodyType string, body []byte) []byte {
	if len(body) > 0 {
		w.w.field("Content-Type", bodyType)
	}
	w.w.b = append(w.w.b, "Content-Length: "...)
	w.w.b = strconv.AppendInt(w.w.b, int64(len(body)), 10)
	w.w.b = append(w.w.b, "\r\n\r\n"...)
	return append(w.w.b, body...)
}

// AppendReply is Answer with extra fields and without a body: it appends to dst
// and returns it longer. An ACK or a response has no answer: dst comes back as
// it is.
func AppendReply(dst []byte, m *Message, source netip.AddrPort, status int, reason, toTag string, extra ...Field) []byte {
	if !m.IsRequest() || m.method == "ACK" {
		return dst
	}
	w := Answer(dst, m, source, status, reason, toTag)
	w.Fields(extra...)
	return w.End("", nil)
}
