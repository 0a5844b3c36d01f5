package escape

import "strings"

// Equal compares two texts; an escape equals the character it stands for.
func Equal(a, b string) bool { return compare(a, b, false) }

// EqualFold is Equal without regard to the case of ASCII letters.
func EqualFold(a, b string) bool { return compare(a, b, true) }

func compare(a, b string, fold bool) bool {
	for a != "" && b != "" {
		var x, y byte
		x, a = first(a)
		y, b = first(b)
		if fold {
			x, y = lower(x), lower(y)
		}
		if x != y {
			return false
		}
	}
	return a == b
}

// first takes the first character off s, decoding an escape. What is no whole
// escape stands for itself.
func first(s string) (byte, string) {
	if s[0] == '%' && len(s) >= 3 {
		hi, ok1 := hexDigit(s[1])
		lo, ok2 := hexDigit(s[2])
		if ok1 && ok2 {
			return hi<<4 | lo, s[3:]
		}
	}
	return s[0], s[1:]
}

func hexDigit(c byte) (byte, bool) {
	switch c = lower(c); {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Decode resolves the escapes of s. What is no whole escape stands for itself.
// The result may hold any byte.
func Decode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for s != "" {
		var c byte
		c, s = first(s)
		b = append(b, c)
	}
	return string(b)
}

// Header escapes s for a name or value among the headers of a URI (RFC 3261
// section 25.1, hname and hvalue).
func Header(s string) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+len(s)/4)
	for i := 0; i < len(s); i++ {
		c := s[i]
		plain := c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte("-_.!~*'()[]/?:+$", c) >= 0
		if plain {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}
