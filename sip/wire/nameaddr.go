package wire

import (
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// ErrAddress says that a text is no name-addr or addr-spec.
var ErrAddress = errors.New("malformed address")

// Address is a name-addr or addr-spec with header parameters (RFC 3261 section
// 25.1), as Refer-To, P-Asserted-Identity, Diversion and their kin carry it.
type Address struct {
	Display string // plain text, "" when absent
	URI     sip.Uri
	Params  sip.HeaderParams // of the header, not of the URI
}

// ParseAddress reads one value of a header. Its error wraps ErrAddress.
func ParseAddress(s string) (Address, error) {
	var a address
	if err := a.parse(s); err != nil {
		return Address{}, ErrAddress
	}
	return Address{Unescape(a.display), a.uri, a.params}, nil
}

// String renders the value, the URI always in angle brackets.
func (a *Address) String() string {
	var b strings.Builder
	if a.Display != "" {
		b.WriteString(Quote(a.Display))
		b.WriteByte(' ')
	}
	b.WriteByte('<')
	a.URI.StringWrite(&b)
	b.WriteByte('>')
	if len(a.Params) > 0 {
		b.WriteByte(';')
		a.Params.ToStringWrite(';', &b)
	}
	return b.String()
}

// Param returns a header parameter as the function Param does.
func (a *Address) Param(name string) (value string, ok bool) { return Param(a.Params, name) }

// addresses reads every value of a list header that can be read, maxTokens at
// most.
func (m *Message) addresses(name string) []Address {
	if m.find(header(name), 0) < 0 {
		return nil // the usual case, without any allocation
	}
	var list []Address
	for value := range m.Values(name) {
		if len(list) == maxTokens {
			break
		}
		if a, err := ParseAddress(value); err == nil {
			list = append(list, a)
		}
	}
	return list
}
