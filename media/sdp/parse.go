package sdp

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// Parse reads a description. It fails with a *ParseError and only for what the
// errors ErrSyntax, ErrLimit and ErrRange describe. The result does not refer
// to body. 64 KiB, the most it takes, cost less than 10 ms and 4 MiB.
func Parse(body []byte) (*Description, error) {
	if len(body) > MaxSize {
		return nil, &ParseError{Err: ErrLimit}
	}
	text := clean(body)
	p := parser{d: newDescription(1), attributes: make([]Attribute, 0, strings.Count(text, "\na="))}
	p.d.Media = p.d.Media[:0]
	for rest, more := text, true; more; {
		var line string
		line, rest, more = cutLine(rest)
		p.line++
		if line == "" {
			continue
		}
		if err := p.take(line); err != nil {
			return nil, &ParseError{Line: p.line, Text: line[:min(len(line), 80)], Err: err}
		}
	}
	if !p.seen {
		return nil, &ParseError{Err: ErrSyntax}
	}
	p.finish()
	return p.d, nil
}

// parser is the state of one Parse.
type parser struct {
	d    *Description
	line int
	seen bool // a line without which it is no description: v=, o= or m=
	// attributes are all of them; those of m= line i begin at starts[i].
	attributes []Attribute
	starts     [MaxMedia]int
}

// clean makes text of body: what is no UTF-8 becomes U+FFFD, and control
// characters become spaces, because values travel on into other descriptions
// and logs (S15).
func clean(body []byte) string {
	if isPlain(body) {
		return string(body)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\r' {
			return ' '
		}
		return r
	}, string(body))
}

// isPlain tells whether body is printable ASCII, as it nearly always is.
func isPlain(body []byte) bool {
	for _, c := range body {
		if (c < ' ' || c > '~') && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// cutLine takes the first line off; CR, LF and CR LF all end one. The CR LF pair
// counts once, so that line numbers are true.
func cutLine(s string) (line, rest string, more bool) {
	i := strings.IndexByte(s, '\n')
	if i < 0 {
		i = len(s)
	}
	if cr := strings.IndexByte(s[:i], '\r'); cr >= 0 {
		i = cr
	}
	if i == len(s) {
		return s, "", false
	}
	line, rest = s[:i], s[i+1:]
	if s[i] == '\r' && strings.HasPrefix(rest, "\n") {
		rest = rest[1:]
	}
	return line, rest, true
}

// take reads one line, which is not empty.
func (p *parser) take(line string) error {
	if len(line) < 2 || line[1] != '=' {
		p.unknown(line)
		return nil
	}
	value := strings.TrimSpace(line[2:])
	switch line[0] {
	case 'v':
		p.seen = true
	case 'o':
		p.seen = true
		p.d.Origin = readOrigin(value)
	case 's':
		p.d.Name = value
	case 't': // always 0 0 in calls; what else it says has no meaning there
	case 'c':
		p.connection(readConnection(value))
	case 'a':
		key, v, _ := strings.Cut(value, ":")
		p.attributes = append(p.attributes, Attribute{Key: strings.TrimSpace(key), Value: strings.TrimSpace(v)})
	case 'm':
		p.seen = true
		return p.media(value)
	default:
		p.unknown(line)
	}
	return nil
}

// current is the m= line that lines belong to, nil before the first.
func (p *parser) current() *Media {
	if len(p.d.Media) == 0 {
		return nil
	}
	return &p.d.Media[len(p.d.Media)-1]
}

func (p *parser) unknown(line string) {
	if m := p.current(); m != nil {
		m.Unknown = append(m.Unknown, line)
	} else {
		p.d.Unknown = append(p.d.Unknown, line)
	}
}

func (p *parser) connection(a netip.Addr) {
	if m := p.current(); m == nil {
		p.d.Connection = a
	} else if !m.ownAddress { // of several (layered multicast) the first counts
		m.Address, m.ownAddress = a, true
	}
}

// media reads an m= line.
func (p *parser) media(value string) error {
	if len(p.d.Media) == MaxMedia {
		return ErrLimit
	}
	f := strings.Fields(value)
	if len(f) < 3 {
		return ErrSyntax
	}
	for _, word := range f {
		if !isToken(word) {
			return ErrSyntax
		}
	}
	if len(f)-3 > MaxFormats {
		return ErrLimit
	}
	port, count, err := readPort(f[1])
	if err != nil {
		return err
	}
	m := Media{Kind: strings.ToLower(f[0]), Port: port, Ports: uint16(count), Proto: f[2], Formats: f[3:]}
	if upper := strings.ToUpper(m.Proto); strings.HasPrefix(upper, "RTP/") {
		m.Proto = upper
	}
	if m.isRTP() {
		for _, format := range m.Formats {
			if _, err := payloadType(format); errors.Is(err, ErrRange) {
				return err
			}
		}
	}
	p.starts[len(p.d.Media)] = len(p.attributes)
	p.d.Media = append(p.d.Media, m)
	return nil
}

// isRTP tells whether the formats are payload types.
func (m *Media) isRTP() bool { return strings.Contains(m.Proto, "RTP/") }

// isToken tells whether a word of an m= line can be written back as it came.
func isToken(word string) bool {
	return strings.IndexFunc(word, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// readPort reads "5004" and "5004/2".
func readPort(word string) (port uint16, count int, err error) {
	first, second, slashed := strings.Cut(word, "/")
	n, err := readNumber(first, 65535)
	if err != nil {
		return 0, 0, err
	}
	count = 1
	if slashed {
		if count, err = readNumber(second, 65535); err != nil {
			return 0, 0, err
		}
	}
	return uint16(n), count, nil
}

// payloadType reads a format of an RTP line. ErrSyntax means a word that is no
// number, which harms nobody: no rtpmap can name it.
func payloadType(word string) (uint8, error) {
	n, err := readNumber(word, 127)
	return uint8(n), err
}

// readNumber reads a decimal number from 0 to limit: ErrRange for any other whole
// number, however long, ErrSyntax for what is none.
func readNumber(word string, limit int) (int, error) {
	digits := strings.TrimLeft(word, "+-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" || len(word)-len(digits) > 1 {
		return 0, ErrSyntax
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 || n > limit {
		return 0, ErrRange
	}
	return n, nil
}

// readOrigin reads as much of an o= line as is there.
func readOrigin(value string) Origin {
	o := Origin{Raw: value}
	var f [6]string
	n := firstFields(value, f[:])
	o.Username, o.Address = f[0], f[5]
	if n > 2 {
		// A number too long or with a sign counts as 0: nobody needs it.
		o.SessionID, _ = strconv.ParseUint(f[1], 10, 64)
		o.Version, _ = strconv.ParseUint(f[2], 10, 64)
	}
	return o
}

// readConnection reads "IN IP4 192.0.2.1/127": the address, or nothing if there
// is a host name or something else instead.
func readConnection(value string) netip.Addr {
	var f [3]string
	n := firstFields(value, f[:])
	if n == 0 {
		return netip.Addr{}
	}
	return readAddress(f[n-1])
}

// firstFields puts the first words of value into f and tells how many there are,
// at most len(f).
func firstFields(value string, f []string) (n int) {
	for word := range strings.FieldsSeq(value) {
		if n == len(f) {
			break
		}
		f[n] = word
		n++
	}
	return n
}

func readAddress(word string) netip.Addr {
	word, _, _ = strings.Cut(word, "/")
	word = strings.TrimSuffix(strings.TrimPrefix(word, "["), "]")
	a, err := netip.ParseAddr(word)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
