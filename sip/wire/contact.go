package wire

import (
	"strings"
	"time"
)

// Contact is one value of a Contact header.
type Contact struct{ Party }

// Wildcard reports "Contact: *", which has the zero URI.
func (c *Contact) Wildcard() bool { return c.URI.Text == "" }

// Expires returns the expires parameter; ok is false when it is absent. Overlong
// and malformed numbers count as for Message.Expires.
func (c *Contact) Expires() (d time.Duration, ok bool) {
	v, ok := c.Param("expires")
	if !ok {
		return 0, false
	}
	return expires(v), true
}

// Q returns the preference in thousandths, 0 to 1000, 1000 when absent.
func (c *Contact) Q() int {
	if v, ok := c.Param("q"); ok {
		if q, ok := qvalue(v); ok {
			return q
		}
	}
	return 1000
}

// Instance returns the instance id without its angle brackets (RFC 5626 section
// 4.1), "" when absent.
func (c *Contact) Instance() string {
	v, _ := c.Param("+sip.instance")
	return strings.TrimSuffix(strings.TrimPrefix(v, "<"), ">")
}

// RegID returns the flow number of RFC 5626, 0 when absent or malformed.
func (c *Contact) RegID() int {
	v, _ := c.Param("reg-id")
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
