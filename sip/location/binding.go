package location

import (
	"net/netip"
	"time"
)

// Flow is the way back to a phone (RFC 5626): a listener and a remote address over
// UDP, a connection over a stream. Its strings are kept as they are: they must not
// point into a packet.
type Flow struct {
	Transport string         `json:"transport"` // UDP, TCP, TLS, WS or WSS
	Listener  string         `json:"listener"`  // name of the listener the REGISTER came to
	Remote    netip.AddrPort `json:"remote"`    // where requests to the phone go
	// Conn numbers a stream connection within this process; 0 means UDP.
	Conn uint64 `json:"-"`
}

// Stream reports whether the flow is a connection that can be lost.
func (f Flow) Stream() bool { return f.Transport != "UDP" }

// Binding is one contact of an extension.
type Binding struct {
	// ID is the registration_id of the HTTP API: 32 hex digits from crypto/rand,
	// kept while the same device stays registered.
	ID        string         `json:"id"`
	Extension int64          `json:"-"` // the key of its record
	Node      string         `json:"node"`
	Flow      Flow           `json:"flow"`
	Source    netip.AddrPort `json:"source"`  // where the REGISTER really came from
	Contact   string         `json:"contact"` // URI as the phone wrote it, without < >
	Path      []string       `json:"path,omitempty"`
	Instance  string         `json:"instance,omitempty"` // +sip.instance, unquoted
	RegID     int            `json:"reg_id,omitempty"`
	UserAgent string         `json:"user_agent,omitempty"`
	CallID    string         `json:"call_id"`
	CSeq      uint32         `json:"cseq"`
	Q         int            `json:"q"` // 0 to 1000, thousandths
	// Registered is when the device first came, Refreshed when it last did.
	Registered time.Time `json:"registered"`
	Refreshed  time.Time `json:"refreshed"`
	// Expires is when the binding ends. After a restart that may be later than
	// what was granted, see Open.
	Expires time.Time `json:"expires"`
	// Granted is the interval of the last REGISTER in seconds.
	Granted int `json:"granted"`
	// Suspended: the connection is lost and the phone has not come back yet; it
	// cannot be reached now (L2, L5).
	Suspended bool `json:"-"`
}

// Remaining is how long the binding still lives, in whole seconds rounded up;
// 0 when it has ended.
func (b *Binding) Remaining(now time.Time) int {
	return int(max(0, b.Expires.Sub(now)+time.Second-1) / time.Second)
}

// granted is until when the last REGISTER we know of was granted.
func (b *Binding) granted() time.Time {
	return b.Refreshed.Add(time.Duration(b.Granted) * time.Second)
}

// Record is everything the store keeps about one extension, under its id.
type Record struct {
	Extension int64     `json:"extension"`
	Bindings  []Binding `json:"bindings,omitempty"`
	// Ended is the last known set of an extension that has no binding.
	Ended []Binding `json:"ended,omitempty"`
}
