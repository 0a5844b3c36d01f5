package load

import "bytes"

// field is a place in a template.
type field uint8

// The fields of the templates.
const (
	fUser field = iota
	fTo
	fDomain
	fLocal
	fBranch
	fTag
	fCallID
	fCSeq
	fAuth
	fTarget
	fToTag
	fRoutes
	fLength
	fBody
	fPort
	fMethod
	fields
)

var fieldNames = [fields]string{
	"user", "to", "domain", "local", "branch", "tag", "callid", "cseq", "auth", "target", "totag", "routes", "length", "body", "port", "method",
}

// values fill a template.
type values [fields][]byte

// template is a text with places: texts[i] stands before places[i].
type template struct {
	texts  [][]byte
	places []field
	last   []byte
}

// parseTemplate splits "text {name} text" and writes line ends as SIP does. A
// name that is no field is a mistake in this package, and panics.
func parseTemplate(text string) template {
	var t template
	rest := bytes.ReplaceAll([]byte(text), []byte("\n"), []byte("\r\n"))
	for {
		open := bytes.IndexByte(rest, '{')
		if open < 0 {
			t.last = rest
			return t
		}
		end := open + bytes.IndexByte(rest[open:], '}')
		t.texts = append(t.texts, rest[:open])
		t.places = append(t.places, fieldOf(string(rest[open+1:end])))
		rest = rest[end+1:]
	}
}

func fieldOf(name string) field {
	for i, n := range fieldNames {
		if n == name {
			return field(i)
		}
	}
	panic("no field " + name)
}

// render appends the filled template to b.
func (t *template) render(b []byte, v *values) []byte {
	for i, text := range t.texts {
		b = append(b, text...)
		b = append(b, v[t.places[i]]...)
	}
	return append(b, t.last...)
}

var (
	registerText = parseTemplate(`REGISTER sip:{domain} SIP/2.0
Via: SIP/2.0/UDP {local};branch=z9hG4bK{branch};rport
Max-Forwards: 70
From: <sip:{user}@{domain}>;tag={tag}
To: <sip:{user}@{domain}>
Call-ID: {callid}
CSeq: {cseq} REGISTER
Contact: <sip:{user}@{local}>
{auth}Expires: 3600
User-Agent: bench
Content-Length: 0

`)
	optionsText = parseTemplate(`OPTIONS sip:{domain} SIP/2.0
Via: SIP/2.0/UDP {local};branch=z9hG4bK{branch};rport
Max-Forwards: 70
From: <sip:{user}@{domain}>;tag={tag}
To: <sip:{domain}>
Call-ID: {callid}
CSeq: {cseq} OPTIONS
Accept: application/sdp
Content-Length: 0

`)
	inviteText = parseTemplate(`INVITE sip:{to}@{domain} SIP/2.0
Via: SIP/2.0/UDP {local};branch=z9hG4bK{branch};rport
Max-Forwards: 70
From: <sip:{user}@{domain}>;tag={tag}
To: <sip:{to}@{domain}>
Call-ID: {callid}
CSeq: {cseq} INVITE
Contact: <sip:{user}@{local}>
{auth}Allow: INVITE, ACK, BYE, CANCEL, OPTIONS
User-Agent: bench
Content-Type: application/sdp
Content-Length: {length}

{body}`)
	// refusedText acknowledges an answer other than 2xx (RFC 3261 17.1.1.3).
	refusedText = parseTemplate(`ACK sip:{to}@{domain} SIP/2.0
Via: SIP/2.0/UDP {local};branch=z9hG4bK{branch};rport
Max-Forwards: 70
From: <sip:{user}@{domain}>;tag={tag}
To: {totag}
Call-ID: {callid}
CSeq: {cseq} ACK
Content-Length: 0

`)
	// insideText is ACK to a 2xx and BYE (RFC 3261 12.2.1.1).
	insideText = parseTemplate(`{method} {target} SIP/2.0
Via: SIP/2.0/UDP {local};branch=z9hG4bK{branch};rport
{routes}Max-Forwards: 70
From: <sip:{user}@{domain}>;tag={tag}
To: {totag}
Call-ID: {callid}
CSeq: {cseq} {method}
{auth}Content-Length: 0

`)
	sdpText = parseTemplate(`v=0
o=bench 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv
`)
)
