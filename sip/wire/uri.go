package wire

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

var (
	errURI   = errors.New("malformed URI")
	errHost  = errors.New("malformed host")
	errPort  = errors.New("port out of range")
	errParam = errors.New("malformed parameter")
)

// parseURI reads a URI (RFC 3261 section 19.1). Parameters and headers keep
// their spelling, quotes included, so that rendering repeats them verbatim. The
// part after any other scheme than sip and sips is kept as it is.
func parseURI(s string, u *sip.Uri) error {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || !isScheme(scheme) || rest == "" {
		return errURI
	}
	if strings.ContainsAny(rest, " <>") || Clean(rest) != rest {
		return errURI
	}
	scheme = sip.ASCIIToLower(scheme)
	if scheme != "sip" && scheme != "sips" {
		// sipgo alone can fill the opaque part, and refuses schemes with
		// dots and digits: it reads a stand-in.
		if err := sip.ParseUri("x:"+rest, u); err != nil {
			return errURI
		}
		u.Scheme = scheme
		return nil
	}
	u.Scheme = scheme
	rest = strings.TrimPrefix(rest, "//")
	if i := strings.IndexByte(rest, '@'); i >= 0 {
		u.User, u.Password, _ = strings.Cut(rest[:i], ":")
		if u.User == "" {
			return errURI
		}
		rest = rest[i+1:]
	}
	return parseHostPart(rest, u)
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		alpha := c >= 'a' && c <= 'z'
		if !alpha && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(s[i]))) {
			return false
		}
	}
	return s != ""
}

// parseHostPart reads host [":" port] *(";" param) ["?" headers].
func parseHostPart(s string, u *sip.Uri) error {
	hostport, params, headers := s, "", ""
	if i := strings.IndexAny(s, ";?"); i >= 0 {
		hostport = s[:i]
		if s[i] == ';' {
			params = s[i+1:]
			params, headers, _ = strings.Cut(params, "?")
		} else {
			headers = s[i+1:]
		}
	}
	var err error
	if u.Host, u.Port, err = parseHostPort(hostport); err != nil {
		return err
	}
	u.UriParams = splitURIParams(params, ';')
	u.Headers = splitURIParams(headers, '&')
	return nil
}

// splitURIParams keeps names and values as spelled; pieces without a name are dropped.
func splitURIParams(s string, sep byte) sip.HeaderParams {
	if s == "" {
		return nil
	}
	p := make(sip.HeaderParams, 0, 1+strings.Count(s, string(sep)))
	for s != "" {
		piece, rest, _, ok := cut(s, sep)
		if !ok { // a lone quote is an ordinary character here
			piece, rest, _ = strings.Cut(s, string(sep))
		}
		s = rest
		name, value, _ := strings.Cut(piece, "=")
		if name == "" {
			continue
		}
		p = append(p, sip.HeaderKV{K: paramName(name), V: value})
	}
	return p
}

// parseHostPort reads host [":" port]. IPv6 hosts keep their brackets, because
// sipgo's writer forgets them for IPv4-mapped addresses. port is 0 when absent.
func parseHostPort(s string) (host string, port int, err error) {
	rest := ""
	if strings.HasPrefix(s, "[") {
		i := strings.IndexByte(s, ']')
		if i < 0 {
			return "", 0, errHost
		}
		host, rest = s[:i+1], s[i+1:]
		if _, ok := HostAddr(host); !ok {
			return "", 0, errHost
		}
	} else {
		host = s
		if i := strings.IndexByte(s, ':'); i >= 0 {
			host, rest = s[:i], s[i:]
		}
		host = trim(host)
		if !isHostname(host) {
			return "", 0, errHost
		}
	}
	rest = trim(rest)
	if rest == "" {
		return host, 0, nil
	}
	n, ok := digits(trim(rest[1:]), 65535)
	if rest[0] != ':' || !ok || n == 0 || n > 65535 {
		return "", 0, errPort
	}
	return host, int(n), nil
}

func isHostname(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		alnum := c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !alnum && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return s != ""
}

// HostAddr returns the address that a host of a URI or Via names: dotted IPv4
// or IPv6, with or without brackets. Three colons where two are meant are
// forgiven (RFC 5118 section 4.10); zones are not. IPv4-mapped addresses come
// back as IPv4.
func HostAddr(host string) (netip.Addr, bool) {
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
		if strings.IndexByte(host, ':') < 0 {
			return netip.Addr{}, false
		}
	}
	if host == "" || host[0] != ':' && unhex(host[0]) < 0 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(strings.Replace(host, ":::", "::", 1))
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// paramName gives parameters we look up their usual spelling: names are case
// insensitive, sipgo's look-up is not.
func paramName(s string) string {
	for _, known := range knownParams {
		if len(s) == len(known) && strings.EqualFold(s, known) {
			return known
		}
	}
	return s
}

var knownParams = [...]string{"tag", "branch", "rport", "received", "maddr", "ttl", "lr", "transport",
	"q", "expires", "+sip.instance", "reg-id", "ob", "user", "method", "boundary", "handling", "id"}

// parseParams reads *(";" name ["=" value]) with blanks allowed around both
// signs (RFC 3261 section 25.1: SEMI, EQUAL). A quoted value keeps its quotes,
// except that one with blanks loses them: sipgo's writer adds those back.
func parseParams(s string, p *sip.HeaderParams) error {
	s = trim(s)
	if s == "" {
		return nil
	}
	if s[0] != ';' {
		return errParam
	}
	s = s[1:]
	if *p == nil {
		*p = make(sip.HeaderParams, 0, 1+strings.Count(s, ";"))
	}
	for more := true; more; {
		var piece string
		var ok bool
		if piece, s, more, ok = cut(s, ';'); !ok {
			return errParam
		}
		kv, ok := parseParam(piece)
		if !ok {
			return errParam
		}
		*p = append(*p, kv)
	}
	return nil
}

func parseParam(piece string) (kv sip.HeaderKV, ok bool) {
	name, value, _ := strings.Cut(piece, "=")
	name, value = trim(name), trim(value)
	if !isToken(name) {
		return kv, false
	}
	kv.K = paramName(name)
	if strings.HasPrefix(value, `"`) {
		if quotedEnd(value) != len(value) {
			return kv, false
		}
		if strings.ContainsAny(value, " \t") {
			value = value[1 : len(value)-1]
		}
		kv.V = value
		return kv, true
	}
	if strings.ContainsAny(value, " \t\"<>,") || Clean(value) != value {
		return kv, false
	}
	kv.V = value
	return kv, true
}

// Param returns a header or URI parameter by name without regard to case. A
// quoted value comes unquoted; a parameter without value is "".
func Param(p sip.HeaderParams, name string) (value string, ok bool) {
	for _, kv := range p {
		if !strings.EqualFold(kv.K, name) {
			continue
		}
		v := kv.V
		if n := len(v); n >= 2 && v[0] == '"' && v[n-1] == '"' {
			return Unescape(v[1 : n-1]), true
		}
		if strings.ContainsAny(v, " \t") {
			return Unescape(v), true
		}
		return v, true
	}
	return "", false
}
