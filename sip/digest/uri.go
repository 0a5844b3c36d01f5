package digest

import (
	"net/netip"
	"strings"

	"github.com/cordpair/cordpair/sip/escape"
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
	return escape.Equal(given, user) && sameHost(hostOf(name), host)
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
