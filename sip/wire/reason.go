package wire

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Reason is one value of the Reason header (RFC 3326 section 2).
type Reason struct {
	Protocol string // SIP, Q.850 …
	Cause    int    // 0 when absent
	Text     string // free text, unquoted
}

// ParseReason reads one value; a malformed cause counts as absent.
func ParseReason(s string) (r Reason, ok bool) {
	protocol, params, more := strings.Cut(s, ";")
	r.Protocol = trim(protocol)
	var p sip.HeaderParams
	if !isToken(r.Protocol) || more && parseParams(";"+params, &p) != nil {
		return Reason{}, false
	}
	cause, _ := Param(p, "cause")
	if n, ok := digits(cause, 999); ok && n <= 999 {
		r.Cause = int(n)
	}
	r.Text, _ = Param(p, "text")
	return r, true
}

// String renders the value.
func (r Reason) String() string {
	var b strings.Builder
	b.WriteString(r.Protocol)
	if r.Cause != 0 {
		b.WriteString(";cause=" + strconv.Itoa(r.Cause))
	}
	if r.Text != "" {
		b.WriteString(";text=" + Quote(r.Text))
	}
	return b.String()
}

// Reasons returns all values of the message's Reason header that can be read.
func (m *Message) Reasons() []Reason {
	if m.find(header("Reason"), 0) < 0 {
		return nil // the usual case, without any allocation
	}
	var list []Reason
	for value := range m.Values("Reason") {
		if r, ok := ParseReason(value); ok {
			list = append(list, r)
		}
	}
	return list
}
