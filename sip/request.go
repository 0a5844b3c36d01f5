package sip

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/cordpair/cordpair/sip/wire"
)

// Methods this user agent knows by name.
const (
	methodInvite    = "INVITE"
	methodAck       = "ACK"
	methodBye       = "BYE"
	methodCancel    = "CANCEL"
	methodOptions   = "OPTIONS"
	methodRegister  = "REGISTER"
	methodInfo      = "INFO"
	methodUpdate    = "UPDATE"
	methodPrack     = "PRACK"
	methodRefer     = "REFER"
	methodNotify    = "NOTIFY"
	methodSubscribe = "SUBSCRIBE"
	methodPublish   = "PUBLISH"
	methodMessage   = "MESSAGE"
)

// knownMethods pass validation: what we serve, and what is refused only after
// its credentials were asked for (A1). Anything else is 501.
var knownMethods = []string{
	methodInvite, methodAck, methodBye, methodCancel, methodOptions, methodRegister, methodInfo, methodUpdate, methodPrack,
	methodRefer, methodSubscribe, methodNotify, methodMessage, methodPublish,
}

// allowHeader is what a request outside or inside a dialog may use.
const allowHeader = "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, INFO, UPDATE, PRACK, REFER, SUBSCRIBE, PUBLISH, MESSAGE"

// Option tags of extensions that we speak.
const (
	optionTimer      = "timer"      // RFC 4028
	optionReliable   = "100rel"     // RFC 3262
	optionReplaces   = "replaces"   // RFC 3891
	optionNoReferSub = "norefersub" // RFC 4488
	// optionFromChange is spoken by far ends only (RFC 4916).
	optionFromChange = "from-change"
)

// supported are those a request may require.
var supported = []string{optionTimer, optionReliable, optionReplaces, optionNoReferSub}

var supportedHeader = strings.Join(supported, ", ")

// outRequest is a request of ours before it is rendered. A CANCEL or ACK of it
// is the same value with another method.
type outRequest struct {
	method, uri string
	branch      string
	from, to    string // header values with their tags
	callID      string
	cseq        uint32
	routes      []string
	contact     string
	fields      []wire.Field
	bodyType    string
	body        []byte
	log         *messageLog // where it is noted; may be nil
}

// cancel is the CANCEL of an INVITE (RFC 3261 9.1): same branch, no body.
func (r *outRequest) cancel(fields ...wire.Field) *outRequest {
	return &outRequest{
		method: methodCancel, uri: r.uri, branch: r.branch, from: r.from, to: r.to,
		callID: r.callID, cseq: r.cseq, routes: r.routes, fields: fields, log: r.log,
	}
}

// ackFor is the ACK of a final response other than 2xx (RFC 3261 17.1.1.3).
func (r *outRequest) ackFor(res *wire.Message) *outRequest {
	return &outRequest{
		method: methodAck, uri: r.uri, branch: r.branch, from: r.from, to: res.To().Value(),
		callID: r.callID, cseq: r.cseq, routes: r.routes, log: r.log,
	}
}

// transmit sends a request that has no transaction: an ACK.
func (r *outRequest) transmit(f flow, now time.Time) {
	r.log.asked(r, f, now)
	_ = f.send(r.render(make([]byte, 0, 512), f)) // counted by the flow; repeated with what it answers
}

// render appends the request as it goes out over f.
func (r *outRequest) render(dst []byte, f flow) []byte {
	m := msg{dst}
	m.add(r.method, " ", r.uri, " SIP/2.0\r\n")
	m.add("Via: SIP/2.0/", f.transport(), " ")
	m.b = f.local().AppendTo(m.b)
	m.add(";branch=", r.branch, ";rport\r\n")
	m.field("Max-Forwards", "70")
	for _, route := range r.routes {
		m.field("Route", route)
	}
	m.field("From", r.from)
	m.field("To", r.to)
	m.field("Call-ID", r.callID)
	m.add("CSeq: ")
	m.b = strconv.AppendUint(m.b, uint64(r.cseq), 10)
	m.add(" ", r.method, "\r\n")
	if r.contact != "" {
		m.field("Contact", r.contact)
	}
	for _, h := range r.fields {
		m.field(h.Name, h.Value)
	}
	m.finish(r.bodyType, r.body)
	return m.b
}

// msg builds the text of a message.
type msg struct{ b []byte }

func (m *msg) add(parts ...string) {
	for _, p := range parts {
		m.b = append(m.b, p...)
	}
}

// field adds one header line; what came from outside is cleaned (S15).
func (m *msg) field(name, value string) { m.add(name, ": ", wire.Clean(value), "\r\n") }

func (m *msg) finish(bodyType string, body []byte) {
	if len(body) > 0 {
		m.field("Content-Type", bodyType)
	}
	m.add("Content-Length: ")
	m.b = append(strconv.AppendInt(m.b, int64(len(body)), 10), "\r\n\r\n"...)
	m.b = append(m.b, body...)
}

// sipURI writes sip:user@host:port with the transport where it is not UDP. The
// user is escaped as RFC 3261 25.1 asks.
func sipURI(user string, a netip.AddrPort, transport string) string {
	var room [128]byte
	b := append(room[:0], "sip:"...)
	if user != "" {
		b = append(append(b, escapeUser(user)...), '@')
	}
	b = a.AppendTo(b)
	if transport == transportTCP {
		b = append(b, ";transport=tcp"...)
	}
	return string(b)
}

// userMark are the characters beside letters and digits that a user part may hold.
const userMark = "-_.!~*'()&=+$,;?/"

// escapeUser escapes what may not stand in a user part; what is escaped already
// stays as it is.
func escapeUser(s string) string {
	const hex = "0123456789ABCDEF"
	var out []byte // nil while nothing had to be escaped
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case !isUnreserved(c) && (c != '%' || !isEscape(s[i:])):
			if out == nil {
				out = append(make([]byte, 0, len(s)+8), s[:i]...)
			}
			out = append(out, '%', hex[c>>4], hex[c&15])
		case out != nil:
			out = append(out, c)
		}
	}
	if out == nil {
		return s
	}
	return string(out)
}

func isEscape(s string) bool {
	return len(s) > 2 && strings.IndexByte(hexDigits, s[1]) >= 0 && strings.IndexByte(hexDigits, s[2]) >= 0
}

const hexDigits = "0123456789ABCDEFabcdef"

func isUnreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(userMark, c) >= 0
}
