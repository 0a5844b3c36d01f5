package wire

import (
	"errors"
	"strings"
)

// Limits of requirement S5.
const (
	// MaxMessage is the longest message in bytes, header and body together.
	MaxMessage = 64 << 10

	maxLine     = 8 << 10
	maxHeaders  = 200
	maxVias     = 70
	maxRoutes   = 30
	maxContacts = 10
	maxTokens   = 32
)

// headerID names the headers this package reads itself.
type headerID uint8

const (
	hdrOther headerID = iota
	hdrVia
	hdrFrom
	hdrTo
	hdrCallID
	hdrCSeq
	hdrContact
	hdrMaxForwards
	hdrContentLength
	hdrContentType
	hdrRoute
	hdrRecordRoute
	hdrExpires
)

type headerName struct {
	name string
	id   headerID
}

// headerNames maps lower-case and compact names (RFC 3261 section 7.3.3 and the
// IANA registry) to the usual spelling, which sipgo's look-ups depend on.
var headerNames = headerTable()

func headerTable() map[string]headerName {
	t := map[string]headerName{
		"via": {"Via", hdrVia}, "from": {"From", hdrFrom}, "to": {"To", hdrTo},
		"call-id": {"Call-ID", hdrCallID}, "cseq": {"CSeq", hdrCSeq}, "contact": {"Contact", hdrContact},
		"max-forwards": {"Max-Forwards", hdrMaxForwards}, "content-length": {"Content-Length", hdrContentLength},
		"content-type": {"Content-Type", hdrContentType}, "route": {"Route", hdrRoute},
		"record-route": {"Record-Route", hdrRecordRoute}, "expires": {"Expires", hdrExpires},
	}
	for _, name := range []string{"Accept", "Accept-Contact", "Accept-Encoding", "Accept-Language", "Alert-Info",
		"Allow", "Allow-Events", "Authorization", "Call-Info", "Content-Disposition", "Content-Encoding",
		"Content-Language", "Date", "Diversion", "Error-Info", "Event", "Expires", "History-Info", "Identity",
		"Identity-Info", "Join", "MIME-Version", "Min-Expires", "Min-SE", "Organization", "P-Asserted-Identity",
		"P-Preferred-Identity", "Path", "Priority", "Privacy", "Proxy-Authenticate", "Proxy-Authorization",
		"Proxy-Require", "RAck", "Reason", "Refer-To", "Referred-By", "Reject-Contact", "Replaces",
		"Refer-Sub", "Request-Disposition", "Require", "Retry-After", "RSeq", "Server", "Service-Route", "Session-Expires",
		"SIP-ETag", "SIP-If-Match", "Subject", "Subscription-State", "Supported", "Target-Dialog", "Timestamp", "Unsupported",
		"User-Agent", "Warning", "WWW-Authenticate"} {
		if lower := strings.ToLower(name); t[lower].name == "" {
			t[lower] = headerName{name, hdrOther}
		}
	}
	for compact, full := range map[string]string{"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact",
		"l": "content-length", "c": "content-type", "s": "subject", "k": "supported", "e": "content-encoding",
		"o": "event", "u": "allow-events", "r": "refer-to", "b": "referred-by", "x": "session-expires",
		"a": "accept-contact", "j": "reject-contact", "d": "request-disposition", "y": "identity", "n": "identity-info"} {
		t[compact] = t[full]
	}
	return t
}

// lookUp finds a header name without allocating; name may have any case.
func lookUp(name string) (headerName, bool) {
	var buf [24]byte
	if len(name) > len(buf) {
		return headerName{}, false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		buf[i] = c
	}
	h, ok := headerNames[string(buf[:len(name)])]
	return h, ok
}

// field is one header line, unfolded.
type field struct {
	id    headerID
	name  string // usual spelling, as received when unknown
	value string // without blanks at the ends
}

// named compares with a name that lookUp has seen: usual is its usual spelling
// if known is set.
func (f *field) named(name, usual string, known bool) bool {
	if known {
		return f.name == usual
	}
	return f.id == hdrOther && strings.EqualFold(f.name, name)
}

var (
	errNoColon   = errors.New("header line without name")
	errBareCR    = errors.New("carriage return inside a header")
	errLongLine  = errors.New("header line too long")
	errManyLines = errors.New("too many headers")
	errCutOff    = errors.New("header section cut off")
)

// lines is the header section of a message, cut up but not understood.
type lines struct {
	start  string
	fields []field
	rest   string // what follows the empty line
	err    error  // the first thing wrong with the section
	size   int    // bytes split was given
}

// split cuts up a message. It goes on after an error, because the answer to a
// broken request still needs its other headers. Line ends may be CRLF or LF,
// and empty lines before the start line are skipped (RFC 3261 section 7.5).
// The fields go into room as long as it lasts.
func split(s string, room []field) (l lines) {
	l.size = len(s)
	s = strings.TrimLeft(s, "\r\n\x00")
	l.start, s, _ = cutLine(s)
	l.fields = room
	for s != "" {
		var line string
		var ended bool
		line, s, ended = cutLine(s)
		if line == "" && ended {
			l.rest = s
			return l
		}
		if !ended {
			l.note(errCutOff)
			return l
		}
		if s != "" && isBlank(s[0]) {
			line, s = unfold(line, s)
		}
		l.add(line)
	}
	// The header section ends with the datagram. Two messages of RFC 5118
	// are published this way, and nothing is lost: there is no body.
	return l
}

func (l *lines) note(err error) {
	if l.err == nil {
		l.err = err
	}
}

func (l *lines) add(line string) {
	if len(line) > maxLine {
		l.note(errLongLine)
		return
	}
	if len(l.fields) >= maxHeaders {
		l.note(errManyLines)
		return
	}
	if strings.IndexByte(line, '\r') >= 0 {
		l.note(errBareCR)
		return
	}
	name, value, found := strings.Cut(line, ":")
	name = trim(name)
	if !found || !isToken(name) {
		l.note(errNoColon)
		return
	}
	f := field{name: name, value: trim(value)}
	if known, ok := lookUp(name); ok {
		f.name, f.id = known.name, known.id
	}
	l.fields = append(l.fields, f)
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

// unfold joins line with the continuation lines that begin s, each fold
// becoming one space (RFC 3261 section 7.3.1).
func unfold(line, s string) (joined, rest string) {
	var b strings.Builder
	b.WriteString(line)
	for s != "" && isBlank(s[0]) {
		line, s, _ = cutLine(s)
		b.WriteByte(' ')
		b.WriteString(trim(line))
	}
	return b.String(), s
}
