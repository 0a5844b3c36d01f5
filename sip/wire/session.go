package wire

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// The one who refreshes a session (RFC 4028 section 3).
const (
	RefresherUAC = "uac" // who sent the request at hand
	RefresherUAS = "uas" // who answers it
)

// SessionExpires is the header of session timers (RFC 4028 section 4).
type SessionExpires struct {
	Interval  time.Duration // whole seconds, 0 to 2³²−1
	Refresher string        // RefresherUAC, RefresherUAS, or "" when it is left open
}

// ParseSessionExpires reads a Session-Expires value. A refresher that nobody
// knows counts as left open.
func ParseSessionExpires(s string) (e SessionExpires, ok bool) {
	number, params, more := strings.Cut(s, ";")
	if e.Interval, ok = deltaSeconds(number); !ok {
		return SessionExpires{}, false
	}
	var p sip.HeaderParams
	if more && parseParams(";"+params, &p) != nil {
		return SessionExpires{}, false
	}
	switch who, _ := Param(p, "refresher"); {
	case strings.EqualFold(who, RefresherUAC):
		e.Refresher = RefresherUAC
	case strings.EqualFold(who, RefresherUAS):
		e.Refresher = RefresherUAS
	}
	return e, true
}

// String renders the value.
func (e SessionExpires) String() string {
	s := strconv.FormatInt(int64(e.Interval/time.Second), 10)
	if e.Refresher != "" {
		s += ";refresher=" + e.Refresher
	}
	return s
}

// SessionExpires returns the Session-Expires header. In a request that has
// passed Rules.Validate ok is false only when it is absent.
func (m *Message) SessionExpires() (e SessionExpires, ok bool) {
	value, ok := m.Header("Session-Expires")
	if !ok {
		return e, false
	}
	return ParseSessionExpires(value)
}

// MinSE returns the Min-SE header, the shortest session interval somebody on
// the way takes (RFC 4028 section 5). ok is false when it is absent or cannot be
// read; the default is then 90 s.
func (m *Message) MinSE() (d time.Duration, ok bool) { return m.seconds("Min-SE") }

// RetryAfter returns the Retry-After header without its comment and parameters
// (RFC 3261 section 20.33).
func (m *Message) RetryAfter() (d time.Duration, ok bool) { return m.seconds("Retry-After") }

// seconds reads a header that begins with delta-seconds.
func (m *Message) seconds(name string) (time.Duration, bool) {
	value, ok := m.Header(name)
	if !ok {
		return 0, false
	}
	if i := strings.IndexAny(value, ";( \t"); i >= 0 {
		value = value[:i]
	}
	return deltaSeconds(value)
}

// deltaSeconds reads 0 to 2³²−1; more counts as the maximum (S6).
func deltaSeconds(s string) (time.Duration, bool) {
	const longest = 1<<32 - 1
	n, ok := digits(trim(s), longest)
	return time.Duration(min(n, longest)) * time.Second, ok
}

// RSeq returns the number of a reliable provisional response, 1 to 2³²−1
// (RFC 3262 section 7.1). ok is false when it is absent or cannot be read: the
// response is then not to be acknowledged.
func (m *Message) RSeq() (n uint32, ok bool) {
	value, ok := m.Header("RSeq")
	if !ok {
		return 0, false
	}
	return sequence(value)
}

func sequence(s string) (uint32, bool) {
	const longest = 1<<32 - 1
	n, ok := digits(s, longest)
	if !ok || n == 0 || n > longest {
		return 0, false
	}
	return uint32(n), true
}

// RAck names the provisional response a PRACK acknowledges (RFC 3262 section
// 7.2).
type RAck struct {
	RSeq   uint32 // 1 to 2³²−1
	CSeq   uint32 // of the request that was answered, 0 to 2³¹−1
	Method string // of that request, as spelled
}

// ParseRAck reads an RAck value.
func ParseRAck(s string) (r RAck, ok bool) {
	first, rest := word(s)
	second, rest := word(rest)
	method, rest := word(rest)
	n, ok1 := sequence(first)
	seq, ok2 := digits(second, maxCSeq)
	if !ok1 || !ok2 || seq > maxCSeq || !isToken(method) || rest != "" {
		return RAck{}, false
	}
	return RAck{n, uint32(seq), method}, true
}

// word cuts the first of blank-separated words off s.
func word(s string) (first, rest string) {
	s = trim(s)
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], trim(s[i:])
	}
	return s, ""
}

// String renders the value.
func (r RAck) String() string {
	return strconv.FormatUint(uint64(r.RSeq), 10) + " " + strconv.FormatUint(uint64(r.CSeq), 10) + " " + r.Method
}

// RAck returns the RAck header. In a PRACK that has passed Rules.Validate ok is
// false only when it is absent.
func (m *Message) RAck() (r RAck, ok bool) {
	value, ok := m.Header("RAck")
	if !ok {
		return r, false
	}
	return ParseRAck(value)
}
