package wire

import "strings"

// Character classes, as bits of class.
const (
	inToken = 1 << iota // token (RFC 3261 section 25.1)
	inValue             // unquoted parameter value
	inURI               // URI
	inHost              // name or IPv4 address
)

// class tells what a character may be part of. Bytes that are not ASCII are in
// values and URIs, and then have to be proper UTF-8.
var class = classes()

func classes() (t [256]uint8) {
	for c := range t {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		if letter || c < 0x80 && strings.IndexByte("-.!%*_+`'~", byte(c)) >= 0 {
			t[c] |= inToken
		}
		if letter || c < 0x80 && strings.IndexByte("-._", byte(c)) >= 0 {
			t[c] |= inHost
		}
		if c > ' ' && c != 0x7f && strings.IndexByte(`"<>,;`, byte(c)) < 0 || c >= 0x80 {
			t[c] |= inValue
		}
		if c > ' ' && c != 0x7f && c != '<' && c != '>' || c >= 0x80 {
			t[c] |= inURI
		}
	}
	return t
}

// span returns how many characters at the beginning of s are of a class.
func span(s string, of uint8) int {
	for i := 0; i < len(s); i++ {
		if class[s[i]]&of == 0 {
			return i
		}
	}
	return len(s)
}

// spanClean is span for classes with bytes that are not ASCII: what it counts has
// to be clean then, or n is -1.
func spanClean(s string, of uint8) (n int) {
	var all byte
	for n < len(s) && class[s[n]]&of != 0 {
		all |= s[n]
		n++
	}
	if all >= 0x80 && Clean(s[:n]) != s[:n] {
		return -1
	}
	return n
}

// isToken reports that s is a non-empty token.
func isToken(s string) bool { return s != "" && span(s, inToken) == len(s) }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// trim removes blanks at both ends. Lines are unfolded before they get here,
// so a blank is a space or a tab.
func trim(s string) string {
	s = skip(s)
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// skip removes blanks at the beginning.
func skip(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	return s
}

// nextParam reads the parameter at the beginning of s, which is the text after
// a semicolon: name ["=" value] with blanks allowed around both signs (RFC 3261
// section 25.1: SEMI, EQUAL). A quoted value keeps its quotes. more tells that a
// semicolon and then rest follow.
func nextParam(s string) (name, value, rest string, more, ok bool) {
	s = skip(s)
	n := span(s, inToken)
	if n == 0 {
		return "", "", "", false, false
	}
	name, s = s[:n], skip(s[n:])
	if s != "" && s[0] == '=' {
		s = skip(s[1:])
		if s != "" && s[0] == '"' {
			n = quotedEnd(s)
		} else {
			n = spanClean(s, inValue)
		}
		if n < 0 {
			return "", "", "", false, false
		}
		value, s = s[:n], skip(s[n:])
	}
	switch {
	case s == "":
		return name, value, "", false, true
	case s[0] == ';':
		return name, value, s[1:], true, true
	}
	return "", "", "", false, false
}

// afterSemi takes the semicolon off a parameter list, which may be empty.
func afterSemi(s string) (rest string, more, ok bool) {
	s = trim(s)
	if s == "" {
		return "", false, true
	}
	return s[1:], true, s[0] == ';'
}

// Party is the inside of From, To, Contact, Route and their kin (RFC 3261 section
// 20.10), cut up.
type Party struct {
	URI     URI
	display string // as it stands: between the quotes, or the bare words
	bare    bool   // display was not quoted
	params  string // from the first semicolon on
}

// Display returns the display name as plain text, "" when absent.
func (p *Party) Display() string { return Unescape(p.name()) }

// Param returns a header parameter by its name in lower case, unquoted; one
// without value is "".
func (p *Party) Param(name string) (value string, ok bool) { return param(p.params, name) }

// scan reads one name-addr or addr-spec. Its parameters are for the caller.
func (p *Party) scan(s string) error {
	p.display, p.bare, p.params = "", false, ""
	s = trim(s)
	i := 0
	for i < len(s) && s[i] != '<' && s[i] != ';' && s[i] != '"' {
		i++
	}
	spec := s
	switch {
	case i < len(s) && s[i] == '"':
		n := quotedEnd(s)
		if i > 0 || n < 0 {
			return errAddress
		}
		p.display = s[1 : n-1]
		if s = trim(s[n:]); s == "" || s[0] != '<' {
			return errAddress
		}
		spec, p.params = bracketed(s)
	case i < len(s) && s[i] == '<':
		p.display, p.bare = trim(s[:i]), true
		if strings.IndexByte(p.display, ',') >= 0 {
			return errAddress // RFC 4475 baddn: where would the list end?
		}
		spec, p.params = bracketed(s[i:])
	default:
		// Without brackets what follows a semicolon belongs to the header,
		// and a URI with a question mark or comma is not allowed.
		spec, p.params = trim(s[:i]), s[i:]
		if strings.ContainsAny(spec, "?,") {
			return errAddress
		}
	}
	return p.URI.scan(spec)
}

// name is the display name as the inside of a quoted-string, cleaned.
func (p *Party) name() string {
	if p.bare {
		return Escape(p.display)
	}
	return Clean(p.display)
}

// bracketed splits "<uri>rest"; without the closing bracket the URI is empty,
// which no URI may be.
func bracketed(s string) (uri, rest string) {
	i := strings.IndexByte(s, '>')
	if i < 0 {
		return "", ""
	}
	return s[1:i], s[i+1:]
}

// isNamed compares the name of a parameter with a lower-case one.
func isNamed(name, lower string) bool {
	return name == lower || len(name) == len(lower) && strings.EqualFold(name, lower)
}

// identifier reads a parameter list in which one parameter, named in lower case,
// may stand once only.
func identifier(list, name string) (value string, found bool, err error) {
	list, more, ok := afterSemi(list)
	for ok && more {
		var have, v string
		have, v, list, more, ok = nextParam(list)
		if !isNamed(have, name) {
			continue
		}
		if found {
			return "", true, errDuplicate
		}
		value, found = unquote(v), true
	}
	if !ok {
		return "", false, errParam
	}
	return value, found, nil
}

// paramsOK reports that a parameter list can be read.
func paramsOK(list string) bool {
	list, more, ok := afterSemi(list)
	for ok && more {
		_, _, list, more, ok = nextParam(list)
	}
	return ok
}

// param looks a parameter up in a list that was read before.
func param(list, name string) (value string, found bool) {
	list, more, ok := afterSemi(list)
	for ok && more {
		var have, v string
		have, v, list, more, ok = nextParam(list)
		if isNamed(have, name) {
			return unquote(v), true
		}
	}
	return "", false
}

// unquote is the value of a parameter without its quotes and escapes.
func unquote(v string) string {
	if n := len(v); n >= 2 && v[0] == '"' && v[n-1] == '"' {
		return Unescape(v[1 : n-1])
	}
	return v
}
