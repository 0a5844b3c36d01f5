package wire

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Contact is one value of a Contact header.
type Contact struct {
	*sip.ContactHeader
}

// Wildcard reports "Contact: *".
func (c Contact) Wildcard() bool { return c.Address.Wildcard }

// Expires returns the expires parameter; ok is false when it is absent. Overlong
// and malformed numbers count as for Message.Expires.
func (c Contact) Expires() (d time.Duration, ok bool) {
	v, ok := Param(c.Params, "expires")
	if !ok {
		return 0, false
	}
	return expires(v), true
}

// Q returns the preference in thousandths, 0 to 1000, 1000 when absent.
func (c Contact) Q() int {
	if v, ok := Param(c.Params, "q"); ok {
		if q, ok := qvalue(v); ok {
			return q
		}
	}
	return 1000
}

// Instance returns the instance id without its angle brackets (RFC 5626 section
// 4.1), "" when absent.
func (c Contact) Instance() string {
	v, _ := Param(c.Params, "+sip.instance")
	return strings.TrimSuffix(strings.TrimPrefix(v, "<"), ">")
}

// RegID returns the flow number of RFC 5626, 0 when absent or malformed.
func (c Contact) RegID() int {
	v, _ := Param(c.Params, "reg-id")
	n, ok := digits(v, 1<<31-1)
	if !ok || n > 1<<31-1 {
		return 0
	}
	return int(n)
}

// expires reads delta-seconds, 0 to 2³²−1.
func expires(s string) time.Duration {
	const longest = 1<<32 - 1
	n, ok := digits(trim(s), longest)
	if !ok {
		return time.Hour
	}
	return time.Duration(min(n, longest)) * time.Second
}

// qvalue reads a number from 0 to 1 with at most three decimals.
func qvalue(s string) (thousandths int, ok bool) {
	whole, part, dot := strings.Cut(s, ".")
	if whole != "0" && whole != "1" || len(part) > 3 {
		return 0, false
	}
	if dot && part != "" {
		n, ok := digits(part, 999)
		if !ok {
			return 0, false
		}
		for range 3 - len(part) {
			n *= 10
		}
		thousandths = int(n)
	}
	if whole == "1" {
		thousandths += 1000
	}
	return thousandths, thousandths <= 1000
}

// Reason is one value of the Reason header (RFC 3326).
type Reason struct {
	Protocol string // SIP, Q.850 …
	Cause    int    // 0 when absent
	Text     string // free text, unquoted
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
	var list []Reason
	for value := range m.Values("Reason") {
		protocol, params, _ := strings.Cut(value, ";")
		r := Reason{Protocol: trim(protocol)}
		var p sip.HeaderParams
		if !isToken(r.Protocol) || params != "" && parseParams(";"+params, &p) != nil {
			continue
		}
		cause, _ := Param(p, "cause")
		if n, ok := digits(cause, 999); ok && n <= 999 {
			r.Cause = int(n)
		}
		r.Text, _ = Param(p, "text")
		list = append(list, r)
	}
	return list
}
