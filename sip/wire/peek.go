package wire

import "bytes"

// Head is what Peek learns of a datagram. Its slices point into the datagram.
type Head struct {
	Request   bool   // a request; otherwise a response or a keep-alive
	InDialog  bool   // the To header carries a tag
	KeepAlive bool   // nothing but CR, LF and NUL (RFC 5626 section 4.4)
	Method    []byte // of a request, as spelled
	Status    int    // of a response, 100 to 699
	CallID    []byte // nil when there is none
	ToTag     []byte // the value of the tag in To, as it stands there
	Branch    []byte // of the top Via of a response, as it stands there
}

// Peek classifies a datagram without parsing and without allocating. It reports
// false when the bytes cannot be SIP. It decides where a message is sent, not
// whether it is well formed: that is for Parse, which sees the same Call-ID.
func Peek(b []byte) (Head, bool) {
	for len(b) > 0 && (b[0] == '\r' || b[0] == '\n' || b[0] == 0) {
		b = b[1:]
	}
	if len(b) == 0 {
		return Head{KeepAlive: true}, true
	}
	line, rest := nextLine(b)
	h, ok := peekStart(line)
	if !ok {
		return Head{}, false
	}
	for seenTo, seenVia := false, h.Request; len(rest) > 0 && (h.CallID == nil || !seenTo || !seenVia); {
		from := rest
		line, rest = nextLine(rest)
		if len(line) == 0 {
			break
		}
		i := bytes.IndexByte(line, ':')
		if i < 0 {
			continue
		}
		switch name := trimBytes(line[:i]); {
		case h.CallID == nil && named(name, "call-id", 'i'):
			value := trimBytes(line[i+1:])
			for len(value) == 0 && len(rest) > 0 && isBlank(rest[0]) {
				line, rest = nextLine(rest)
				value = trimBytes(line)
			}
			if len(value) > 0 {
				h.CallID = value
			}
		case !seenVia && named(name, "via", 'v'):
			seenVia = true
			h.Branch = branchIn(line[i+1:])
		case !seenTo && named(name, "to", 't'):
			seenTo = true
			for len(rest) > 0 && isBlank(rest[0]) {
				_, rest = nextLine(rest)
			}
			h.ToTag, h.InDialog = tagIn(from[i+1 : len(from)-len(rest)])
		}
	}
	return h, true
}

// Signed tells whether a request carries credentials, right or wrong, without
// parsing it: an Authorization or a Proxy-Authorization header.
func Signed(b []byte) bool {
	for _, b = nextLine(b); len(b) > 0; {
		var line []byte
		if line, b = nextLine(b); len(line) == 0 {
			return false
		}
		if first := line[0] | 0x20; first != 'a' && first != 'p' {
			continue
		}
		name, _, _ := bytes.Cut(line, []byte{':'})
		if name = trimBytes(name); equalFold(name, "authorization") || equalFold(name, "proxy-authorization") {
			return true
		}
	}
	return false
}

// peekStart reads a request line or status line.
func peekStart(line []byte) (h Head, ok bool) {
	i := bytes.IndexByte(line, ' ')
	if i <= 0 {
		return h, false
	}
	first := line[:i]
	if len(first) > 4 && equalFold(first[:4], "sip/") {
		code := line[i+1:]
		if len(code) < 3 || len(code) > 3 && code[3] != ' ' {
			return h, false
		}
		for _, c := range code[:3] {
			if c < '0' || c > '9' {
				return h, false
			}
			h.Status = h.Status*10 + int(c-'0')
		}
		return h, h.Status >= 100 && h.Status <= 699
	}
	// Either a method or a version makes it worth parsing: a request with one
	// of them broken still gets its 400 (S3).
	version := line[bytes.LastIndexByte(trimBytes(line), ' ')+1:]
	ok = len(version) > 4 && equalFold(version[:4], "sip/")
	if !ok {
		for _, c := range first {
			if class[c]&inToken == 0 {
				return h, false
			}
		}
	}
	h.Request, h.Method = true, first
	return h, true
}

// nextLine is cutLine for bytes; a missing line end counts as one.
func nextLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil
	}
	line, rest = b[:i], b[i+1:]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, rest
}

func trimBytes(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func named(name []byte, full string, compact byte) bool {
	return len(name) == 1 && name[0]|0x20 == compact || equalFold(name, full)
}

// equalFold compares b with a lower-case ASCII word.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// tagIn looks for a tag parameter behind the address of a To value, which may
// still be folded.
func tagIn(value []byte) (tag []byte, ok bool) {
	if i := bytes.LastIndexByte(value, '>'); i >= 0 {
		value = value[i+1:]
	}
	for {
		i := bytes.IndexByte(value, ';')
		if i < 0 {
			return nil, false
		}
		value = bytes.TrimLeft(value[i+1:], " \t\r\n")
		if len(value) > 3 && equalFold(value[:3], "tag") && bytes.IndexByte([]byte("= \t\r\n"), value[3]) >= 0 {
			tag = bytes.TrimLeft(value[3:], "= \t\r\n")
			if end := bytes.IndexAny(tag, "; \t\r\n"); end >= 0 {
				tag = tag[:end]
			}
			return tag, true
		}
	}
}

// branchIn looks for the branch of the first Via value in a line. One of ours is
// neither quoted nor folded.
func branchIn(value []byte) []byte {
	value, _, _ = bytes.Cut(value, []byte{','})
	for {
		i := bytes.IndexByte(value, ';')
		if i < 0 {
			return nil
		}
		value = trimBytes(value[i+1:])
		if len(value) > 7 && equalFold(value[:6], "branch") && value[6] == '=' {
			branch, _, _ := bytes.Cut(value[7:], []byte{';'})
			return trimBytes(branch)
		}
	}
}
