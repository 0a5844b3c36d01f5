package summary

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Class is a kind of messages (RFC 3458).
type Class int

// The classes, in the order in which they are written.
const (
	Voice Class = iota
	Video
	Fax
	Pager
	Multimedia
	Text
	None
	classes
)

var classNames = [classes]string{
	"Voice-Message", "Video-Message", "Fax-Message", "Pager-Message", "Multimedia-Message", "Text-Message", "None",
}

// String is the name of the line that counts the class.
func (c Class) String() string { return classNames[c] }

// Counts are the messages of one class; the urgent ones are among the others.
type Counts struct{ New, Old, UrgentNew, UrgentOld uint32 }

func (c Counts) plus(d Counts) Counts {
	return Counts{sum(c.New, d.New), sum(c.Old, d.Old), sum(c.UrgentNew, d.UrgentNew), sum(c.UrgentOld, d.UrgentOld)}
}

func sum(a, b uint32) uint32 { return uint32(min(uint64(a)+uint64(b), math.MaxUint32)) }

// Summary is what one account has.
type Summary struct {
	Waiting bool
	// Account is where to fetch the messages, a URI; may be empty.
	Account string
	Counts  [classes]Counts
	// Given has a bit for every class that is mentioned.
	Given [classes]bool
}

// Set gives the counts of one class.
func (s *Summary) Set(c Class, n Counts) {
	s.Counts[c], s.Given[c] = n, true
	s.Waiting = s.Waiting || n.New > 0
}

// Add takes another summary into this one.
func (s *Summary) Add(o Summary) {
	s.Waiting = s.Waiting || o.Waiting
	if s.Account == "" {
		s.Account = o.Account
	}
	for c := range o.Given {
		if o.Given[c] {
			s.Counts[c], s.Given[c] = s.Counts[c].plus(o.Counts[c]), true
		}
	}
}

// String writes the body (RFC 3842 section 5.2).
func (s Summary) String() string {
	var b strings.Builder
	b.WriteString("Messages-Waiting: " + map[bool]string{true: "yes", false: "no"}[s.Waiting] + "\r\n")
	if s.Account != "" {
		b.WriteString("Message-Account: " + s.Account + "\r\n")
	}
	for c, n := range s.Counts {
		if s.Given[c] {
			fmt.Fprintf(&b, "%s: %d/%d (%d/%d)\r\n", classNames[c], n.New, n.Old, n.UrgentNew, n.UrgentOld)
		}
	}
	return b.String()
}

// Errors of Parse; the text names the line.
var (
	// ErrNoStatus: the body does not begin with Messages-Waiting.
	ErrNoStatus = errors.New("first line is not Messages-Waiting: yes or no")
	// ErrLine: a line that is not understood.
	ErrLine = errors.New("malformed line")
)

// longestLine bounds a line of a body.
const longestLine = 1024

// Parse reads a body. Headers of single messages, which may follow after an empty
// line, are left out; so are lines of classes that are not known.
func Parse(body []byte) (Summary, error) {
	var s Summary
	line, rest := cutLine(string(body))
	name, value := field(line)
	switch value = strings.ToLower(value); {
	case !strings.EqualFold(name, "Messages-Waiting"), value != "yes" && value != "no":
		return Summary{}, ErrNoStatus
	}
	s.Waiting = value == "yes"
	for rest != "" {
		line, rest = cutLine(rest)
		if line == "" {
			break
		}
		if err := s.line(line); err != nil {
			return Summary{}, err
		}
	}
	return s, nil
}

func (s *Summary) line(line string) error {
	name, value := field(line)
	if name == "" || len(line) > longestLine {
		return fmt.Errorf("%w: %.20q", ErrLine, line)
	}
	if strings.EqualFold(name, "Message-Account") {
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return fmt.Errorf("%w: %s", ErrLine, "Message-Account")
		}
		s.Account = value
		return nil
	}
	for c := range classes {
		if strings.EqualFold(name, classNames[c]) {
			n, ok := counts(value)
			if !ok || s.Given[c] {
				return fmt.Errorf("%w: %s", ErrLine, classNames[c])
			}
			s.Counts[c], s.Given[c] = n, true
		}
	}
	return nil
}

// counts reads "2/8 (0/2)", the part in parentheses being optional.
func counts(s string) (n Counts, ok bool) {
	all, urgent, more := strings.Cut(s, "(")
	if n.New, n.Old, ok = pair(all); !ok || !more {
		return n, ok
	}
	urgent, closed := strings.CutSuffix(strings.TrimSpace(urgent), ")")
	n.UrgentNew, n.UrgentOld, ok = pair(urgent)
	return n, ok && closed
}

func pair(s string) (first, second uint32, ok bool) {
	a, b, found := strings.Cut(s, "/")
	x, err1 := number(a)
	y, err2 := number(b)
	return x, y, found && err1 == nil && err2 == nil
}

func number(s string) (uint32, error) {
	s = strings.TrimSpace(s)
	if s == "" || s[0] < '0' || s[0] > '9' { // no sign
		return 0, ErrLine
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

func field(line string) (name, value string) {
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return "", ""
	}
	return strings.TrimSpace(name), strings.TrimSpace(value)
}

func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}
