package wire

import (
	"iter"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Message is one parsed SIP message. Read it through its methods: they see
// headers case insensitively, know compact names and unquote parameters.
type Message struct {
	method  string // of a request
	uri     sip.Uri
	uriText string
	status  int // of a response
	reason  string
	version string

	fields           []field // every header line, in order
	vias             []*sip.ViaHeader
	fromText, toText string // their URIs
	from             *sip.FromHeader
	to               *sip.ToHeader
	contacts         []Contact
	routes           []sip.Uri
	recordRoutes     []sip.Uri
	callID           string
	cseq             uint32
	cseqMethod       string
	maxForwards      int // -1 when absent
	contentLength    int // -1 when absent
	body             []byte
	size             int
	kept             bool
	room             room
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

// URI returns the Request-URI, nil for a response. IPv6 hosts have brackets.
func (m *Message) URI() *sip.Uri {
	if m.status != 0 {
		return nil
	}
	return &m.uri
}

// RequestURI returns the Request-URI as it was spelled, "" for a response. It
// points into the message.
func (m *Message) RequestURI() string { return m.uriText }

// URI is what a URI of a message says, as it is spelled there: escapes are not
// resolved. It copies nothing.
type URI struct {
	Text       string // all of it
	Scheme     string // in lower case
	User, Host string // "" for another scheme than sip and sips; IPv6 in brackets
	Port       int    // 0 when absent
}

func uriOf(text string, u *sip.Uri) URI { return URI{text, u.Scheme, u.User, u.Host, u.Port} }

// TargetURI returns the Request-URI without building a sipgo one, the zero URI
// for a response.
func (m *Message) TargetURI() URI { return uriOf(m.uriText, &m.uri) }

// FromURI returns the URI of From without building a sipgo one.
func (m *Message) FromURI() URI { return uriOf(m.fromText, &m.from.Address) }

// ToURI returns the URI of To without building a sipgo one.
func (m *Message) ToURI() URI { return uriOf(m.toText, &m.to.Address) }

// Via returns the top Via, never nil.
func (m *Message) Via() *sip.ViaHeader { return m.vias[0] }

// Vias returns how many Via values there are, 1 to 70.
func (m *Message) Vias() int { return len(m.vias) }

// Branch returns the top Via's branch, "" for an RFC 2543 peer.
func (m *Message) Branch() string {
	b, _ := m.vias[0].Params.Get("branch")
	return b
}

// SentBy returns host and port of the top Via as the sender wrote them; port is
// 0 when absent.
func (m *Message) SentBy() (host string, port int) { return m.vias[0].Host, m.vias[0].Port }

// From returns the From header, never nil. Its DisplayName is the cleaned inside
// of a quoted-string: Unescape gives the text.
func (m *Message) From() *sip.FromHeader { return m.from }

// To returns the To header, never nil; for DisplayName see From.
func (m *Message) To() *sip.ToHeader { return m.to }

// FromTag returns the From tag, "" for an RFC 2543 peer.
func (m *Message) FromTag() string {
	tag, _ := Param(m.from.Params, "tag")
	return tag
}

// ToTag returns the To tag, "" outside of a dialog.
func (m *Message) ToTag() string {
	tag, _ := Param(m.to.Params, "tag")
	return tag
}

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
	for _, f := range m.fields {
		if f.id == hdrExpires {
			return expires(f.value), true
		}
	}
	return 0, false
}

// Contacts returns all Contact values.
func (m *Message) Contacts() []Contact { return m.contacts }

// Routes returns the Route URIs, topmost first.
func (m *Message) Routes() []sip.Uri { return m.routes }

// RecordRoutes returns the Record-Route URIs, topmost first.
func (m *Message) RecordRoutes() []sip.Uri { return m.recordRoutes }

// Header returns the first line of a header by full name, cleaned.
func (m *Message) Header(name string) (value string, ok bool) {
	known, found := lookUp(name)
	for i := range m.fields {
		if m.fields[i].named(name, known.name, found) {
			return Clean(m.fields[i].value), true
		}
	}
	return "", false
}

// Line returns the n-th line of a header, from 0, as Lines does.
func (m *Message) Line(name string, n int) (value string, ok bool) {
	known, found := lookUp(name)
	for i := range m.fields {
		if m.fields[i].named(name, known.name, found) {
			if n == 0 {
				return Clean(m.fields[i].value), true
			}
			n--
		}
	}
	return "", false
}

// Lines returns every line of a header by full name, unfolded and cleaned but
// not split at commas: what credentials, dates and free text need.
func (m *Message) Lines(name string) iter.Seq[string] {
	known, found := lookUp(name)
	return func(yield func(string) bool) {
		for i := range m.fields {
			if m.fields[i].named(name, known.name, found) && !yield(Clean(m.fields[i].value)) {
				return
			}
		}
	}
}

// Values returns every value of a header that holds a comma-separated list.
func (m *Message) Values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for list := range m.Lines(name) {
			for more := true; more; {
				var value string
				value, list, more, _ = cut(list, ',')
				if value = trim(value); value != "" && !yield(value) {
					return
				}
			}
		}
	}
}

// Has reports that a list header (Supported, Require, Allow …) names token,
// whatever its case.
func (m *Message) Has(name, token string) bool {
	for value := range m.Values(name) {
		if strings.EqualFold(value, token) {
			return true
		}
	}
	return false
}

// echo is newEcho without reading the usual single Via a second time.
func (m *Message) echo() echo {
	if len(m.vias) > 1 {
		return newEcho(m.fields)
	}
	e := echo{via: m.vias[0], callID: m.callID, toTag: m.to.Params.Has("tag")}
	for _, f := range m.fields {
		switch f.id {
		case hdrFrom:
			e.from = f.value
		case hdrTo:
			e.to = f.value
		case hdrCSeq:
			e.cseq = f.value
		}
	}
	return e
}

// Body returns the body, nil when empty. The caller must not change it.
func (m *Message) Body() []byte { return m.body }

// MediaType returns type and subtype of Content-Type in lower case, without
// parameters; "" when absent or malformed.
func (m *Message) MediaType() string {
	value, _ := m.Header("Content-Type")
	media, _ := mediaType(value)
	return media
}

// StampVia sets received and rport of the top Via to the packet's source
// (RFC 3581 section 4).
func (m *Message) StampVia(source netip.AddrPort) { stamp(m.vias[0], source) }

// ReplyTo returns where answers to this request go on UDP (S11): the source's
// address always; its port too, unless the sender does not ask for rport and
// its Via names that very address, when the Via's port holds.
func (m *Message) ReplyTo(source netip.AddrPort) netip.AddrPort { return replyTo(m.vias[0], source) }

// Request builds the sipgo request: a new one each time, sharing the typed
// headers (Via, From, To, Contact) with m. nil for a response.
func (m *Message) Request() *sip.Request {
	if !m.IsRequest() {
		return nil
	}
	req := sip.NewRequest(sip.RequestMethod(m.method), m.uri)
	m.fill(req)
	req.SetBody(m.body)
	if len(m.contacts) > 1 { // sipgo's Contact() gives the last one appended
		req.ReplaceHeader(m.contacts[0].ContactHeader)
	}
	return req
}

// Response builds the sipgo response, as Request does. nil for a request.
func (m *Message) Response() *sip.Response {
	if m.IsRequest() {
		return nil
	}
	res := sip.NewResponse(m.status, Clean(m.reason))
	m.fill(res)
	res.SetBody(m.body)
	if len(m.contacts) > 1 {
		res.ReplaceHeader(m.contacts[0].ContactHeader)
	}
	return res
}

// fill appends all headers in order, each list where its first line stood.
func (m *Message) fill(to sip.Message) {
	var done [hdrExpires + 1]bool
	for i := range m.fields {
		f := &m.fields[i]
		seen := done[f.id]
		done[f.id] = true
		switch f.id {
		case hdrVia:
			for _, via := range m.vias {
				if !seen {
					to.AppendHeader(via)
				}
			}
		case hdrContact:
			for _, c := range m.contacts {
				if !seen {
					to.AppendHeader(c.ContactHeader)
				}
			}
		case hdrFrom:
			to.AppendHeader(m.from)
		case hdrTo:
			to.AppendHeader(m.to)
		case hdrCallID:
			h := sip.CallIDHeader(m.callID)
			to.AppendHeader(&h)
		case hdrCSeq:
			to.AppendHeader(&sip.CSeqHeader{SeqNo: m.cseq, MethodName: sip.RequestMethod(m.cseqMethod)})
		case hdrMaxForwards:
			h := sip.MaxForwardsHeader(m.maxForwards)
			to.AppendHeader(&h)
		case hdrContentType:
			h := sip.ContentTypeHeader(f.value)
			to.AppendHeader(&h)
		case hdrContentLength:
			// SetBody writes the true one.
		default:
			to.AppendHeader(sip.NewHeader(f.name, f.value))
		}
	}
}
