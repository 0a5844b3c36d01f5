package sip

import (
	"net/netip"
	"strings"

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
	// session is the leg whose session the request makes, changes or refreshes, and
	// which says so in headers of its own.
	session  *leg
	fields   []wire.Field
	bodyType string
	body     []byte
	log      *messageLog // where it is noted; may be nil
}

// cancel is the CANCEL of an INVITE (RFC 3261 9.1): same branch, no body.
func (r *outRequest) cancel(fields ...wire.Field) outRequest {
	return outRequest{
		method: methodCancel, uri: r.uri, branch: r.branch, from: r.from, to: r.to,
		callID: r.callID, cseq: r.cseq, routes: r.routes, fields: fields, log: r.log,
	}
}

// ackFor is the ACK of a final response other than 2xx (RFC 3261 17.1.1.3).
func (r *outRequest) ackFor(res *wire.Message) outRequest {
	to, _ := res.Line("To", 0)
	return outRequest{
		method: methodAck, uri: r.uri, branch: r.branch, from: r.from, to: to,
		callID: r.callID, cseq: r.cseq, routes: r.routes, log: r.log,
	}
}

// render appends the request as it goes out over f.
func (r *outRequest) render(dst []byte, f flow) []byte {
	w := wire.StartRequest(dst, r.method, r.uri)
	w.Open("Via").Text("SIP/2.0/", f.transport(), " ").Addr(f.local()).Text(";branch=", r.branch, ";rport").Close()
	w.Field("Max-Forwards", "70")
	for _, route := range r.routes {
		w.Field("Route", route)
	}
	w.Field("From", r.from)
	w.Field("To", r.to)
	w.Field("Call-ID", r.callID)
	w.Open("CSeq").Int(int64(r.cseq)).Text(" ", r.method).Close()
	if r.session != nil {
		r.session.describeSession(&w, f)
	} else if r.contact != "" {
		w.Field("Contact", r.contact)
	}
	w.Fields(r.fields...)
	return w.End(r.bodyType, r.body)
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

// contactOf writes a Contact that leads to user over f.
func contactOf(w *wire.Writer, user string, f flow) {
	w.Open("Contact").Text("<sip:")
	if user != "" {
		w.Text(escapeUser(user), "@")
	}
	w.Addr(f.local())
	if f.transport() == transportTCP {
		w.Text(";transport=tcp")
	}
	w.Text(">").Close()
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
