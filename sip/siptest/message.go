package siptest

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Header is one header field, its value as it stood in the message. Compact
// names are spelt out.
type Header struct{ Name, Value string }

// Message is one SIP message (RFC 3261 section 7). Whoever receives one must
// not change it.
type Message struct {
	Method, URI string // of a request
	Code        int    // of a response: 100 to 699
	Reason      string // phrase of a response
	Headers     []Header
	Body        []byte
}

// errUnreadable is wrapped by the errors of parse.
var errUnreadable = errors.New("siptest: not a SIP message")

// parser leaves every value as it stands, except the length it needs itself.
var parser = sip.NewParser(sip.WithHeadersParsers(map[string]sip.HeaderParser{
	"content-length": sip.DefaultHeadersParser()["content-length"],
	"l":              sip.DefaultHeadersParser()["l"],
}))

// compact is the short form of header names (RFC 3261 section 20 and its
// extensions).
var compact = map[string]string{
	"b": "Referred-By", "c": "Content-Type", "e": "Content-Encoding", "f": "From", "i": "Call-ID", "k": "Supported",
	"l": "Content-Length", "m": "Contact", "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via",
}

// parse reads one whole message.
func parse(data []byte) (*Message, error) {
	read, err := parser.ParseSIP(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	m := &Message{Body: bytes.Clone(read.Body())}
	var headers []sip.Header
	switch read := read.(type) {
	case *sip.Request:
		m.Method = string(read.Method)
		line, _, _ := bytes.Cut(data, []byte("\r\n"))
		// The URI as it was sent, not as the parser would write it.
		m.URI = string(bytes.Fields(line)[1])
		headers = read.Headers()
	case *sip.Response:
		m.Code, m.Reason = read.StatusCode, read.Reason
		headers = read.Headers()
	}
	for _, h := range headers {
		name := h.Name()
		if long, ok := compact[strings.ToLower(name)]; ok {
			name = long
		}
		m.Headers = append(m.Headers, Header{name, h.Value()})
	}
	for _, must := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		if m.Header(must) == "" {
			return nil, fmt.Errorf("%w: no %s", errUnreadable, must)
		}
	}
	return m, nil
}

// IsRequest tells a request from a response.
func (m *Message) IsRequest() bool { return m.Method != "" }

// Header returns the first value of a header field, or "". The name is not
// case-sensitive.
func (m *Message) Header(name string) string {
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// Values returns all values of a header field; one line with several of them
// separated by commas is several values.
func (m *Message) Values(name string) []string {
	var out []string
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			out = append(out, splitList(h.Value)...)
		}
	}
	return out
}

// String renders the message as it goes over the wire, with a Content-Length of
// its own.
func (m *Message) String() string {
	var b strings.Builder
	if m.IsRequest() {
		fmt.Fprintf(&b, "%s %s SIP/2.0\r\n", m.Method, m.URI)
	} else {
		fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", m.Code, m.Reason)
	}
	for _, h := range m.Headers {
		if !strings.EqualFold(h.Name, "Content-Length") {
			fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
		}
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(m.Body), m.Body)
	return b.String()
}

// startLine is the first line without the version: "INVITE sip:…" or "200 OK".
func (m *Message) startLine() string {
	if m.IsRequest() {
		return m.Method + " " + m.URI
	}
	return strconv.Itoa(m.Code) + " " + m.Reason
}

// add appends header fields, given as name, value, name, value …
func (m *Message) add(pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		m.Headers = append(m.Headers, Header{pairs[i], pairs[i+1]})
	}
}

// set replaces the first field of that name or appends one.
func (m *Message) set(name, value string) {
	for i, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			m.Headers[i].Value = value
			return
		}
	}
	m.add(name, value)
}

func (m *Message) body(contentType string, body []byte) {
	if body != nil {
		m.add("Content-Type", contentType)
		m.Body = body
	}
}

// hasSDP is true for a message with a session description.
func (m *Message) hasSDP() bool {
	kind, _, _ := strings.Cut(m.Header("Content-Type"), ";")
	return len(m.Body) > 0 && strings.EqualFold(strings.TrimSpace(kind), "application/sdp")
}

func (m *Message) callID() string { return m.Header("Call-ID") }

// cseq returns number and method of the CSeq.
func (m *Message) cseq() (uint32, string) {
	fields := strings.Fields(m.Header("CSeq"))
	if len(fields) != 2 {
		return 0, ""
	}
	n, err := strconv.ParseUint(fields[0], 10, 32)
	if err != nil {
		return 0, ""
	}
	return uint32(n), fields[1]
}

// branch is the transaction id of the topmost Via (RFC 3261 section 8.1.1.7).
func (m *Message) branch() string {
	if vias := m.Values("Via"); len(vias) > 0 {
		return param(vias[0], "branch")
	}
	return ""
}

func (m *Message) fromTag() string { return tagOf(m.Header("From")) }
func (m *Message) toTag() string   { return tagOf(m.Header("To")) }

// tagOf returns the tag of a From or To value.
func tagOf(value string) string {
	_, params := splitAddress(value)
	return param(";"+params, "tag")
}

// splitAddress takes a name-addr or addr-spec apart: its URI, and its header
// parameters without the first semicolon (RFC 3261 section 20.10).
func splitAddress(value string) (uri, params string) {
	rest := strings.TrimSpace(value)
	if strings.HasPrefix(rest, `"`) {
		for i := 1; i < len(rest); i++ {
			if rest[i] == '\\' {
				i++
			} else if rest[i] == '"' {
				rest = rest[i+1:]
				break
			}
		}
	}
	if _, after, ok := strings.Cut(rest, "<"); ok {
		uri, rest, _ = strings.Cut(after, ">")
		return uri, strings.TrimLeft(rest, "; ")
	}
	uri, params, _ = strings.Cut(rest, ";")
	return strings.TrimSpace(uri), params
}

// param returns a parameter of a value whose parameters begin after the first
// semicolon.
func param(value, name string) string {
	parts := strings.Split(value, ";")
	for _, p := range parts[min(1, len(parts)):] {
		k, v, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return ""
}

// splitList splits at commas outside quotes and angle brackets.
func splitList(value string) []string {
	var out []string
	quoted, angled, start := false, false, 0
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angled = true
		case c == '>':
			angled = false
		case c == ',' && !angled:
			out = append(out, strings.TrimSpace(value[start:i]))
			start = i + 1
		}
	}
	return append(out, strings.TrimSpace(value[start:]))
}

// uriAddress finds where a SIP URI with an IP address points to, and the
// transport it names ("" when it names none).
func uriAddress(uri string) (netip.AddrPort, string, error) {
	var u sip.Uri
	if err := sip.ParseUri(uri, &u); err != nil {
		return netip.AddrPort{}, "", fmt.Errorf("siptest: uri %q: %w", uri, err)
	}
	ip, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	if err != nil {
		return netip.AddrPort{}, "", fmt.Errorf("siptest: uri %q names no IP address, and this phone has no switch to ask: %w", uri, err)
	}
	port := u.Port
	if port == 0 {
		port = 5060
	}
	transport, _ := u.UriParams.Get("transport")
	return netip.AddrPortFrom(ip, uint16(port)), strings.ToLower(transport), nil
}
