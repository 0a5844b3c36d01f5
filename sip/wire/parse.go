package wire

import (
	"errors"
	"fmt"
	"strings"
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

// read makes m the message in b. Its lists keep their memory.
func (m *Message) read(b []byte) error {
	m.reset()
	if len(b) > MaxMessage {
		m.split(string(b[:MaxMessage]))
		return m.refuse(513, "Message Too Large")
	}
	m.split(string(b))
	response, err := m.startLine(m.start)
	if err == nil {
		err = m.err
	}
	if err == nil {
		err = m.typed()
	}
	if err == nil {
		err = m.cutBody()
	}
	switch {
	case err == nil:
		return nil
	case response:
		return fmt.Errorf("%w: broken response: %w", ErrUnreadable, err)
	}
	return m.refuse(400, "Bad Request: "+err.Error())
}

// reset forgets what m held but for what typed and startLine set anyway.
func (m *Message) reset() {
	if m.fields == nil {
		m.fields, m.contacts = m.room.fields[:0], m.room.contact[:0]
	}
	m.section = section{fields: m.fields[:0]}
	m.contacts = m.contacts[:0]
	m.status, m.vias, m.routes = 0, 0, 0
	m.maxForwards, m.contentLength = -1, -1
	m.built = built{}
}

// refuse makes the fault of a broken request, or ErrUnreadable.
func (s *section) refuse(status int, reason string) error {
	method, _, _ := strings.Cut(s.start, " ")
	f := &Fault{Status: status, Reason: reason, Method: method, echo: newEcho(s), size: s.size}
	if !f.echo.answerable || isResponse(s.start) {
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
		m.method, m.target = "", URI{}
		return true, nil
	}
	method, rest, ok1 := strings.Cut(s, " ")
	uri, version, ok2 := strings.Cut(rest, " ")
	if !ok1 || !ok2 || !isToken(method) || !isVersion(version) {
		return false, errRequestLine
	}
	m.method, m.version = method, version
	if err := m.target.scan(uri); err != nil {
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
	for i := range m.fields {
		f := &m.fields[i]
		if err := m.typedField(f.id, m.value(f), i); err != nil {
			return bad(m.name(f), err)
		}
	}
	for _, id := range [...]headerID{hdrVia, hdrFrom, hdrTo, hdrCallID, hdrCSeq} {
		if m.first[id] == 0 {
			return bad(headerNames[id], errMissing)
		}
	}
	return nil
}

// typedField reads the i-th line.
func (m *Message) typedField(id headerID, value string, i int) (err error) {
	repeated := int(m.first[id]) != i+1
	switch id {
	case hdrVia:
		return m.addVias(value)
	case hdrFrom, hdrTo, hdrCallID, hdrCSeq, hdrMaxForwards:
		if repeated {
			return errRepeated
		}
	}
	switch id {
	case hdrFrom:
		if err := m.from.scan(value); err != nil {
			return err
		}
		m.fromTag, _, err = identifier(m.from.params, "tag")
	case hdrTo:
		if err := m.to.scan(value); err != nil {
			return err
		}
		m.toTag, m.toTagged, err = identifier(m.to.params, "tag")
	case hdrCallID:
		m.callID = value
		switch {
		case value == "":
			return errEmpty
		case strings.ContainsAny(value, " \t") || Clean(value) != value:
			return errValue // one we could not repeat as it is
		}
	case hdrCSeq:
		return m.setCSeq(value)
	case hdrContact:
		return m.addContacts(value)
	case hdrMaxForwards:
		return m.setMaxForwards(value)
	case hdrContentLength:
		return m.setContentLength(value)
	case hdrRoute, hdrRecordRoute:
		return m.addRoutes(value)
	}
	return err
}

func (m *Message) addVias(list string) error {
	for more := true; more; {
		var value string
		value, list, more = cutValue(list)
		if m.vias == maxVias {
			return errTooMany
		}
		var other hop
		h := &other
		if m.vias == 0 {
			h = &m.top
		}
		if err := h.scan(value, false); err != nil {
			return err
		}
		m.vias++
	}
	return nil
}

func (m *Message) setCSeq(s string) error {
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
		value, list, more = cutValue(list)
		if len(m.contacts) == maxContacts {
			return errTooMany
		}
		m.contacts = append(m.contacts, Contact{})
		if trim(value) == "*" {
			continue
		}
		c := &m.contacts[len(m.contacts)-1]
		if err := c.scan(value); err != nil {
			return err
		}
		if !paramsOK(c.params) {
			return errParam
		}
	}
	return nil
}

// addRoutes checks Route and Record-Route values.
func (m *Message) addRoutes(list string) error {
	for more := true; more; {
		var value string
		value, list, more = cutValue(list)
		var p Party
		if err := p.scan(value); err != nil {
			return err
		}
		if !paramsOK(p.params) {
			return errParam
		}
		if m.routes++; m.routes > maxRoutes {
			return errTooMany
		}
	}
	return nil
}

// cutBody finds the body: Content-Length bytes, or all that is left.
func (m *Message) cutBody() error {
	left := len(m.text) - m.rest
	m.bodyLen = m.contentLength
	if m.bodyLen < 0 {
		m.bodyLen = left
	}
	if m.bodyLen > left {
		return bad("Content-Length", errShortBody)
	}
	return nil
}
