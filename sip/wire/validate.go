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
// users (404, 403), credentials (400 when they are mutilated, 401), merged
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
	var reason string
	switch {
	case !strings.EqualFold(m.version, "SIP/2.0"):
		reason = "Bad response: version"
	case m.vias > 1:
		reason = "Bad response: Via of another hop"
	case m.cseqMethod == "ACK":
		reason = "Bad response: CSeq of an ACK"
	default:
		return nil
	}
	return &Fault{Status: 400, Method: m.cseqMethod, Reason: reason}
}

// checkStart answers versions, methods and URIs nobody here speaks.
func checkStart(r *Rules, m *Message) *Fault {
	branch := m.Branch()
	switch {
	case !strings.EqualFold(m.version, "SIP/2.0"):
		return m.fault(505, "Version Not Supported")
	case !slices.Contains(r.Methods, m.method) && slices.Contains(knownMethods, m.method):
		return m.fault(405, "Method Not Allowed", Field{"Allow", join(r.Methods)})
	case !slices.Contains(r.Methods, m.method):
		return m.fault(501, "Not Implemented", Field{"Allow", join(r.Methods)})
	case m.cseqMethod != m.method:
		return m.fault(400, "Bad Request: CSeq: other method than the request line")
	case m.target.Scheme != "sip" && m.target.Scheme != "sips":
		return m.fault(416, "Unsupported URI Scheme")
	case strings.Trim(m.target.headers, "&") != "":
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
	if m.first[hdrRequire] == 0 {
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

// care is what checkFields has to look at in a header.
type care uint8

const (
	careCount care = iota + 1 // a list that is gone through for every request (S5)
	careOnce                  // means nothing certain when repeated
	careDate                  // careOnce, and a date
	careCredentials
)

var cares = [len(headerNames)]care{
	hdrAccept: careCount, hdrAllow: careCount, hdrSupported: careCount, hdrRequire: careCount, hdrAllowEvents: careCount,
	hdrContentType: careOnce, hdrExpires: careOnce, hdrEvent: careOnce, hdrReferTo: careOnce, hdrReplaces: careOnce,
	hdrSessionExpires: careOnce, hdrRAck: careOnce, hdrSIPIfMatch: careOnce, hdrSubscriptionState: careOnce,
	hdrDate: careDate, hdrAuthorization: careCredentials, hdrProxyAuthorization: careCredentials,
}

// checkFields looks at every header line once.
func checkFields(_ *Rules, m *Message) *Fault {
	credentials := 0
	var values [len(headerNames)]int16
	for i := range m.fields {
		f := &m.fields[i]
		what := cares[f.id]
		if what == 0 {
			continue
		}
		value, problem := m.value(f), ""
		switch repeated := int(m.first[f.id]) != i+1; {
		case what == careCount:
			values[f.id] += 1 + int16(strings.Count(value, ","))
			if values[f.id] > maxTokens {
				problem = "too many values"
			}
		case what == careCredentials:
			if credentials++; credentials > maxContacts {
				problem = "too many values"
			}
		case repeated:
			problem = "more than one"
		case what == careDate && !isDate(value):
			problem = "malformed or not in GMT"
		}
		if problem != "" {
			return m.fault(400, "Bad Request: "+m.name(f)+": "+problem)
		}
	}
	return nil
}

// isDate: SIP dates are in GMT (RFC 3261 section 20.17).
func isDate(s string) bool {
	_, err := time.Parse("Mon, 2 Jan 2006 15:04:05 GMT", s)
	return err == nil
}

// shapes are the headers a method cannot be understood without: there, one that
// cannot be read is refused. Elsewhere it counts for nothing.
var shapes = map[string][]shape{
	"INVITE": {
		{hdrReplaces, reads(ParseReplaces)}, {hdrSessionExpires, reads(ParseSessionExpires)}, {hdrMinSE, isNumber},
	},
	"UPDATE":    {{hdrSessionExpires, reads(ParseSessionExpires)}, {hdrMinSE, isNumber}},
	"PRACK":     {{hdrRAck, reads(ParseRAck)}},
	"REFER":     {{hdrReferTo, reads(ParseReferTo)}},
	"SUBSCRIBE": {{hdrEvent, reads(ParseEvent)}},
	"NOTIFY":    {{hdrEvent, reads(ParseEvent)}, {hdrSubscriptionState, reads(ParseSubscriptionState)}},
	"PUBLISH":   {{hdrEvent, reads(ParseEvent)}, {hdrSIPIfMatch, isToken}},
}

type shape struct {
	id headerID
	ok func(string) bool
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
		if value, ok := m.get(s.id); ok && !s.ok(Clean(value)) {
			return m.fault(400, "Bad Request: "+headerNames[s.id]+": malformed value")
		}
	}
	return nil
}

// checkContacts: "*" stands alone, in a REGISTER with Expires 0; other methods
// have at most one Contact, with a SIP URI; nobody may be reached at an address
// that is ours or no single host's (S14).
func checkContacts(r *Rules, m *Message) *Fault {
	register := m.method == "REGISTER"
	if len(m.contacts) > 1 && !register {
		return m.fault(400, "Bad Request: Contact: more than one")
	}
	for i := range m.contacts {
		c := &m.contacts[i]
		if c.Wildcard() {
			if d, ok := m.Expires(); !register || len(m.contacts) > 1 || !ok || d != 0 {
				return m.fault(400, "Bad Request: Contact: * needs REGISTER, Expires 0 and no other")
			}
			continue
		}
		if q, ok := c.Param("q"); ok {
			if _, ok := qvalue(q); !ok {
				return m.fault(400, "Bad Request: Contact: malformed q")
			}
		}
		sips := c.URI.Scheme == "sip" || c.URI.Scheme == "sips"
		if !sips && !register {
			return m.fault(400, "Bad Request: Contact: not a SIP URI")
		}
		if sips && !r.reachable(&c.URI) {
			return m.fault(400, "Bad Request: Contact: address not allowed")
		}
	}
	return nil
}

// reachable reports that a URI with an address in it names a single host that
// is not us.
func (r *Rules) reachable(u *URI) bool {
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
	if m.bodyLen == 0 || !checked || m.method == "ACK" {
		return nil
	}
	if encoding, ok := m.Header("Content-Encoding"); ok && !strings.EqualFold(encoding, "identity") {
		return m.fault(415, "Unsupported Media Type: Content-Encoding", Field{"Accept-Encoding", "identity"})
	}
	value, ok := m.Header("Content-Type")
	if !ok {
		return m.fault(400, "Bad Request: Content-Type: missing")
	}
	media, _ := mediaType(value)
	if media == "" {
		return m.fault(400, "Bad Request: Content-Type: malformed value")
	}
	if slices.Contains(types, media) {
		return nil
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
