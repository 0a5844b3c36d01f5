package wire

import (
	"errors"
	"iter"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ErrUnreadable says that the bytes are no SIP message that could be answered:
// no start line, a broken response, or a request without a readable top Via.
// Such input is counted and dropped.
var ErrUnreadable = errors.New("unreadable message")

// Head is what Peek learns of a datagram. Its slices point into the datagram.
type Head struct {
	Request   bool   // a request; otherwise a response or a keep-alive
	InDialog  bool   // the To header carries a tag
	KeepAlive bool   // nothing but CR, LF and NUL (RFC 5626 section 4.4)
	Method    []byte // of a request, as spelled
	Status    int    // of a response, 100 to 699
	CallID    []byte // nil when there is none
}

// Field is one header as it will be written. Name and Value are cleaned of
// CR, LF, NUL and other control characters when they are rendered.
type Field struct{ Name, Value string }

// Message is one parsed SIP message. Exactly one of Request and Response is
// not nil. Read it through its methods: they see headers case insensitively,
// know compact names and unquote parameters.
type Message struct {
	req  *sip.Request
	res  *sip.Response
	size int
}

// Contact is one value of a Contact header.
type Contact struct {
	*sip.ContactHeader
}

func (m *Message) Request() *sip.Request                  { return m.req }
func (m *Message) Response() *sip.Response                { return m.res }
func (m *Message) IsRequest() bool                        { return m.req != nil }
func (m *Message) Size() int                              { return m.size }
func (m *Message) Method() string                         { return "" }
func (m *Message) Status() int                            { return 0 }
func (m *Message) Reason() string                         { return "" }
func (m *Message) URI() *sip.Uri                          { return nil }
func (m *Message) Via() *sip.ViaHeader                    { return nil }
func (m *Message) Branch() string                         { return "" }
func (m *Message) From() *sip.FromHeader                  { return nil }
func (m *Message) To() *sip.ToHeader                      { return nil }
func (m *Message) FromTag() string                        { return "" }
func (m *Message) ToTag() string                          { return "" }
func (m *Message) CallID() string                         { return "" }
func (m *Message) CSeq() (seq uint32, method string)      { return 0, "" }
func (m *Message) MaxForwards() (hops int, ok bool)       { return 0, false }
func (m *Message) Expires() (time.Duration, bool)         { return 0, false }
func (m *Message) Contacts() []Contact                    { return nil }
func (m *Message) Header(name string) (string, bool)      { return "", false }
func (m *Message) Values(name string) iter.Seq[string]    { return func(func(string) bool) {} }
func (m *Message) Has(name, token string) bool            { return false }
func (m *Message) Body() []byte                           { return nil }
func (m *Message) MediaType() string                      { return "" }
func (m *Message) RecordRoutes() []*sip.RecordRouteHeader { return nil }
func (m *Message) Routes() []*sip.RouteHeader             { return nil }

// Wildcard reports "Contact: *".
func (c Contact) Wildcard() bool                 { return false }
func (c Contact) Expires() (time.Duration, bool) { return 0, false }
func (c Contact) Q() int                         { return 1000 }
func (c Contact) Instance() string               { return "" }
func (c Contact) RegID() int                     { return 0 }

// Param returns a header or URI parameter by name without regard to case,
// unquoted.
func Param(p sip.HeaderParams, name string) (string, bool) { return "", false }

// Peek classifies a datagram without parsing it and without allocating. It
// reports false when the bytes cannot be SIP.
func Peek(b []byte) (Head, bool) { return Head{}, false }

// Parse reads one whole message. The error is a *Fault when it can be answered
// and wraps ErrUnreadable otherwise. b may be reused afterwards.
func Parse(b []byte) (*Message, error) { return nil, ErrUnreadable }

// Fault is a request that cannot be processed, and its answer.
type Fault struct {
	Status int     // 400 to 699
	Reason string  // names the header at fault
	Method string  // of the request; an ACK is never answered
	Extra  []Field // Unsupported, Accept, Allow …
	echo   echo
}

type echo struct{}

func (f *Fault) Error() string { return f.Reason }

// Reply renders the stateless answer (RFC 3261 section 8.2.7) or nil when the
// request is an ACK. source is where the request came from.
func (f *Fault) Reply(source netip.AddrPort, toTag string) []byte { return nil }

// Rules is what this user agent accepts.
type Rules struct {
	Methods    []string                  // implemented: others get 501 and Allow
	Extensions []string                  // option tags that Require may name: others get 420
	Bodies     []string                  // media types, lower case: others get 415
	Listening  func(netip.AddrPort) bool // our own SIP addresses, not allowed in Contact (S14); may be nil
}

// Validate checks a parsed message. nil means it may be processed; a response
// that fails must be dropped.
func (r *Rules) Validate(m *Message) *Fault { return nil }

// StatelessReply renders an answer to m without keeping anything. nil for ACK.
func StatelessReply(m *Message, source netip.AddrPort, status int, reason, toTag string, extra ...Field) []byte {
	return nil
}

// NewResponse builds an answer to m: Via with received and rport set, From,
// To with toTag (unless it has one or toTag is empty), Call-ID, CSeq, and
// Record-Route where a dialog may come of it.
func NewResponse(m *Message, source netip.AddrPort, status int, reason, toTag string) *sip.Response {
	return nil
}

// StampVia sets received and rport of the top Via to the packet's source
// (RFC 3581 section 4).
func StampVia(m *Message, source netip.AddrPort) {}

// ReplyTo returns where the answer to a UDP request goes (S11).
func ReplyTo(m *Message, source netip.AddrPort) netip.AddrPort { return source }

// Append renders a sipgo message to dst (S15). Content-Length is always right.
func Append(dst []byte, m sip.Message) []byte { return dst }

// Clean makes text from outside safe to go into a header, log or store (S15).
func Clean(s string) string { return s }

// Quote renders s as a quoted-string.
func Quote(s string) string { return s }

// Reason is one value of the Reason header (RFC 3326).
type Reason struct {
	Protocol string // SIP, Q.850 …
	Cause    int    // 0 when absent
	Text     string
}

func (r Reason) String() string { return "" }

// Reasons returns all values of the Reason header of m.
func Reasons(m *Message) []Reason { return nil }
