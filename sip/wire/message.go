package wire

import (
	"iter"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Message is one SIP message, cut into lines; the headers every message is
// handled by are read, the others when somebody asks. Read it through its
// methods: they see headers case insensitively, know compact names and unquote
// parameters.
type Message struct {
	section
	method  string // of a request
	version string
	status  int // of a response
	reason  string

	target        URI
	top           hop // of Via
	vias          int
	from, to      Party
	fromTag       string
	toTag         string
	toTagged      bool
	callID        string
	cseq          uint32
	cseqMethod    string
	maxForwards   int // -1 when absent
	contentLength int // -1 when absent
	contacts      []Contact
	routes        int // Route and Record-Route values
	bodyLen       int

	kept  bool
	built built
	room  room
}

// room is what an ordinary message needs beyond itself.
type room struct {
	fields  [18]field
	contact [1]Contact
}

// built are the parts in sipgo's form, and others that are made when somebody
// asks for them first.
type built struct {
	via  *sip.ViaHeader
	from *sip.FromHeader
	to   *sip.ToHeader
	body []byte
}

// IsRequest tells a request from a response.
func (m *Message) IsRequest() bool { return m.status == 0 }

// Size returns the bytes the message arrived in.
func (m *Message) Size() int { return m.size }

// Method returns the request's method as spelled; for a response that of CSeq.
func (m *Message) Method() string {
	if m.status != 0 {
		return m.cseqMethod
	}
	return m.method
}

// Status returns the response's code, 100 to 699, or 0 for a request.
func (m *Message) Status() int { return m.status }

// Reason returns the response's reason phrase, cleaned.
func (m *Message) Reason() string { return Clean(m.reason) }

// RequestURI returns the Request-URI as it was spelled, "" for a response.
func (m *Message) RequestURI() string {
	if m.status != 0 {
		return ""
	}
	_, rest, _ := strings.Cut(m.start, " ")
	uri, _, _ := strings.Cut(rest, " ")
	return uri
}

// TargetURI returns the Request-URI, the zero URI for a response.
func (m *Message) TargetURI() URI { return m.target }

// FromURI returns the URI of From.
func (m *Message) FromURI() URI { return m.from.URI }

// ToURI returns the URI of To.
func (m *Message) ToURI() URI { return m.to.URI }

// Via returns the top Via in sipgo's form, never nil.
func (m *Message) Via() *sip.ViaHeader {
	if m.built.via == nil {
		m.built.via = m.top.build()
	}
	return m.built.via
}

// Vias returns how many Via values there are, 1 to 70.
func (m *Message) Vias() int { return m.vias }

// Branch returns the top Via's branch, "" for an RFC 2543 peer.
func (m *Message) Branch() string { return m.top.branch }

// SentBy returns host and port of the top Via as the sender wrote them; port is
// 0 when absent.
func (m *Message) SentBy() (host string, port int) { return m.top.host, m.top.port }

// From returns the From header in sipgo's form, never nil. Its DisplayName is the
// cleaned inside of a quoted-string: Unescape gives the text. FromURI and
// FromTag cost less.
func (m *Message) From() *sip.FromHeader {
	if m.built.from == nil {
		var a address
		_ = a.take(&m.from) // read before
		m.built.from = &sip.FromHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
	}
	return m.built.from
}

// To returns the To header as From does.
func (m *Message) To() *sip.ToHeader {
	if m.built.to == nil {
		var a address
		_ = a.take(&m.to) // read before
		m.built.to = &sip.ToHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
	}
	return m.built.to
}

// FromTag returns the From tag, "" for an RFC 2543 peer.
func (m *Message) FromTag() string { return m.fromTag }

// ToTag returns the To tag, "" outside of a dialog.
func (m *Message) ToTag() string { return m.toTag }

// CallID returns the Call-ID, never empty.
func (m *Message) CallID() string { return m.callID }

// CSeq returns the sequence number, 0 to 2³¹−1, and its method.
func (m *Message) CSeq() (seq uint32, method string) { return m.cseq, m.cseqMethod }

// MaxForwards returns 0 to 255; ok is false when the header is absent.
func (m *Message) MaxForwards() (hops int, ok bool) { return max(m.maxForwards, 0), m.maxForwards >= 0 }

// Expires returns the Expires header; ok is false when it is absent. A number
// too long counts as the maximum (S6), a malformed one as an hour (RFC 3261
// section 10.3).
func (m *Message) Expires() (d time.Duration, ok bool) {
	value, ok := m.get(hdrExpires)
	if !ok {
		return 0, false
	}
	return expires(value), true
}

// Contacts returns all Contact values. The slice is part of m; the strings in it
// last.
func (m *Message) Contacts() []Contact { return m.contacts }

// RecordRoutes returns the URIs of Record-Route, topmost first.
func (m *Message) RecordRoutes() (uris []string) {
	l := m.list(wanted{id: hdrRecordRoute})
	for value, ok := l.next(); ok; value, ok = l.next() {
		var p Party
		_ = p.scan(value) // read before
		uris = append(uris, p.URI.Text)
	}
	return uris
}

// Header returns the first line of a header by full name, cleaned.
func (m *Message) Header(name string) (value string, ok bool) { return m.Line(name, 0) }

// Line returns the n-th line of a header, from 0, as Lines does.
func (m *Message) Line(name string, n int) (value string, ok bool) {
	h := header(name)
	for i := m.find(h, 0); i >= 0; i = m.find(h, i+1) {
		if n == 0 {
			return Clean(m.value(&m.fields[i])), true
		}
		n--
	}
	return "", false
}

// Lines returns every line of a header by full name, unfolded and cleaned but
// not split at commas: what credentials, dates and free text need.
func (m *Message) Lines(name string) iter.Seq[string] {
	h := header(name)
	return func(yield func(string) bool) {
		for i := m.find(h, 0); i >= 0; i = m.find(h, i+1) {
			if !yield(Clean(m.value(&m.fields[i]))) {
				return
			}
		}
	}
}

// Values returns every value of a header that holds a comma-separated list.
func (m *Message) Values(name string) iter.Seq[string] {
	l := m.list(header(name))
	return func(yield func(string) bool) {
		l := l
		for value, ok := l.next(); ok; value, ok = l.next() {
			if value != "" && !yield(Clean(value)) {
				return
			}
		}
	}
}

// Has reports that a list header (Supported, Require, Allow …) names token,
// whatever its case.
func (m *Message) Has(name, token string) bool {
	l := m.list(header(name))
	for value, ok := l.next(); ok; value, ok = l.next() {
		if strings.EqualFold(value, token) {
			return true
		}
	}
	return false
}

// Text is the whole message as it was read, with long headers on one line. It is good
// for as long as m is.
func (m *Message) Text() string { return m.text }

// Body returns the body, nil when empty. The caller must not change it.
func (m *Message) Body() []byte {
	if m.built.body == nil && m.bodyLen > 0 {
		m.built.body = []byte(m.text[m.rest:][:m.bodyLen])
	}
	return m.built.body
}

// BodySize returns the length of the body in bytes.
func (m *Message) BodySize() int { return m.bodyLen }

// MediaType returns type and subtype of Content-Type in lower case, without
// parameters; "" when absent or malformed.
func (m *Message) MediaType() string {
	value, _ := m.Header("Content-Type")
	media, _ := mediaType(value)
	return media
}

// ReplyTo returns where answers to this request go on UDP (S11): the source's
// address always; its port too, unless the sender does not ask for rport and
// its Via names that very address, when the Via's port holds.
func (m *Message) ReplyTo(source netip.AddrPort) netip.AddrPort { return m.top.replyTo(source) }

// echo is newEcho without reading the top Via a second time.
func (m *Message) echo() echo {
	e := echo{
		answerable: true, via: m.top, from: m.only(hdrFrom), to: m.only(hdrTo), toTag: m.toTagged,
		callID: m.callID, cseq: m.only(hdrCSeq),
	}
	if m.vias > 1 {
		e.addVias(&m.section)
	}
	return e
}
