package wire

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Rules is what this user agent accepts. The zero value accepts no method. A
// Rules is read only while it is in use.
type Rules struct {
	// Methods are the ones implemented. Another one gets 405 when it is a
	// method of SIP and 501 when nobody knows it, both with Allow.
	Methods []string
	// Extensions are the option tags Require may name; others get 420.
	Extensions []string
	// Bodies are the media types, in lower case, a method's body may have;
	// others get 415. The bodies of a method without entry are not checked.
	Bodies map[string][]string
	// Listening tells our own SIP addresses, which no Contact may name (S14).
	// nil means none.
	Listening func(netip.AddrPort) bool
}

// knownMethods are the registered ones (RFC 3261, 3262, 3311, 3428, 3515, 3903,
// 6086, 6665).
var knownMethods = []string{"INVITE", "ACK", "CANCEL", "BYE", "REGISTER", "OPTIONS", "SUBSCRIBE", "NOTIFY",
	"REFER", "INFO", "MESSAGE", "PRACK", "UPDATE", "PUBLISH"}

// Validate is the stage between parsing and transactions: what RFC 4475 and
// RFC 5118 expect a user agent to refuse, the numbers of S6, the lists of S5 and
// the Contact rules of S14. nil means the message may be processed. A response
// that fails is to be dropped; the fault of an ACK has no answer either.
//
// Left to later stages, because they need more than the message: domains and
// users (404, 403), credentials (401, also for an unknown scheme), merged
// requests (482), dialogs (481).
func (r *Rules) Validate(m *Message) *Fault {
	if !m.IsRequest() {
		return validateResponse(m)
	}
	for _, check := range [...]func(*Rules, *Message) *Fault{
		checkStart, checkHops, checkRequire, checkFields, checkShapes, checkContacts, checkBody, checkAccept,
	} {
		if f := check(r, m); f != nil {
			return f
		}
	}
	return nil
}

// fault refuses the request m.
func (m *Message) fault(status int, reason string, extra ...Field) *Fault {
	return &Fault{Status: status, Reason: reason, Method: m.method, Extra: extra, echo: m.echo(), size: m.size}
}

// validateResponse: a response for us carries our Via alone (RFC 3261 section
// 8.1.3.3) and speaks our version.
func validateResponse(m *Message) *Fault {
	f := &Fault{Status: 400, Method: m.cseqMethod}
	switch {
	case !strings.EqualFold(m.version, "SIP/2.0"):
		f.Reason = "Bad response: version"
	case len(m.vias) > 1:
		f.Reason = "Bad response: Via of another hop"
	case m.cseqMethod == "ACK":
		f.Reason = "Bad response: CSeq of an ACK"
	default:
		return nil
	}
	return f
}

// checkStart answers versions, methods and URIs nobody here speaks.
func checkStart(r *Rules, m *Message) *Fault {
	allow := Field{"Allow", join(r.Methods)}
	branch := m.Branch()
	switch {
	case !strings.EqualFold(m.version, "SIP/2.0"):
		return m.fault(505, "Version Not Supported")
	case !slices.Contains(r.Methods, m.method) && slices.Contains(knownMethods, m.method):
		return m.fault(405, "Method Not Allowed", allow)
	case !slices.Contains(r.Methods, m.method):
		return m.fault(501, "Not Implemented", allow)
	case m.cseqMethod != m.method:
		return m.fault(400, "Bad Request: CSeq: other method than the request line")
	case m.uri.Scheme != "sip" && m.uri.Scheme != "sips":
		return m.fault(416, "Unsupported URI Scheme")
	case len(m.uri.Headers) > 0:
		return m.fault(400, "Bad Request: Request-URI: headers not allowed")
	case len(branch) == len("z9hG4bK") && strings.EqualFold(branch, "z9hG4bK"):
		return m.fault(400, "Bad Request: Via: branch without identifier")
	}
	return nil
}

func checkHops(_ *Rules, m *Message) *Fault {
	if m.maxForwards == 0 && m.method != "ACK" {
		return m.fault(483, "Too Many Hops")
	}
	return nil
}

// checkRequire leaves ACK and CANCEL alone (RFC 3261 section 8.2.2.3).
func checkRequire(r *Rules, m *Message) *Fault {
	if m.method == "ACK" || m.method == "CANCEL" {
		return nil
	}
	if _, ok := m.Header("Require"); !ok {
		return nil
	}
	return r.knowsAll(m)
}

// knowsAll refuses a request that requires what nobody here has.
func (r *Rules) knowsAll(m *Message) *Fault {
	var unknown []string
	for tag := range m.Values("Require") {
		known := slices.ContainsFunc(r.Extensions, func(have string) bool { return strings.EqualFold(have, tag) })
		if !known && isToken(tag) && len(unknown) < maxTokens {
			unknown = append(unknown, tag)
		}
		if !isToken(tag) {
			return m.fault(400, "Bad Request: Require: malformed value")
		}
	}
	if unknown != nil {
		return m.fault(420, "Bad Extension", Field{"Unsupported", join(unknown)})
	}
	return nil
}

// boundedLists are gone through for every request (S5); onlyOnce are further
// headers that mean nothing certain when repeated.
var (
	boundedLists = [...]string{"Accept", "Allow", "Supported", "Require", "Allow-Events"}
	onlyOnce     = [...]string{"Content-Type", "Expires", "Date", "Event", "Refer-To", "Replaces", "Session-Expires",
		"RAck", "SIP-If-Match", "Subscription-State"}
)

// shapes are the headers a method cannot be understood without: there, one that
// cannot be read is refused. Elsewhere it counts for nothing.
var shapes = map[string][]shape{
	"INVITE":    {{"Replaces", reads(ParseReplaces)}, {"Session-Expires", reads(ParseSessionExpires)}, {"Min-SE", isNumber}},
	"UPDATE":    {{"Session-Expires", reads(ParseSessionExpires)}, {"Min-SE", isNumber}},
	"PRACK":     {{"RAck", reads(ParseRAck)}},
	"REFER":     {{"Refer-To", reads(ParseReferTo)}},
	"SUBSCRIBE": {{"Event", reads(ParseEvent)}},
	"NOTIFY":    {{"Event", reads(ParseEvent)}, {"Subscription-State", reads(ParseSubscriptionState)}},
	"PUBLISH":   {{"Event", reads(ParseEvent)}, {"SIP-If-Match", isToken}},
}

type shape struct {
	name string
	ok   func(string) bool
}

func reads[T any](parse func(string) (T, bool)) func(string) bool {
	return func(s string) bool {
		_, ok := parse(s)
		return ok
	}
}

func isNumber(s string) bool {
	number, _, _ := strings.Cut(s, ";")
	_, ok := deltaSeconds(number)
	return ok
}

func checkShapes(_ *Rules, m *Message) *Fault {
	for _, s := range shapes[m.method] {
		if value, ok := m.Header(s.name); ok && !s.ok(value) {
			return m.fault(400, "Bad Request: "+s.name+": malformed value")
		}
	}
	return nil
}

// checkFields looks at every header line once.
func checkFields(_ *Rules, m *Message) *Fault {
	var values [len(boundedLists)]int
	credentials := 0
	var seen [len(onlyOnce)]bool
	for i := range m.fields {
		f := &m.fields[i]
		if j := slices.Index(boundedLists[:], f.name); j >= 0 {
			values[j] += 1 + strings.Count(f.value, ",")
			if values[j] > maxTokens {
				return m.fault(400, "Bad Request: "+f.name+": too many values")
			}
		}
		if j := slices.Index(onlyOnce[:], f.name); j >= 0 {
			if seen[j] {
				return m.fault(400, "Bad Request: "+f.name+": more than one")
			}
			seen[j] = true
		}
		switch f.name {
		case "Date": // SIP dates are in GMT (RFC 3261 section 20.17)
			if _, err := time.Parse("Mon, 2 Jan 2006 15:04:05 GMT", f.value); err != nil {
				return m.fault(400, "Bad Request: Date: malformed or not in GMT")
			}
		case "Authorization", "Proxy-Authorization":
			if credentials++; credentials > maxContacts || !credentialsOK(f.value) {
				return m.fault(400, "Bad Request: "+f.name+": malformed value")
			}
		}
	}
	return nil
}

// credentialsOK finds mutilated credentials (A6): scheme SP name=value *(","
// name=value), those of Digest complete (RFC 7616 section 3.4). Credentials of a
// scheme nobody knows are well formed and count for nothing: the answer to them
// is a challenge.
func credentialsOK(s string) bool {
	scheme, list, found := strings.Cut(s, " ")
	if !found || !isToken(scheme) {
		return false
	}
	params := make(sip.HeaderParams, 0, 12)
	for more := true; more; {
		var piece string
		var ok bool
		if piece, list, more, ok = cut(list, ','); !ok || len(params) == maxTokens {
			return false
		}
		kv, ok := parseParam(piece)
		if _, dup := Param(params, kv.K); !ok || dup || kv.V == "" {
			return false
		}
		params = append(params, kv)
	}
	if !strings.EqualFold(scheme, "Digest") {
		return true
	}
	for _, name := range [...]string{"username", "realm", "nonce", "uri", "response"} {
		if _, ok := Param(params, name); !ok {
			return false
		}
	}
	// Some clients send the frame with everything empty to ask for a nonce.
	response, _ := Param(params, "response")
	nc, hasNC := Param(params, "nc")
	return isHex(response, 0, 32, 64) && (!hasNC || isHex(nc, 8))
}

func isHex(s string, lengths ...int) bool {
	for i := 0; i < len(s); i++ {
		if unhex(s[i]) < 0 {
			return false
		}
	}
	return slices.Contains(lengths, len(s))
}

// checkContacts: "*" stands alone, in a REGISTER with Expires 0; other methods
// have at most one Contact, with a SIP URI; nobody may be reached at an address
// that is ours or no single host's (S14).
func checkContacts(r *Rules, m *Message) *Fault {
	register := m.method == "REGISTER"
	if len(m.contacts) > 1 && !register {
		return m.fault(400, "Bad Request: Contact: more than one")
	}
	for _, c := range m.contacts {
		if c.Wildcard() {
			if d, ok := m.Expires(); !register || len(m.contacts) > 1 || !ok || d != 0 {
				return m.fault(400, "Bad Request: Contact: * needs REGISTER, Expires 0 and no other")
			}
			continue
		}
		if q, ok := Param(c.Params, "q"); ok {
			if _, ok := qvalue(q); !ok {
				return m.fault(400, "Bad Request: Contact: malformed q")
			}
		}
		sips := c.Address.Scheme == "sip" || c.Address.Scheme == "sips"
		if !sips && !register {
			return m.fault(400, "Bad Request: Contact: not a SIP URI")
		}
		if sips && !r.reachable(&c.Address) {
			return m.fault(400, "Bad Request: Contact: address not allowed")
		}
	}
	return nil
}

// reachable reports that a URI with an address in it names a single host that
// is not us.
func (r *Rules) reachable(u *sip.Uri) bool {
	ip, ok := HostAddr(u.Host)
	if !ok {
		return true // a name; requests go over the flow, not there
	}
	if ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return false
	}
	port := u.Port
	if port == 0 {
		port = 5060
		if u.Scheme == "sips" {
			port = 5061
		}
	}
	return r.Listening == nil || !r.Listening(netip.AddrPortFrom(ip, uint16(port)))
}

// checkBody answers bodies this user agent cannot read (RFC 3261 section
// 8.2.3). One that the sender marks optional may be ignored instead.
func checkBody(r *Rules, m *Message) *Fault {
	types, checked := r.Bodies[m.method]
	if len(m.body) == 0 || !checked || m.method == "ACK" {
		return nil
	}
	if encoding, ok := m.Header("Content-Encoding"); ok && !strings.EqualFold(encoding, "identity") {
		return m.fault(415, "Unsupported Media Type: Content-Encoding", Field{"Accept-Encoding", "identity"})
	}
	value, ok := m.Header("Content-Type")
	if !ok {
		return m.fault(400, "Bad Request: Content-Type: missing")
	}
	if media, _ := mediaType(value); media == "" {
		return m.fault(400, "Bad Request: Content-Type: malformed value")
	}
	for _, t := range types {
		if m.Part(t) != nil {
			return nil
		}
	}
	disposition, _ := m.Header("Content-Disposition")
	_, rest, _ := strings.Cut(disposition, ";")
	var params sip.HeaderParams
	if parseParams(";"+rest, &params) == nil {
		if v, _ := Param(params, "handling"); strings.EqualFold(v, "optional") {
			return nil
		}
	}
	return m.fault(415, "Unsupported Media Type", Field{"Accept", join(types)})
}

// checkAccept: an INVITE that takes no SDP in the answer cannot become a call
// (RFC 4475 section 3.3.15).
func checkAccept(_ *Rules, m *Message) *Fault {
	if m.method != "INVITE" {
		return nil
	}
	if q, given := m.Accepts("application/sdp"); given && q == 0 {
		return m.fault(406, "Not Acceptable: Accept: no application/sdp")
	}
	return nil
}
