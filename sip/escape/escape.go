package escape

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
