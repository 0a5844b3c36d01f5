package wire

import (
	"bytes"
	"net/netip"
)

// Plain is an OPTIONS outside of a dialog as nearly everybody writes it, cut up where
// it lies: one in which Parse and Validate would find nothing to say. It points into
// the message.
type Plain struct{ values [plainHeaders][]byte }

// The headers of a Plain, each of which it has once at most.
const (
	plainVia = iota
	plainFrom
	plainTo
	plainCallID
	plainCSeq // and all before it are there
	plainContact
	plainMaxForwards
	plainContentLength
	plainAccept
	plainAllow
	plainSupported
	plainAllowEvents
	plainUserAgent
	plainHeaders
)

// plainStart begins a Plain; it is spelled like this.
const plainStart = "OPTIONS sip:"

// Plain reads b, or reports that Parse has to: that it is anything but plain. It
// allocates nothing, but for the host of a Contact.
func (r *Rules) Plain(b []byte) (p Plain, ok bool) {
	if len(b) > maxLine || !bytes.HasPrefix(b, []byte(plainStart)) || !bytes.HasSuffix(b, []byte("\r\n\r\n")) {
		return p, false
	}
	line, rest := nextLine(b)
	uri, isOurs := bytes.CutSuffix(line[len(plainStart)-len("sip:"):], []byte(" SIP/2.0"))
	if _, _, ok := plainURI(uri); !ok || !isOurs {
		return p, false
	}
	for {
		line, rest = nextLine(rest)
		if len(line) == 0 {
			break
		}
		if !p.take(line) {
			return p, false
		}
	}
	for _, value := range p.values[:plainCSeq+1] {
		if value == nil {
			return p, false
		}
	}
	return p, len(rest) == 0 && p.readable() && r.plainContact(p.values[plainContact])
}

// take notes one line. A folded one begins like no header.
func (p *Plain) take(line []byte) bool {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 || len(line) < colon+len(": x") || line[colon+1] != ' ' || isBlank(line[colon+2]) {
		return false
	}
	i := plainHeader(line[:colon])
	if i == plainHeaders || p.values[i] != nil {
		return false
	}
	p.values[i] = line[colon+2:]
	return true
}

func plainHeader(name []byte) int {
	switch string(name) {
	case "Via":
		return plainVia
	case "From":
		return plainFrom
	case "To":
		return plainTo
	case "Call-ID":
		return plainCallID
	case "CSeq":
		return plainCSeq
	case "Contact":
		return plainContact
	case "Max-Forwards":
		return plainMaxForwards
	case "Content-Length":
		return plainContentLength
	case "Accept":
		return plainAccept
	case "Allow":
		return plainAllow
	case "Supported":
		return plainSupported
	case "Allow-Events":
		return plainAllowEvents
	case "User-Agent":
		return plainUserAgent
	}
	return plainHeaders
}

// readable reports that there is nothing to refuse in any line.
func (p *Plain) readable() bool {
	v := &p.values
	_, params, from := plainParty(v[plainFrom])
	_, tail, to := plainParty(v[plainTo])
	if !from || !isPlainTag(params) || !to || len(tail) > 0 || !isPlainVia(v[plainVia]) {
		return false
	}
	for _, c := range v[plainCallID] {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	for _, list := range v[plainAccept:plainUserAgent] {
		if bytes.Count(list, []byte{','}) >= maxTokens {
			return false
		}
	}
	for _, text := range v[plainAccept:] {
		if bytes.IndexByte(text, '\r') >= 0 {
			return false
		}
	}
	cseq, isOptions := bytes.CutSuffix(v[plainCSeq], []byte(" OPTIONS"))
	hops, length := v[plainMaxForwards], v[plainContentLength]
	return isOptions && isPlainNumber(cseq, 9) && (hops == nil || hops[0] != '0' && isPlainNumber(hops, 2)) &&
		(length == nil || string(length) == "0")
}

// isPlainNumber reports 1 to most digits.
func isPlainNumber(b []byte, most int) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= most
}

// isPlainTag reports ";tag=" and a token.
func isPlainTag(b []byte) bool {
	tag, ok := bytes.CutPrefix(b, []byte(";tag="))
	return ok && len(tag) > 0 && spanBytes(tag, inToken) == len(tag)
}

// isPlainVia reports a hop over UDP with a branch, perhaps rport, and nothing else.
func isPlainVia(b []byte) bool {
	b, ok := bytes.CutPrefix(b, []byte("SIP/2.0/UDP "))
	if !ok {
		return false
	}
	_, _, b, ok = plainHostPort(b)
	for branched, rport := false, false; ok && len(b) > 0; {
		if b[0] != ';' {
			return false
		}
		b = b[1:]
		n := bytes.IndexByte(b, ';')
		if n < 0 {
			n = len(b)
		}
		switch param := b[:n]; {
		case !rport && string(param) == "rport":
			rport = true
		case !branched:
			branch, named := bytes.CutPrefix(param, []byte("branch=z9hG4bK"))
			branched = true
			ok = named && len(branch) > 0 && spanBytes(branch, inToken) == len(branch)
		default:
			return false
		}
		b = b[n:]
	}
	return ok
}

// plainContact reads a Contact, if there is one, and asks whether it may be reached.
func (r *Rules) plainContact(value []byte) bool {
	if value == nil {
		return true
	}
	uri, params, ok := plainParty(value)
	if !ok || len(params) > 0 {
		return false
	}
	host, port, _ := plainURI(uri)
	return r.reachable(&URI{Scheme: "sip", Host: string(host), Port: port})
}

// plainParty reads [display] <uri>, which must be ASCII.
func plainParty(b []byte) (uri, params []byte, ok bool) {
	open := bytes.IndexByte(b, '<')
	if open < 0 {
		return nil, nil, false
	}
	display := trimBytes(b[:open])
	if n := len(display); n >= 2 && display[0] == '"' && display[n-1] == '"' {
		display = display[1 : n-1]
	}
	for _, c := range display {
		if c != ' ' && class[c]&inToken == 0 {
			return nil, nil, false
		}
	}
	uri, params, ok = bytes.Cut(b[open+1:], []byte{'>'})
	if ok {
		_, _, ok = plainURI(uri)
	}
	return uri, params, ok
}

// plainURI reads sip:[user@]host[:port][;params].
func plainURI(b []byte) (host []byte, port int, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte("sip:"))
	if !ok {
		return nil, 0, false
	}
	if n := spanBytes(b, inToken); n > 0 && n < len(b) && b[n] == '@' {
		b = b[n+1:]
	}
	host, port, b, ok = plainHostPort(b)
	if !ok || len(b) > 0 && b[0] != ';' {
		return nil, 0, false
	}
	for _, c := range b {
		if class[c]&inToken == 0 && c != ';' && c != '=' {
			return nil, 0, false
		}
	}
	return host, port, true
}

// plainHostPort reads a name or IPv4 address and a port, 0 when absent.
func plainHostPort(b []byte) (host []byte, port int, rest []byte, ok bool) {
	n := spanBytes(b, inHost)
	host, b = b[:n], b[n:]
	if n == 0 || len(b) == 0 || b[0] != ':' {
		return host, 0, b, n > 0
	}
	b = b[1:]
	for n = 0; n < len(b) && n < 5 && b[n] >= '0' && b[n] <= '9'; n++ {
		port = port*10 + int(b[n]-'0')
	}
	return host, port, b[n:], port > 0 && port <= 65535
}

func spanBytes(b []byte, of uint8) int {
	for i, c := range b {
		if class[c]&of == 0 {
			return i
		}
	}
	return len(b)
}

// CallID returns the Call-ID, which is a part of the message.
func (p *Plain) CallID() []byte { return p.values[plainCallID] }

// AppendOK appends the 200 to a Plain that came from source, as AppendReply would make
// it, and tells where it goes over UDP. lines are further header lines, each with its
// CRLF; To gets tag. It allocates nothing if dst has room.
func (p *Plain) AppendOK(dst []byte, source netip.AddrPort, tag, lines []byte) (b []byte, to netip.AddrPort) {
	v := &p.values
	b = append(dst, "SIP/2.0 200 OK\r\n"...)
	b, to, _ = appendTopVia(b, v[plainVia], source) // has no quotes
	b = append(append(b, "From: "...), v[plainFrom]...)
	b = append(append(b, "\r\nTo: "...), v[plainTo]...)
	b = append(append(b, ";tag="...), tag...)
	b = append(append(b, "\r\nCall-ID: "...), v[plainCallID]...)
	b = append(append(b, "\r\nCSeq: "...), v[plainCSeq]...)
	b = append(append(b, "\r\n"...), lines...)
	return append(b, "Content-Length: 0\r\n\r\n"...), to
}

// AppendFields appends header lines in order, cleaned; one without value is left out.
func AppendFields(dst []byte, fields ...Field) []byte {
	w := Writer{writer{dst}}
	w.Fields(fields...)
	return w.w.b
}
