package dialplan

import (
	"errors"
	"fmt"
	"strings"
)

// ErrDialled says that a dialled string holds what no number may hold. The edge
// answers it with 404 or 484.
var ErrDialled = errors.New("not a dialled number")

// MaxDialled is the longest cleaned number in bytes.
const MaxDialled = 64

// CleanDialled turns the user part of a Request-URI, as it stood on the wire,
// into the number the plan resolves (F3): parameters behind the first semicolon
// are split off, percent-encoding is undone once, the visual separators of
// RFC 3966 3 (space, hyphen, dot, parentheses) are removed. What is left must be
// 1 to MaxDialled of 0-9 * # + and ASCII letters. Anything else is an error
// wrapping ErrDialled, also if it arrived encoded: a number is never read as a
// list, URI or path. Cleaning a clean number returns it unchanged and does not
// allocate.
func CleanDialled(user string) (string, error) {
	if cleanNumber(user) {
		return user, nil
	}
	user, _, _ = strings.Cut(user, ";")
	if len(user) > 8*MaxDialled {
		return "", fmt.Errorf("%w: too long", ErrDialled)
	}
	out := make([]byte, 0, len(user))
	for i := 0; i < len(user); i++ {
		c := user[i]
		if c == '%' {
			var ok bool
			if c, ok = unhex(user[i+1:]); !ok {
				return "", fmt.Errorf("%w: broken percent-encoding", ErrDialled)
			}
			i += 2
		}
		switch {
		case strings.IndexByte(" -.()", c) >= 0:
		case numberByte(c):
			out = append(out, c)
		default:
			return "", fmt.Errorf("%w: character %q", ErrDialled, c)
		}
	}
	if len(out) == 0 || len(out) > MaxDialled {
		return "", fmt.Errorf("%w: %d characters", ErrDialled, len(out))
	}
	return string(out), nil
}

// cleanNumber reports whether s is what CleanDialled returns.
func cleanNumber(s string) bool {
	if s == "" || len(s) > MaxDialled {
		return false
	}
	for i := range len(s) {
		if !numberByte(s[i]) {
			return false
		}
	}
	return true
}

func numberByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '*' || c == '#' || c == '+' ||
		c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// unhex reads the two hex digits s begins with.
func unhex(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	hi, lo := hexDigit(s[0]), hexDigit(s[1])
	return hi<<4 | lo&0xf, hi < 16 && lo < 16
}

// hexDigit is the value of a hex digit, or 255.
func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
