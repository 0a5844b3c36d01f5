package load

import (
	"bytes"
	"errors"
)

// message is what a phone needs of a SIP message. Everything points into the
// datagram.
type message struct {
	status int    // 0 for a request
	method []byte // of a request, or of the CSeq for a response
	uri    []byte // of a request
	cseq   []byte // the whole value
	from   []byte
	to     []byte
	callID []byte
	// contact is the URI of the first Contact.
	contact    []byte
	challenges [][]byte // values of WWW- and Proxy-Authenticate
	retryAfter []byte
	vias       [][]byte // whole lines without their ends
	routes     [][]byte // Record-Route values in their order
	body       []byte
}

var errNotSIP = errors.New("not a SIP message a phone can use")

// scan reads a datagram into m, whose slices are used again.
func (m *message) scan(b []byte) error {
	*m = message{challenges: m.challenges[:0], vias: m.vias[:0], routes: m.routes[:0]}
	first, rest, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok || !m.startLine(first) {
		return errNotSIP
	}
	for {
		line, after, ok := bytes.Cut(rest, []byte("\r\n"))
		if !ok {
			return errNotSIP
		}
		if rest = after; len(line) == 0 {
			break
		}
		m.header(line)
	}
	m.body = rest
	if m.callID == nil || m.cseq == nil || m.from == nil || m.to == nil || len(m.vias) == 0 {
		return errNotSIP
	}
	if m.status != 0 {
		_, m.method, _ = bytes.Cut(m.cseq, []byte(" "))
	}
	return nil
}

// startLine reads a status line or a request line.
func (m *message) startLine(line []byte) bool {
	if rest, ok := bytes.CutPrefix(line, []byte("SIP/2.0 ")); ok {
		if len(rest) < 3 {
			return false
		}
		for _, c := range rest[:3] {
			if c < '0' || c > '9' {
				return false
			}
			m.status = m.status*10 + int(c-'0')
		}
		return m.status >= 100 && m.status < 700
	}
	method, rest, ok := bytes.Cut(line, []byte(" "))
	uri, version, ok2 := bytes.Cut(rest, []byte(" "))
	m.method, m.uri = method, uri
	return ok && ok2 && len(method) > 0 && len(uri) > 0 && string(version) == "SIP/2.0"
}

func (m *message) header(line []byte) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return
	}
	name, value = bytes.TrimRight(name, " \t"), bytes.TrimSpace(value)
	switch {
	case is(name, "via", 'v'):
		m.vias = append(m.vias, line)
	case is(name, "from", 'f'):
		m.from = value
	case is(name, "to", 't'):
		m.to = value
	case is(name, "call-id", 'i'):
		m.callID = value
	case is(name, "cseq", 0):
		m.cseq = value
	case is(name, "contact", 'm'):
		if m.contact == nil {
			m.contact = uriOf(value)
		}
	case is(name, "record-route", 0):
		m.routes = append(m.routes, value)
	case is(name, "retry-after", 0):
		m.retryAfter = value
	case is(name, "www-authenticate", 0), is(name, "proxy-authenticate", 0):
		m.challenges = append(m.challenges, value)
	}
}

// is compares a header name with its long and its compact form.
func is(name []byte, long string, compact byte) bool {
	return len(name) == 1 && name[0]|0x20 == compact && compact != 0 ||
		len(name) == len(long) && bytes.EqualFold(name, []byte(long))
}

// uriOf is the URI of a name-addr or addr-spec.
func uriOf(value []byte) []byte {
	if open := bytes.IndexByte(value, '<'); open >= 0 {
		if n := bytes.IndexByte(value[open:], '>'); n > 0 {
			return value[open+1 : open+n]
		}
	}
	uri, _, _ := bytes.Cut(value, []byte(";"))
	return uri
}

// userOf is the user of a sip URI; nil without one.
func userOf(uri []byte) []byte {
	_, rest, _ := bytes.Cut(uri, []byte(":"))
	user, _, ok := bytes.Cut(rest, []byte("@"))
	if !ok {
		return nil
	}
	return user
}

// mediaPort is the port of the first m= line; 0 without one.
func mediaPort(sdp []byte) uint16 {
	_, rest, ok := bytes.Cut(sdp, []byte("m=audio "))
	if !ok {
		return 0
	}
	port := 0
	for _, c := range rest {
		if c < '0' || c > '9' || port > 65535 {
			break
		}
		port = port*10 + int(c-'0')
	}
	if port > 65535 {
		return 0
	}
	return uint16(port)
}

// number reads digits up to the first other byte.
func number(b []byte) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}
