package location

import (
	"net/netip"
	"strings"

	"github.com/cordpair/cordpair/sip/escape"
)

// sameURI compares two Contact URIs as RFC 3261 section 19.1.4 says. URIs of
// other schemes than sip and sips are compared as text.
func sameURI(a, b string) bool {
	if a == b {
		return true
	}
	x, okX := splitURI(a)
	y, okY := splitURI(b)
	return okX && okY && x.secure == y.secure && x.hasUser == y.hasUser &&
		escape.Equal(x.user, y.user) && sameHost(x.host, y.host) && x.port == y.port &&
		sameParams(x.params, y.params) && sameParams(y.params, x.params) &&
		sameHeaders(x.headers, y.headers) && sameHeaders(y.headers, x.headers)
}

// uriParts are the components of a SIP URI that comparison needs.
type uriParts struct {
	secure, hasUser  bool
	user, host, port string // user with its password, both still escaped
	params, headers  string // without the leading ; and ?
}

func splitURI(s string) (u uriParts, ok bool) {
	scheme, rest, _ := strings.Cut(s, ":")
	u.secure = strings.EqualFold(scheme, "sips")
	if !u.secure && !strings.EqualFold(scheme, "sip") {
		return u, false
	}
	if at := strings.IndexByte(rest, '@'); at >= 0 {
		u.user, rest, u.hasUser = rest[:at], rest[at+1:], true
	}
	rest, u.headers, _ = strings.Cut(rest, "?")
	rest, u.params, _ = strings.Cut(rest, ";")
	u.host = rest
	if colon := strings.LastIndexByte(rest, ':'); colon > strings.LastIndexByte(rest, ']') {
		u.host, u.port = rest[:colon], rest[colon+1:]
	}
	return u, u.host != ""
}

func sameHost(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	if !strings.HasPrefix(a, "[") || !strings.HasPrefix(b, "[") {
		return false
	}
	// One IPv6 address has many spellings.
	x, errX := netip.ParseAddr(strings.Trim(a, "[]"))
	y, errY := netip.ParseAddr(strings.Trim(b, "[]"))
	return errX == nil && errY == nil && x == y
}

// sameParams reports whether no parameter of a contradicts b. The few that
// decide where a request goes must stand in both, others only agree if they do.
func sameParams(a, b string) bool {
	for p := range strings.SplitSeq(a, ";") {
		name, value, _ := strings.Cut(p, "=")
		if name == "" {
			continue
		}
		other, found := param(b, name)
		if found && !escape.EqualFold(value, other) {
			return false
		}
		if !found && decisive(name) {
			return false
		}
	}
	return true
}

func param(params, name string) (string, bool) {
	for p := range strings.SplitSeq(params, ";") {
		n, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(n, name) {
			return value, true
		}
	}
	return "", false
}

func decisive(name string) bool {
	for _, n := range [...]string{"transport", "user", "ttl", "method", "maddr"} {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// sameHeaders reports whether every header of a stands in b with the same value.
func sameHeaders(a, b string) bool {
	for h := range strings.SplitSeq(a, "&") {
		name, value, _ := strings.Cut(h, "=")
		found := name == ""
		for o := range strings.SplitSeq(b, "&") {
			n, v, _ := strings.Cut(o, "=")
			found = found || strings.EqualFold(n, name) && escape.Equal(v, value)
		}
		if !found {
			return false
		}
	}
	return true
}
