package wire

import (
	"bytes"
	"net/netip"
	"strconv"
	"unicode/utf8"
)

// Refusal is an answer made of the lines of a request that nobody has parsed:
// what an overloaded server can afford to say (RFC 3261 section 8.2.7).
type Refusal struct {
	Status string // "503 Service Unavailable"
	Tag    []byte // of To, where the request has none
	Lines  []byte // further header lines, each with its CRLF
}

// Append appends the answer to a request that came from source and tells where
// it goes over UDP (S11). It reports false, and returns dst, for a request that
// is not plain enough: one that lacks or repeats From, To, Call-ID or CSeq, that
// folds a line, that quotes something in its Via, or that holds what must not be
// sent again (S15). It allocates nothing if dst has room.
func (r Refusal) Append(dst, request []byte, source netip.AddrPort) (b []byte, to netip.AddrPort, ok bool) {
	b = append(append(append(dst, "SIP/2.0 "...), r.Status...), "\r\n"...)
	var seen [4]bool
	top := true
	to = source
	request = bytes.TrimLeft(request, "\r\n\x00") // as Peek does
	_, rest := nextLine(request)
	for len(rest) > 0 {
		var line []byte
		line, rest = nextLine(rest)
		if len(line) == 0 {
			break
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 0 {
			return dst, to, false
		}
		name := trimBytes(line[:colon])
		kind := echoed(name)
		if kind == echoNone {
			continue
		}
		if len(rest) > 0 && isBlank(rest[0]) || !sendable(line) || kind < len(seen) && seen[kind] {
			return dst, to, false
		}
		switch {
		case kind == echoVia && top:
			top = false
			b, to, ok = appendTopVia(b, trimBytes(line[colon+1:]), source)
			if !ok {
				return dst, to, false
			}
		case kind == echoVia:
			b = append(append(b, line...), "\r\n"...)
		default:
			seen[kind] = true
			b = append(b, trimBytes(line)...)
			if _, tagged := tagIn(line[colon+1:]); kind == echoTo && !tagged {
				b = append(append(b, ";tag="...), r.Tag...)
			}
			b = append(b, "\r\n"...)
		}
	}
	if top || seen != [4]bool{true, true, true, true} {
		return dst, to, false
	}
	b = append(b, r.Lines...)
	return append(b, "Content-Length: 0\r\n\r\n"...), to, true
}

// The headers an answer repeats (RFC 3261 section 8.2.6.2); those before echoVia
// stand there once.
const (
	echoFrom = iota
	echoTo
	echoCallID
	echoCSeq
	echoVia
	echoNone
)

func echoed(name []byte) int {
	switch len(name) {
	case 1, 2, 3, 4, 7:
	default:
		return echoNone // the usual case
	}
	switch {
	case named(name, "via", 'v'):
		return echoVia
	case named(name, "from", 'f'):
		return echoFrom
	case named(name, "to", 't'):
		return echoTo
	case named(name, "call-id", 'i'):
		return echoCallID
	case equalFold(name, "cseq"):
		return echoCSeq
	}
	return echoNone
}

// sendable tells whether a line may be sent as it stands (S15).
func sendable(line []byte) bool {
	plain := true
	for _, c := range line {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
		plain = plain && c < 0x80
	}
	return plain || utf8.Valid(line)
}

// appendTopVia writes the Via that the sender is found by, stamped with where the
// request came from (RFC 3581 section 4), and the values behind it.
func appendTopVia(b, value []byte, source netip.AddrPort) (out []byte, to netip.AddrPort, ok bool) {
	if bytes.IndexByte(value, '"') >= 0 {
		return b, source, false
	}
	first, others := value, []byte(nil)
	if i := bytes.IndexByte(value, ','); i >= 0 {
		first, others = value[:i], value[i:]
	}
	hop, params, _ := bytes.Cut(first, []byte{';'})
	hop = trimBytes(hop)
	port, same := sentByOf(hop, source.Addr().Unmap())
	rport := false
	b = append(append(b, "Via: "...), hop...)
	for len(params) > 0 {
		var param []byte
		param, params, _ = bytes.Cut(params, []byte{';'})
		param = trimBytes(param)
		name, _, _ := bytes.Cut(param, []byte{'='})
		switch name = trimBytes(name); {
		case equalFold(name, "received"):
		case equalFold(name, "rport"):
			if !rport {
				b = strconv.AppendUint(append(b, ";rport="...), uint64(source.Port()), 10)
			}
			rport = true
		default:
			b = append(append(b, ';'), param...)
		}
	}
	to = source
	if same && !rport {
		to = netip.AddrPortFrom(source.Addr(), port)
	} else {
		b = source.Addr().Unmap().AppendTo(append(b, ";received="...))
	}
	return append(append(b, others...), "\r\n"...), to, true
}

// sentByOf reads the sent-by at the end of a hop; same tells that it names ip.
func sentByOf(hop []byte, ip netip.Addr) (port uint16, same bool) {
	sentBy := hop[bytes.LastIndexAny(hop, " \t")+1:]
	var room [64]byte
	text := ip.AppendTo(room[:0])
	if ip.Is6() {
		text = append(ip.AppendTo(append(room[:0], '[')), ']')
	}
	if !bytes.HasPrefix(sentBy, text) {
		return 0, false
	}
	digits, n := sentBy[len(text):], 0
	if len(digits) == 0 {
		return 5060, true
	}
	for _, c := range digits[1:] {
		if c < '0' || c > '9' || n > 6553 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return uint16(n), digits[0] == ':' && n > 0 && n <= 65535
}

// Dialled is the user part of the Request-URI, or the number of a tel URI, as it
// stands in the start line of a request; nil where there is none.
func Dialled(request []byte) []byte {
	line, _ := nextLine(bytes.TrimLeft(request, "\r\n\x00")) // as Peek does
	_, uri, _ := bytes.Cut(line, []byte{' '})
	uri, _, _ = bytes.Cut(trimBytes(uri), []byte{' '})
	scheme, rest, found := bytes.Cut(uri, []byte{':'})
	if user, _, ok := bytes.Cut(rest, []byte{'@'}); ok {
		user, _, _ = bytes.Cut(user, []byte{';'})
		return user
	}
	if found && equalFold(scheme, "tel") {
		number, _, _ := bytes.Cut(rest, []byte{';'})
		return number
	}
	return nil
}
