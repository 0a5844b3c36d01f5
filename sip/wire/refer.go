package wire

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"github.com/cordpair/cordpair/sip/escape"
)

// Replaces names the dialog an INVITE takes the place of (RFC 3891 section 6.1),
// seen from its receiver: ToTag is the receiver's tag. A tag of "0" stands for
// none, that of an RFC 2543 peer.
type Replaces struct {
	CallID         string
	ToTag, FromTag string
	EarlyOnly      bool
}

// ParseReplaces reads a Replaces value, not percent-encoded.
func ParseReplaces(s string) (r Replaces, ok bool) {
	var p sip.HeaderParams
	r.CallID, p, ok = dialogID(s)
	if !ok {
		return Replaces{}, false
	}
	r.ToTag, _ = Param(p, "to-tag")
	r.FromTag, _ = Param(p, "from-tag")
	_, r.EarlyOnly = Param(p, "early-only")
	if !isToken(r.ToTag) || !isToken(r.FromTag) {
		return Replaces{}, false
	}
	return r, true
}

// dialogID reads callid *(SEMI param); each parameter may occur once, and maxTokens
// are enough.
func dialogID(s string) (callID string, p sip.HeaderParams, ok bool) {
	callID, params, more := strings.Cut(s, ";")
	callID = trim(callID)
	if callID == "" || strings.ContainsAny(callID, " \t,") || Clean(callID) != callID {
		return "", nil, false
	}
	if more && (strings.Count(params, ";") >= maxTokens || parseParams(";"+params, &p) != nil) {
		return "", nil, false
	}
	for i, kv := range p {
		if _, twice := Param(p[:i], kv.K); twice {
			return "", nil, false
		}
	}
	return callID, p, true
}

// String renders the value as it stands in a header. In a URI it must go through
// escape.Header.
func (r Replaces) String() string {
	s := r.CallID + ";to-tag=" + r.ToTag + ";from-tag=" + r.FromTag
	if r.EarlyOnly {
		s += ";early-only"
	}
	return s
}

// Replaces returns the Replaces header. In an INVITE that has passed
// Rules.Validate ok is false only when it is absent.
func (m *Message) Replaces() (r Replaces, ok bool) {
	value, ok := m.Header("Replaces")
	if !ok {
		return r, false
	}
	return ParseReplaces(value)
}

// ReferTo is where a REFER sends its receiver (RFC 3515 section 2.1).
type ReferTo struct {
	Address
	// Target is the URI without what is not part of a Request-URI: the method
	// parameter and the headers (RFC 3261 section 19.1.5).
	Target string
	Method string // as spelled; INVITE when the URI names none
	// Replaces is the embedded Replaces header of an attended transfer, nil
	// without one.
	Replaces *Replaces
	// Headers are the other embedded headers with a name, percent-decoded and
	// cleaned, in order. None is to be trusted.
	Headers []Field
}

// ParseReferTo reads a Refer-To value. ok is false as well when its embedded
// Replaces is malformed or repeated, or it embeds more than 32 headers.
func ParseReferTo(s string) (r ReferTo, ok bool) {
	var err error
	if r.Address, err = ParseAddress(s); err != nil || len(r.URI.Headers) > maxTokens {
		return ReferTo{}, false
	}
	r.Method = "INVITE"
	target := r.URI
	target.Headers, target.UriParams = nil, nil
	for _, kv := range r.URI.UriParams {
		if strings.EqualFold(kv.K, "method") {
			r.Method = escape.Decode(kv.V)
			continue
		}
		target.UriParams = append(target.UriParams, kv)
	}
	r.Target = target.String()
	if !isToken(r.Method) || !r.embedded() {
		return ReferTo{}, false
	}
	return r, true
}

// embedded reads the headers of the URI.
func (r *ReferTo) embedded() bool {
	for _, kv := range r.URI.Headers {
		name, value := escape.Decode(kv.K), trim(Clean(escape.Decode(kv.V)))
		if !isToken(name) {
			continue
		}
		if !strings.EqualFold(name, "Replaces") {
			r.Headers = append(r.Headers, Field{name, value})
			continue
		}
		replaces, ok := ParseReplaces(value)
		if !ok || r.Replaces != nil {
			return false
		}
		r.Replaces = &replaces
	}
	return true
}

// ReferTo returns the Refer-To header. In a REFER that has passed Rules.Validate
// ok is false only when it is absent.
func (m *Message) ReferTo() (r ReferTo, ok bool) {
	value, ok := m.Header("Refer-To")
	if !ok {
		return r, false
	}
	return ParseReferTo(value)
}

// ReferredBy returns the Referred-By header (RFC 3892 section 3); ok is false
// when it is absent or cannot be read. Its cid parameter names a body part that
// signs it.
func (m *Message) ReferredBy() (a Address, ok bool) {
	value, ok := m.Header("Referred-By")
	if !ok {
		return a, false
	}
	a, err := ParseAddress(value)
	return a, err == nil
}

// ReferSub returns the Refer-Sub header (RFC 4488 section 4): whether the sender
// of a REFER wants the implicit subscription, true when it is absent.
func (m *Message) ReferSub() bool {
	value, _ := m.Header("Refer-Sub")
	value, _, _ = strings.Cut(value, ";")
	return !strings.EqualFold(trim(value), "false")
}
