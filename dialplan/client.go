package dialplan

import (
	"strings"
	"time"
)

// Status says whether a client or an extension may be used.
type Status string

// The statuses. A blocked client or extension makes and receives no calls and
// cannot register; to callers it looks as if it did not exist.
const (
	StatusActive  Status = "active"
	StatusBlocked Status = "blocked"
)

func (s Status) valid() bool { return s == StatusActive || s == StatusBlocked }

// Client is a tenant (spec/http-api.md 5.2, http-api-more-b.md): one company
// with its own numbers, that nobody else's numbers can meet.
type Client struct {
	ID   int64  `json:"id"`   // given by the store, never reused
	Name string `json:"name"` // for people; required
	// Prefix stands before every extension name of the client: 3 to 6 digits,
	// unique on the switch.
	Prefix string `json:"prefix"`
	// Domain is the SIP domain and digest realm, lower case.
	Domain string `json:"domain"`
	// DomainPrefix is the domain as digits, exactly 5; calls from other domains
	// dial DomainPrefix*Prefix*name. Empty: not reachable that way.
	DomainPrefix string `json:"domain_prefix"`
	// ExtensionLen is the number of digits of the client's extensions, 2 to 4,
	// fixed after creation.
	ExtensionLen int    `json:"extension_len"`
	Status       Status `json:"status"`
	// Timezone is an IANA zone name, never "Local".
	Timezone string `json:"timezone"`
	// EmergencyNumbers resolve before everything else (F8): up to 16 numbers of
	// 2 to 6 digits.
	EmergencyNumbers []string `json:"emergency_numbers"`
	// Codes is the client's table of dialled codes, at most 100. The compiler
	// refuses a table in which one string could match two codes.
	Codes []Code `json:"codes"`
}

// DefaultClient is a client before its creator has said anything.
func DefaultClient() Client {
	return Client{
		ExtensionLen:     3,
		Status:           StatusActive,
		Timezone:         "UTC",
		EmergencyNumbers: []string{"112", "911"},
	}
}

// Validate reports every field that is out of range as FieldErrors. What only
// shows beside other rows, such as an extension named like an emergency number,
// is for Compile to find.
func (c Client) Validate() error {
	var e FieldErrors
	e.check(c.Name != "" && plainText(c.Name), "name", "must be 1 to 128 bytes of plain text")
	e.check(digits(c.Prefix, 3, 6), "prefix", "must be 3 to 6 digits")
	e.check(domainName(c.Domain), "domain", "must be a domain name in lower case")
	e.check(c.DomainPrefix == "" || digits(c.DomainPrefix, 5, 5), "domain_prefix", "must be 5 digits or empty")
	e.check(c.ExtensionLen >= 2 && c.ExtensionLen <= 4, "extension_len", "must be 2, 3 or 4")
	e.check(c.Status.valid(), "status", "must be active or blocked")
	e.check(zoneName(c.Timezone), "timezone", "must be an IANA zone name")
	e.check(len(c.EmergencyNumbers) <= 16, "emergency_numbers", "must be at most 16")
	for _, n := range c.EmergencyNumbers {
		e.check(digits(n, 2, 6), "emergency_numbers", "each must be 2 to 6 digits")
	}
	e.check(len(c.Codes) <= 100, "codes", "must be at most 100")
	for _, code := range c.Codes {
		if err := code.Validate(); err != nil {
			e.check(false, "codes", err.Error())
		}
	}
	return e.err()
}

// domainName accepts a host name (RFC 3261 25.1 hostname, RFC 952): labels of
// letters, digits and inner hyphens. An IPv4 address passes too.
func domainName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

func zoneName(s string) bool {
	if s == "" || s == "Local" {
		return false
	}
	_, err := time.LoadLocation(s)
	return err == nil
}
