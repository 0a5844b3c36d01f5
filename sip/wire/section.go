package wire

import (
	"errors"
	"strings"
)

// field is one header line, as places in the text.
type field struct {
	name, value       uint32 // where they begin
	nameLen, valueLen uint16 // the value without blanks at its ends
	id                headerID
}

var (
	errNoColon   = errors.New("header line without name")
	errBareCR    = errors.New("carriage return inside a header")
	errLongLine  = errors.New("header line too long")
	errManyLines = errors.New("too many headers")
	errCutOff    = errors.New("header section cut off")
)

// section is a message cut into lines but not understood.
type section struct {
	text   string // unfolded; never changes
	start  string // the start line
	fields []field
	rest   int // where what follows the empty line begins
	// first tells the first line of a known header, counted from 1; 0: none.
	first [len(headerNames)]uint8
	err   error // the first thing wrong with it
	size  int   // bytes it came in
}

// split cuts up a message. It goes on after an error, because the answer to a
// broken request still needs its other headers. Line ends may be CRLF or LF,
// and empty lines before the start line are skipped (RFC 3261 section 7.5).
func (s *section) split(text string) {
	s.size = len(text)
	text = strings.TrimLeft(text, "\r\n\x00")
	s.text = text
	var at int
	s.start, at, _ = s.line(0)
	for at < len(s.text) {
		line, next, ended := s.line(at)
		if line == "" && ended {
			s.rest = next
			return
		}
		if !ended {
			s.note(errCutOff)
			break
		}
		if next < len(s.text) && isBlank(s.text[next]) {
			s.text = s.text[:at] + unfold(s.text[at:])
			line, next, _ = s.line(at)
		}
		s.add(line, at)
		at = next
	}
	// The header section ends with the datagram. Two messages of RFC 5118
	// are published this way, and nothing is lost: there is no body.
	s.rest = len(s.text)
}

// line is the line at a place, without its end, and where the next begins. ended
// is false when there is no line end.
func (s *section) line(at int) (line string, next int, ended bool) {
	i := strings.IndexByte(s.text[at:], '\n')
	if i < 0 {
		return s.text[at:], len(s.text), false
	}
	end := at + i
	if end > at && s.text[end-1] == '\r' {
		return s.text[at : end-1], end + 1, true
	}
	return s.text[at:end], end + 1, true
}

func (s *section) note(err error) {
	if s.err == nil {
		s.err = err
	}
}

// add takes one header line, which begins at a place of the text.
func (s *section) add(line string, at int) {
	if len(line) > maxLine {
		s.note(errLongLine)
		return
	}
	if len(s.fields) >= maxHeaders {
		s.note(errManyLines)
		return
	}
	if strings.IndexByte(line, '\r') >= 0 {
		s.note(errBareCR)
		return
	}
	colon := strings.IndexByte(line, ':')
	if colon < 0 {
		s.note(errNoColon)
		return
	}
	name, value := trim(line[:colon]), trim(line[colon+1:])
	id := lookUp(name)
	if id == hdrOther && !isToken(name) {
		s.note(errNoColon)
		return
	}
	f := field{name: uint32(at), nameLen: uint16(len(name)), valueLen: uint16(len(value)), id: id}
	for isBlank(s.text[f.name]) && name != "" {
		f.name++
	}
	f.value = uint32(at + colon + 1)
	for value != "" && isBlank(s.text[f.value]) {
		f.value++
	}
	s.fields = append(s.fields, f)
	if id != hdrOther && s.first[id] == 0 {
		s.first[id] = uint8(len(s.fields))
	}
}

// value returns a line's value as it came.
func (s *section) value(f *field) string { return s.text[f.value:][:f.valueLen] }

// name returns a line's name, in its usual spelling if it is known.
func (s *section) name(f *field) string {
	if f.id != hdrOther {
		return headerNames[f.id]
	}
	return s.text[f.name:][:f.nameLen]
}

// get returns the first line of a known header as it came, "" when absent.
func (s *section) get(id headerID) (value string, ok bool) {
	n := s.first[id]
	if n == 0 {
		return "", false
	}
	return s.value(&s.fields[n-1]), true
}

// only is get for a header that is there, "" otherwise.
func (s *section) only(id headerID) string {
	value, _ := s.get(id)
	return value
}

// wanted is a header somebody looks for.
type wanted struct {
	id   headerID
	name string // of an unknown one
}

// find returns the index of the next line of a header at or after i, -1 when
// there is none.
func (s *section) find(h wanted, i int) int {
	if h.id != hdrOther {
		n := int(s.first[h.id])
		if n == 0 {
			return -1
		}
		i = max(i, n-1)
	}
	for ; i < len(s.fields); i++ {
		f := &s.fields[i]
		if f.id == h.id && (h.id != hdrOther || strings.EqualFold(s.name(f), h.name)) {
			return i
		}
	}
	return -1
}

// list walks over the values of all lines of a list header (Supported, Accept …).
type list struct {
	s    *section
	h    wanted
	i    int // the next line
	rest string
	more bool
}

func (s *section) list(h wanted) list { return list{s: s, h: h} }

// next returns the next value, without blanks at its ends; it may be empty.
func (l *list) next() (value string, ok bool) {
	if !l.more {
		i := l.s.find(l.h, l.i)
		if i < 0 {
			return "", false
		}
		l.rest, l.i = l.s.value(&l.s.fields[i]), i+1
	}
	value, l.rest, l.more = cutValue(l.rest)
	return trim(value), true
}

// cutValue cuts the first value off a list.
func cutValue(list string) (value, rest string, more bool) {
	if strings.IndexByte(list, ',') < 0 {
		return list, "", false
	}
	value, rest, more, _ = cut(list, ',')
	return value, rest, more
}

func header(name string) wanted { return wanted{lookUp(name), name} }

// unfold rewrites a header section and what follows it without folds, each
// becoming one space (RFC 3261 section 7.3.1).
func unfold(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 2)
	for text != "" {
		line, rest, ended := cutLine(text)
		if line == "" || !ended {
			break
		}
		b.WriteString(line)
		for rest != "" && isBlank(rest[0]) {
			line, rest, _ = cutLine(rest)
			b.WriteByte(' ')
			b.WriteString(trim(line))
		}
		b.WriteString("\r\n")
		text = rest
	}
	b.WriteString(text)
	return b.String()
}

// cutLine returns the first line of s without its end. ended is false when s
// has no further line end.
func cutLine(s string) (line, rest string, ended bool) {
	i := strings.IndexByte(s, '\n')
	if i < 0 {
		return s, "", false
	}
	line, rest = s[:i], s[i+1:]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, rest, true
}
