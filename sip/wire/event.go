package wire

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Event is the Event header (RFC 6665 section 8.2.1). Package and ID are compared
// as they are spelled.
type Event struct {
	Package string           // with its templates, such as "presence.winfo"
	ID      string           // "" when absent
	Params  sip.HeaderParams // the other parameters
}

// ParseEvent reads an Event value.
func ParseEvent(s string) (e Event, ok bool) {
	name, params, more := strings.Cut(s, ";")
	e.Package = trim(name)
	if !isToken(e.Package) || more && parseParams(";"+params, &e.Params) != nil {
		return Event{}, false
	}
	id, found := Param(e.Params, "id")
	if found && !isToken(id) || once(e.Params, "id") != nil {
		return Event{}, false
	}
	e.ID = id
	e.Params.Remove("id")
	return e, true
}

// String renders the value.
func (e Event) String() string {
	s := e.Package
	if e.ID != "" {
		s += ";id=" + e.ID
	}
	if len(e.Params) > 0 {
		s += ";" + e.Params.ToString(';')
	}
	return s
}

// Event returns the Event header. In a request that has passed Rules.Validate ok
// is false only when it is absent.
func (m *Message) Event() (e Event, ok bool) {
	value, ok := m.Header("Event")
	if !ok {
		return e, false
	}
	return ParseEvent(value)
}

// The states of a subscription (RFC 6665 section 4.1.3).
const (
	SubscriptionActive     = "active"
	SubscriptionPending    = "pending"
	SubscriptionTerminated = "terminated"
)

// SubscriptionState is the header of the same name (RFC 6665 section 8.2.3).
type SubscriptionState struct {
	State  string // in lower case; another than the three constants counts as active
	Reason string // in lower case, "" when absent
	// Expires and RetryAfter are whole seconds, -1 when absent or malformed.
	Expires    time.Duration
	RetryAfter time.Duration
}

// ParseSubscriptionState reads a Subscription-State value.
func ParseSubscriptionState(s string) (st SubscriptionState, ok bool) {
	state, params, more := strings.Cut(s, ";")
	var p sip.HeaderParams
	if state = trim(state); !isToken(state) || more && parseParams(";"+params, &p) != nil {
		return SubscriptionState{}, false
	}
	reason, _ := Param(p, "reason")
	return SubscriptionState{
		State: strings.ToLower(state), Reason: strings.ToLower(reason),
		Expires: secondsParam(p, "expires"), RetryAfter: secondsParam(p, "retry-after"),
	}, true
}

func secondsParam(p sip.HeaderParams, name string) time.Duration {
	value, _ := Param(p, name)
	if d, ok := deltaSeconds(value); ok {
		return d
	}
	return -1
}

// String renders the value.
func (st SubscriptionState) String() string {
	s := st.State
	if st.Reason != "" {
		s += ";reason=" + st.Reason
	}
	if st.Expires >= 0 {
		s += ";expires=" + strconv.FormatInt(int64(st.Expires/time.Second), 10)
	}
	if st.RetryAfter >= 0 {
		s += ";retry-after=" + strconv.FormatInt(int64(st.RetryAfter/time.Second), 10)
	}
	return s
}

// IfMatch returns the SIP-If-Match of a PUBLISH (RFC 3903 section 11.3.2). In a
// request that has passed Rules.Validate ok is false only when it is absent.
func (m *Message) IfMatch() (tag string, ok bool) { return m.token("SIP-If-Match") }

func (m *Message) token(name string) (string, bool) {
	value, ok := m.Header(name)
	if !ok || !isToken(value) {
		return "", false
	}
	return value, true
}

// Accepts returns how welcome a media type (lower case, without parameters) is in
// answers to this request: its q of the most specific Accept range in
// thousandths, 0 when it is not welcome. Without Accept header ok is false and
// the defaults of the method or event package hold.
func (m *Message) Accepts(media string) (q int, ok bool) {
	if m.first[hdrAccept] == 0 {
		return 0, false
	}
	kind, _, _ := strings.Cut(media, "/")
	best := 0 // how specific: 1 any, 2 any of the kind, 3 the type itself
	l := m.list(wanted{id: hdrAccept})
	for value, more := l.next(); more; value, more = l.next() {
		have, params := mediaType(Clean(value))
		specific := 0
		switch have {
		case "*/*":
			specific = 1
		case kind + "/*":
			specific = 2
		case media:
			specific = 3
		}
		if specific < best || specific == 0 {
			continue
		}
		weight := preference(params)
		if specific > best || weight > q {
			best, q = specific, weight
		}
	}
	return q, true
}

// preference is the q parameter in thousandths, 1000 when absent or malformed.
func preference(p sip.HeaderParams) int {
	if v, ok := Param(p, "q"); ok {
		if q, ok := qvalue(v); ok {
			return q
		}
	}
	return 1000
}
