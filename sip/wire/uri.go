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

// URI is what a URI of a message says, as it is spelled there: escapes are not
// resolved.
type URI struct {
	Text       string // all of it, the scheme in lower case
	Scheme     string // in lower case
	User, Host string // "" for another scheme than sip and sips; IPv6 in brackets
	Port       int    // 0 when absent

	password, params, headers string // params: what follows another scheme
}

// scan reads a URI (RFC 3261 section 19.1). Parameters and headers are not looked
// into; the part after any other scheme than sip and sips is one of them.
func (u *URI) scan(s string) error {
	i := strings.IndexByte(s, ':')
	if i < 0 || i == len(s)-1 {
		return errURI
	}
	scheme, rest := s[:i], s[i+1:]
	if spanClean(rest, inURI) != len(rest) {
		return errURI
	}
	*u = URI{Text: s, Scheme: scheme}
	if scheme == "sip" && rest[0] != '/' {
		return u.scanHost(rest)
	}
	if !isScheme(scheme) {
		return errURI
	}
	u.Scheme = sip.ASCIIToLower(scheme)
	if u.Scheme != "sip" && u.Scheme != "sips" {
		u.params = rest
	} else if err := u.scanHost(strings.TrimPrefix(rest, "//")); err != nil {
		return err
	}
	if u.Scheme != scheme || strings.HasPrefix(rest, "//") {
		built := u.build()
		u.Text = built.String()
	}
	return nil
}

// scanHost reads [user [":" password] "@"] host [":" port] *(";" param) ["?" headers].
func (u *URI) scanHost(s string) error {
	if i := strings.IndexByte(s, '@'); i >= 0 {
		u.User, u.password, _ = strings.Cut(s[:i], ":")
		if u.User == "" {
			return errURI
		}
		s = s[i+1:]
	}
	i := 0
	for i < len(s) && s[i] != ';' && s[i] != '?' {
		i++
	}
	hostport := s[:i]
	if i < len(s) && s[i] == ';' {
		u.params, u.headers, _ = strings.Cut(s[i+1:], "?")
	} else if i < len(s) {
		u.headers = s[i+1:]
	}
	var err error
	u.Host, u.Port, err = parseHostPort(hostport)
	return err
}

// build gives the sipgo URI.
func (u *URI) build() sip.Uri {
	built := sip.Uri{Scheme: u.Scheme, User: u.User, Password: u.password, Host: u.Host, Port: u.Port}
	if u.Host == "" {
		// sipgo alone can fill the opaque part, and refuses schemes with dots
		// and digits: it reads a stand-in, which cannot fail.
		_ = sip.ParseUri("x:"+u.params, &built)
		built.Scheme = u.Scheme
		return built
	}
	built.UriParams = splitURIParams(u.params, ';')
	built.Headers = splitURIParams(u.headers, '&')
	return built
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		alpha := c >= 'a' && c <= 'z'
		if !alpha && (i == 0 || strings.IndexByte("0123456789+-.", s[i]) < 0) {
			return false
		}
	}
	return s != ""
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

func isHostname(s string) bool { return s != "" && span(s, inHost) == len(s) }

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
	if strings.IndexByte(host, ':') >= 0 {
		host = strings.Replace(host, ":::", "::", 1)
	}
	a, err := netip.ParseAddr(host)
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

// parseParams reads *(";" param). A quoted value keeps its quotes, except that
// one with blanks loses them: sipgo's writer adds those back.
func parseParams(s string, p *sip.HeaderParams) error {
	list, more, ok := afterSemi(s)
	if ok && more && *p == nil {
		*p = make(sip.HeaderParams, 0, 1+strings.Count(list, ";"))
	}
	for ok && more {
		var kv sip.HeaderKV
		kv.K, kv.V, list, more, ok = nextParam(list)
		if strings.ContainsAny(kv.V, " \t") {
			kv.V = kv.V[1 : len(kv.V)-1]
		}
		kv.K = paramName(kv.K)
		*p = append(*p, kv)
	}
	if !ok {
		return errParam
	}
	return nil
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
