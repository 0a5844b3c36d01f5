package wire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// ErrUnreadable says that the bytes are no SIP message that could be answered:
// no start line, a broken response, or a request without a readable top Via.
// Such input is counted and dropped.
var ErrUnreadable = errors.New("unreadable message")

const maxCSeq = 1<<31 - 1

// Parse reads one whole message: a datagram, or a frame of a stream. What
// follows Content-Length is discarded (S7). The error is a *Fault when it can
// be answered and wraps ErrUnreadable otherwise; neither quotes the message. b
// may be reused afterwards.
func Parse(b []byte) (*Message, error) {
	m := new(Message)
	if err := m.read(b); err != nil {
		return nil, err
	}
	return m, nil
}

// read makes m the message in b.
func (m *Message) read(b []byte) error {
	if len(b) > MaxMessage {
		l := split(string(b[:MaxMessage]), nil)
		return refuse(l, 513, "Message Too Large")
	}
	*m = Message{size: len(b)}
	l := split(string(b), m.room.fields[:0])
	m.fields = l.fields
	response, err := m.startLine(l.start)
	if err == nil {
		err = l.err
	}
	if err == nil {
		err = m.typed()
	}
	if err == nil {
		err = m.cutBody(l.rest)
	}
	switch {
	case err == nil:
		return nil
	case response:
		return fmt.Errorf("%w: broken response: %w", ErrUnreadable, err)
	}
	return refuse(l, 400, "Bad Request: "+err.Error())
}

// refuse makes the fault of a broken request, or ErrUnreadable.
func refuse(l lines, status int, reason string) error {
	method, _, _ := strings.Cut(l.start, " ")
	f := &Fault{Status: status, Reason: reason, Method: method, echo: newEcho(l.fields), size: l.size}
	if f.echo.via == nil || isResponse(l.start) {
		return fmt.Errorf("%w: no top Via", ErrUnreadable)
	}
	return f
}

func isResponse(start string) bool {
	return len(start) >= 4 && strings.EqualFold(start[:4], "SIP/")
}

var (
	errRequestLine = errors.New("malformed request line")
	errRequestURI  = errors.New("malformed Request-URI")
	errStatusLine  = errors.New("malformed status line")
)

// startLine reads Request-Line or Status-Line (RFC 3261 sections 7.1, 7.2). The
// method keeps its spelling: methods are case sensitive.
func (m *Message) startLine(s string) (response bool, err error) {
	if isResponse(s) {
		version, rest, _ := strings.Cut(s, " ")
		code, reason, _ := strings.Cut(rest, " ")
		n, ok := digits(code, 699)
		if !ok || len(code) != 3 || n < 100 || n > 699 {
			return true, errStatusLine
		}
		m.version, m.status, m.reason = version, int(n), reason
		return true, nil
	}
	method, rest, ok1 := strings.Cut(s, " ")
	uri, version, ok2 := strings.Cut(rest, " ")
	if !ok1 || !ok2 || !isToken(method) || !isVersion(version) {
		return false, errRequestLine
	}
	m.method, m.version, m.uriText = method, version, uri
	if err := parseURI(uri, &m.uri); err != nil {
		return false, errRequestURI
	}
	return false, nil
}

// isVersion reports "SIP/" digits "." digits.
func isVersion(s string) bool {
	if !isResponse(s) {
		return false
	}
	major, minor, found := strings.Cut(s[4:], ".")
	_, ok1 := digits(major, 99)
	_, ok2 := digits(minor, 99)
	return found && ok1 && ok2
}

// bad names the header at fault and says what is wrong with it.
func bad(header string, err error) error { return fmt.Errorf("%s: %w", header, err) }

var (
	errMissing   = errors.New("missing")
	errRepeated  = errors.New("more than one")
	errNumber    = errors.New("malformed number")
	errRange     = errors.New("number out of range")
	errTooMany   = errors.New("too many values")
	errEmpty     = errors.New("empty")
	errShortBody = errors.New("longer than the message")
)

// typed reads the headers every message is handled by.
func (m *Message) typed() error {
	m.maxForwards, m.contentLength = -1, -1
	for i := range m.fields {
		f := &m.fields[i]
		if err := m.typedField(f); err != nil {
			return bad(f.name, err)
		}
	}
	switch {
	case len(m.vias) == 0:
		return bad("Via", errMissing)
	case m.from == nil:
		return bad("From", errMissing)
	case m.to == nil:
		return bad("To", errMissing)
	case m.callID == "":
		return bad("Call-ID", errMissing)
	case m.cseqMethod == "":
		return bad("CSeq", errMissing)
	}
	return nil
}

func (m *Message) typedField(f *field) error {
	switch f.id {
	case hdrVia:
		return m.addVias(f.value)
	case hdrFrom:
		if m.from != nil {
			return errRepeated
		}
		a, err := m.tagged(f.value)
		m.from, m.fromText = &m.room.from, a.text
		*m.from = sip.FromHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
		return err
	case hdrTo:
		if m.to != nil {
			return errRepeated
		}
		a, err := m.tagged(f.value)
		m.to, m.toText = &m.room.to, a.text
		*m.to = sip.ToHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
		return err
	case hdrCallID:
		switch {
		case m.callID != "":
			return errRepeated
		case f.value == "":
			return errEmpty
		case strings.ContainsAny(f.value, " \t") || Clean(f.value) != f.value:
			return errValue // one we could not repeat as it is
		}
		m.callID = f.value
	case hdrCSeq:
		return m.setCSeq(f.value)
	case hdrContact:
		return m.addContacts(f.value)
	case hdrMaxForwards:
		return m.setMaxForwards(f.value)
	case hdrContentLength:
		return m.setContentLength(f.value)
	case hdrRoute, hdrRecordRoute:
		return m.addRoutes(f)
	}
	return nil
}

func (m *Message) addVias(list string) error {
	for more := true; more; {
		var value string
		value, list, more, _ = cut(list, ',')
		via := m.nextVia(value)
		if err := readVia(via, value, false); err != nil {
			return err
		}
		if len(m.vias) == maxVias {
			return errTooMany
		}
		m.vias = append(m.vias, via)
	}
	return nil
}

func (m *Message) setCSeq(s string) error {
	if m.cseqMethod != "" {
		return errRepeated
	}
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return errValue
	}
	n, ok := digits(s[:i], maxCSeq)
	method := trim(s[i:])
	switch {
	case !ok:
		return errNumber
	case n > maxCSeq:
		return errRange
	case !isToken(method):
		return errValue
	}
	m.cseq, m.cseqMethod = uint32(n), method
	return nil
}

func (m *Message) setMaxForwards(s string) error {
	n, ok := digits(s, 255)
	switch {
	case m.maxForwards >= 0:
		return errRepeated
	case !ok:
		return errNumber
	case n > 255:
		return errRange
	}
	m.maxForwards = int(n)
	return nil
}

func (m *Message) setContentLength(s string) error {
	n, ok := digits(s, MaxMessage)
	switch {
	case !ok:
		return errNumber
	case n > MaxMessage:
		return errShortBody
	case m.contentLength >= 0 && m.contentLength != int(n):
		return errRepeated
	}
	m.contentLength = int(n)
	return nil
}

func (m *Message) addContacts(list string) error {
	for more := true; more; {
		var value string
		value, list, more, _ = cut(list, ',')
		c := m.nextContact()
		if trim(value) == "*" {
			c.Address = sip.Uri{Host: "*", Wildcard: true}
		} else {
			a := m.scratch(value)
			if err := a.parse(value); err != nil {
				return err
			}
			c.DisplayName, c.Address, c.Params = a.display, a.uri, a.params
		}
		if len(m.contacts) == maxContacts {
			return errTooMany
		}
		m.contacts = append(m.contacts, c)
	}
	return nil
}

// addRoutes checks Route and Record-Route values and keeps the routes.
func (m *Message) addRoutes(f *field) error {
	list := f.value
	for more := true; more; {
		var value string
		value, list, more, _ = cut(list, ',')
		var a address
		if err := a.parse(value); err != nil {
			return err
		}
		if len(m.routes)+len(m.recordRoutes) == maxRoutes {
			return errTooMany
		}
		if f.id == hdrRoute {
			m.routes = append(m.routes, a.uri)
		} else {
			m.recordRoutes = append(m.recordRoutes, a.uri)
		}
	}
	return nil
}

// cutBody takes the body: Content-Length bytes, or all that is left.
func (m *Message) cutBody(rest string) error {
	n := m.contentLength
	if n < 0 {
		n = len(rest)
	}
	if n > len(rest) {
		return bad("Content-Length", errShortBody)
	}
	if n > 0 {
		m.body = []byte(rest[:n])
	}
	return nil
}
