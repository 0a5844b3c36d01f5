package digest

import (
	"net/netip"
	"strings"
)

// sameTarget reports whether a digest uri names this user and host (A5). Port,
// parameters and headers do not count, nor does sip against sips.
func sameTarget(uri, user, host string) bool {
	name, ok := cutScheme(uri)
	if !ok {
		return false
	}
	given := ""
	if at := strings.IndexByte(name, '@'); at >= 0 {
		given, _, _ = strings.Cut(name[:at], ":") // a password is not part of the name
		name = name[at+1:]
	}
	return sameUser(given, user) && sameHost(hostOf(name), host)
}

func cutScheme(uri string) (string, bool) {
	scheme, rest, ok := strings.Cut(uri, ":")
	return rest, ok && (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips"))
}

// hostOf cuts port, parameters and headers off.
func hostOf(s string) string {
	if strings.HasPrefix(s, "[") {
		if end := strings.IndexByte(s, ']'); end > 0 {
			return s[:end+1]
		}
	}
	if end := strings.IndexAny(s, ":;?"); end >= 0 {
		return s[:end]
	}
	return s
}

// sameHost compares names without regard to case and addresses by value.
func sameHost(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	x, errX := netip.ParseAddr(strings.Trim(a, "[]"))
	y, errY := netip.ParseAddr(strings.Trim(b, "[]"))
	return errX == nil && errY == nil && x == y
}

// sameUser compares two users, either of which may be percent-encoded.
func sameUser(a, b string) bool {
	for a != "" && b != "" {
		var x, y byte
		x, a = unescapeByte(a)
		y, b = unescapeByte(b)
		if x != y {
			return false
		}
	}
	return a == b
}

func unescapeByte(s string) (byte, string) {
	if s[0] == '%' && len(s) >= 3 {
		hi, ok1 := hexDigit(s[1])
		lo, ok2 := hexDigit(s[2])
		if ok1 && ok2 {
			return hi<<4 | lo, s[3:]
		}
	}
	return s[0], s[1:]
}
