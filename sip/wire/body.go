package wire

import (
	"bytes"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Limits of S5 for multipart bodies.
const (
	maxParts = 16
	maxDepth = 3
)

// mediaType splits a Content-Type value (RFC 3261 section 20.15).
func mediaType(s string) (media string, params sip.HeaderParams) {
	media, rest, more := strings.Cut(s, ";")
	media = trim(media)
	typ, sub, ok := strings.Cut(media, "/")
	if !isToken(typ) || !isToken(sub) {
		typ, sub = trim(typ), trim(sub)
		media = typ + "/" + sub
	}
	if !ok || !isToken(typ) || !isToken(sub) {
		return "", nil
	}
	if more && parseParams(";"+rest, &params) != nil {
		return "", nil
	}
	return strings.ToLower(media), params
}

// Part returns the body when it is of the given media type (lower case), or the
// first part of that type in a multipart body (RFC 5621), else nil.
func (m *Message) Part(media string) []byte {
	value, _ := m.Header("Content-Type")
	left := maxParts
	return findPart(value, m.Body(), media, maxDepth, &left)
}

func findPart(contentType string, body []byte, media string, depth int, left *int) []byte {
	have, params := mediaType(contentType)
	if have == media {
		return body
	}
	boundary, ok := Param(params, "boundary")
	if !ok || boundary == "" || depth == 0 || !strings.HasPrefix(have, "multipart/") {
		return nil
	}
	delim := []byte("--" + boundary)
	_, rest, found := bytes.Cut(append([]byte("\r\n"), body...), append([]byte("\r\n"), delim...))
	for ; found && *left > 0; *left-- {
		if bytes.HasPrefix(rest, []byte("--")) {
			return nil
		}
		var part []byte
		part, rest, found = bytes.Cut(rest, append([]byte("\r\n"), delim...))
		if !found {
			return nil
		}
		_, part = nextLine(part) // the blanks behind the boundary
		typ, content := partHead(part)
		if got := findPart(typ, content, media, depth-1, left); got != nil {
			return got
		}
	}
	return nil
}

// partHead reads a part's header section. Parts are text/plain unless they say
// otherwise (RFC 2045 section 5.2).
func partHead(part []byte) (contentType string, content []byte) {
	contentType = "text/plain"
	for len(part) > 0 {
		var line []byte
		line, part = nextLine(part)
		if len(line) == 0 {
			return contentType, part
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && named(trimBytes(name), "content-type", 'c') {
			contentType = string(trimBytes(value))
		}
	}
	return contentType, part
}
