package digest

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// scanner walks the auth-params of a challenge or of credentials (RFC 3261
// section 25.1): name = token or quoted-string, separated by commas.
type scanner struct {
	rest   string
	name   string // in lower case
	raw    string // the value, without its quotes but with its escapes
	quoted bool
	begun  bool
	err    error
}

// scheme splits "Digest params". Another scheme is ErrScheme, no scheme at all
// ErrMalformed.
func scheme(value string) (scanner, error) {
	if !utf8.ValidString(value) {
		return scanner{}, malformed("not UTF-8")
	}
	value = strings.Trim(value, " \t")
	n := tokenLen(value)
	if n == 0 || n < len(value) && value[n] != ' ' && value[n] != '\t' {
		return scanner{}, malformed("no scheme")
	}
	if !strings.EqualFold(value[:n], "Digest") {
		return scanner{}, ErrScheme
	}
	return scanner{rest: skipSpace(value[n:])}, nil
}

// next moves to the next parameter. It reports false at the end and at a fault,
// which is then in err.
func (s *scanner) next() bool {
	if s.rest == "" && s.begun {
		return false
	}
	if s.begun {
		if s.rest[0] != ',' {
			s.err = malformed("no comma between parameters")
			return false
		}
		s.rest = skipSpace(s.rest[1:])
	}
	s.begun = true
	n := tokenLen(s.rest)
	s.name, s.rest = strings.ToLower(s.rest[:n]), skipSpace(s.rest[n:])
	if n == 0 || s.rest == "" || s.rest[0] != '=' {
		s.err = malformed("parameter without name or value")
		return false
	}
	s.rest = skipSpace(s.rest[1:])
	if s.quoted = strings.HasPrefix(s.rest, `"`); s.quoted {
		n = quotedLen(s.rest)
		if n < 2 {
			s.err = malformed("bad quoted string")
			return false
		}
		s.raw = s.rest[1 : n-1]
	} else {
		n = tokenLen(s.rest)
		if n == 0 {
			s.err = malformed("empty value")
			return false
		}
		s.raw = s.rest[:n]
	}
	s.rest = skipSpace(s.rest[n:])
	return true
}

// text is the value with its escapes resolved.
func (s *scanner) text() string {
	if !s.quoted || !strings.Contains(s.raw, `\`) {
		return s.raw
	}
	var b strings.Builder
	for i := 0; i < len(s.raw); i++ {
		if s.raw[i] == '\\' {
			i++ // quotedLen saw to it that something follows
		}
		b.WriteByte(s.raw[i])
	}
	return b.String()
}

// quotedLen is the length of the quoted-string at the start of s, quotes
// included, or 0 if it is not closed or holds control characters.
func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			i++
			if i == len(s) || s[i] < ' ' || s[i] >= 0x7f {
				return 0
			}
		case c < ' ' && c != '\t' || c == 0x7f:
			return 0
		}
	}
	return 0
}

func tokenLen(s string) int {
	for i := range len(s) {
		if !tokenChar[s[i]] {
			return i
		}
	}
	return len(s)
}

// tokenChar marks the characters of a token (RFC 3261 section 25.1).
var tokenChar = func() (t [256]bool) {
	for c := range t {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		t[c] = letter || c < 0x80 && strings.IndexByte("-.!%*_+`'~", byte(c)) >= 0
	}
	return t
}()

func skipSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

func unsupported(what string) error { return fmt.Errorf("%w: %s", ErrUnsupported, what) }

// quote appends s as a quoted-string; control characters become spaces.
func quote(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		c := s[i]
		switch {
		case c < ' ' || c == 0x7f:
			c = ' '
		case c == '"' || c == '\\':
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, '"')
}
