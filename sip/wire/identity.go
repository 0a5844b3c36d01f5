package wire

import (
	"strings"

	"github.com/cordpair/cordpair/sip/escape"
)

// AssertedIdentities returns the values of P-Asserted-Identity (RFC 3325 section
// 9.1): one, or a SIP URI and a telephone number. They mean something only from a
// trusted peer. What cannot be read is left out.
func (m *Message) AssertedIdentities() []Address { return m.addresses("P-Asserted-Identity") }

// PreferredIdentities returns the values of P-Preferred-Identity (RFC 3325
// section 9.2), which its sender wants to be known by.
func (m *Message) PreferredIdentities() []Address { return m.addresses("P-Preferred-Identity") }

// Privacy is what the Privacy headers of a message ask for (RFC 3323 section 4.2,
// RFC 3325 section 9.3, RFC 7044 section 10.1), a set of bits.
type Privacy uint8

// The kinds of privacy.
const (
	PrivacyHeader   Privacy = 1 << iota // hide headers the user cannot leave out
	PrivacySession                      // hide the addresses of media
	PrivacyUser                         // hide who calls, at the user's level
	PrivacyID                           // hide the asserted identity
	PrivacyHistory                      // hide the History-Info
	PrivacyCritical                     // refuse rather than reveal
	PrivacyNone                         // hide nothing, whatever is usual

	// Anonymous is all that hides the caller's name and number.
	Anonymous = PrivacyHeader | PrivacyUser | PrivacyID
)

var privacyNames = [...]string{"header", "session", "user", "id", "history", "critical", "none"}

// ParsePrivacy reads a Privacy value. Values nobody knows are left out.
func ParsePrivacy(s string) (p Privacy) {
	for more := true; more; {
		var value string
		value, s, more = strings.Cut(s, ";")
		for i, name := range privacyNames {
			if strings.EqualFold(trim(value), name) {
				p |= 1 << i
			}
		}
	}
	return p
}

// String renders the value, "" for the empty set.
func (p Privacy) String() string {
	var names []string
	for i, name := range privacyNames {
		if p&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ";")
}

// Privacy returns what the Privacy headers ask for together, 0 when absent. Some
// phones separate its values by commas.
func (m *Message) Privacy() (p Privacy) {
	h := header("Privacy")
	for i := m.find(h, 0); i >= 0; i = m.find(h, i+1) {
		p |= ParsePrivacy(strings.ReplaceAll(m.value(&m.fields[i]), ",", ";"))
	}
	return p
}

// Diversion is one value of the Diversion header (RFC 5806 section 4): who
// forwarded the call, the latest first.
type Diversion struct {
	Address
	Reason  string // in lower case: no-answer, user-busy, unconditional …; "unknown" when absent
	Counter int    // forwards this value stands for, 1 to 255
	Private bool   // the diverting party asks not to be shown
}

// Diversions returns every value that can be read, the latest first.
func (m *Message) Diversions() []Diversion {
	var list []Diversion
	for _, a := range m.addresses("Diversion") {
		d := Diversion{Address: a, Reason: "unknown", Counter: 1}
		if v, ok := a.Param("reason"); ok && v != "" {
			d.Reason = strings.ToLower(v)
		}
		if v, ok := a.Param("counter"); ok {
			if n, ok := digits(v, 255); ok && n > 0 {
				d.Counter = int(min(n, 255))
			}
		}
		v, ok := a.Param("privacy")
		d.Private = ok && !strings.EqualFold(v, "off")
		list = append(list, d)
	}
	return list
}

// HistoryEntry is one value of the History-Info header (RFC 7044 section 5): a
// target the request had, the earliest first.
type HistoryEntry struct {
	Address        // its URI without the embedded headers, which are read below
	Index   string // "1.1.2", "" when absent or malformed
	Reasons []Reason
	Privacy Privacy
	// From is the index of the entry this one came of, "" when none is named.
	// Mapped tells that another user was asked for by it (mp), not the same one
	// at another place (rc) or on the way (np).
	From   string
	Mapped bool
	// Cause is the cause parameter of the URI (RFC 4458), 0 when absent: 302
	// unconditional, 486 busy, 408 no answer …
	Cause int
}

// History returns every value that can be read, the earliest first.
func (m *Message) History() []HistoryEntry {
	var list []HistoryEntry
	for _, a := range m.addresses("History-Info") {
		h := HistoryEntry{}
		for _, kv := range a.URI.Headers {
			name, value := escape.Decode(kv.K), Clean(escape.Decode(kv.V))
			switch {
			case strings.EqualFold(name, "Reason"):
				h.addReasons(value)
			case strings.EqualFold(name, "Privacy"):
				h.Privacy |= ParsePrivacy(value)
			}
		}
		a.URI.Headers = nil
		h.Address = a
		h.Index = historyIndex(a, "index")
		for _, how := range [...]string{"rc", "mp", "np"} {
			if from := historyIndex(a, how); from != "" {
				h.Mapped, h.From = how == "mp", from
			}
		}
		if v, ok := Param(a.URI.UriParams, "cause"); ok {
			if n, ok := digits(v, 699); ok && n <= 699 {
				h.Cause = int(n)
			}
		}
		list = append(list, h)
	}
	return list
}

// addReasons reads an embedded Reason header, maxTokens values at most.
func (h *HistoryEntry) addReasons(list string) {
	for more := true; more && len(h.Reasons) < maxTokens; {
		var value string
		value, list, more = cutValue(list)
		if r, ok := ParseReason(value); ok {
			h.Reasons = append(h.Reasons, r)
		}
	}
}

// historyIndex is a parameter that holds an index, "" unless it is digits and
// dots.
func historyIndex(a Address, name string) string {
	v, _ := a.Param(name)
	if strings.Trim(v, "0123456789.") != "" {
		return ""
	}
	return v
}
