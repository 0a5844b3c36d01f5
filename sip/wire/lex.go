package wire

import (
	"strings"
	"unicode/utf8"
)

// digits reads an unsigned decimal number of any length. A number above limit
// gives limit+1, so that no counter wraps (S6).
func digits(s string, limit uint64) (n uint64, ok bool) {
	if s == "" {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		if n <= limit {
			n = n*10 + uint64(c-'0')
		}
	}
	return min(n, limit+1), true
}

// quotedEnd returns the index after the quoted-string that begins s, or -1.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// cut splits s at the first sep that stands outside of quoted strings and
// angle brackets. found is false when there is none; ok is false when a quote
// or bracket never ends.
func cut(s string, sep byte) (before, after string, found, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case sep:
			return s[:i], s[i+1:], true, true
		case '"':
			n := quotedEnd(s[i:])
			if n < 0 {
				return s, "", false, false
			}
			i += n - 1
		case '<':
			n := strings.IndexByte(s[i:], '>')
			if n < 0 {
				return s, "", false, false
			}
			i += n
		}
	}
	return s, "", false, true
}

// Escape prepares text for the inside of a quoted-string, which is also how
// sipgo's headers keep a DisplayName: control characters become spaces, quotes
// and backslashes get a backslash.
func Escape(s string) string {
	s = Clean(s)
	if !strings.ContainsAny(s, `"\`) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 4)
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Unescape is the reverse of Escape: it resolves the quoted pairs of the inside
// of a quoted-string and cleans the result.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') >= 0 {
		b := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			if s[i] == '\\' && i+1 < len(s) {
				i++
			}
			b = append(b, s[i])
		}
		s = string(b)
	}
	return Clean(s)
}

// Quote renders s as a quoted-string.
func Quote(s string) string { return `"` + Escape(s) + `"` }

// Clean makes text from outside safe to enter a header, log, store or page
// (S15): control characters, which include CR, LF and NUL, become spaces, bytes
// that are not UTF-8 become "?". The result is never longer than s, so no answer
// grows by it (S12). Clean text is returned as it is.
func Clean(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return string(appendClean(make([]byte, 0, len(s)), s))
}

// appendClean is Clean into a buffer.
func appendClean(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				c = ' '
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			r = '?'
		case r < 0xa0:
			r = ' ' // the C1 controls
		}
		dst = utf8.AppendRune(dst, r)
		i += n
	}
	return dst
}

// unhex returns the value of a hexadecimal digit, -1 for anything else.
func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
