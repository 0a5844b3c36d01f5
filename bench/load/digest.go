package load

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
)

// hexSum is an MD5 sum as text.
type hexSum [2 * md5.Size]byte

// sum joins parts with colons and hashes them (RFC 2617 3.2.2).
func sum(parts ...[]byte) hexSum {
	var room [512]byte
	b := room[:0]
	for i, p := range parts {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, p...)
	}
	var text hexSum
	raw := md5.Sum(b)
	hex.Encode(text[:], raw[:])
	return text
}

// challenge is what a 401 or 407 asks for.
type challenge struct {
	realm, nonce, opaque []byte
	qop                  bool // auth is offered
}

// chosen finds the first challenge that MD5 answers.
func chosen(values [][]byte) (challenge, bool) {
	for _, v := range values {
		if c, ok := parseChallenge(v); ok {
			return c, true
		}
	}
	return challenge{}, false
}

func parseChallenge(value []byte) (challenge, bool) {
	const scheme = "digest "
	if len(value) < len(scheme) || !bytes.EqualFold(value[:len(scheme)], []byte(scheme)) {
		return challenge{}, false
	}
	rest := value[len(scheme):]
	var c challenge
	for len(rest) > 0 {
		var name, v []byte
		if name, v, rest = parameter(rest); name == nil {
			return challenge{}, false
		}
		switch {
		case bytes.EqualFold(name, []byte("realm")):
			c.realm = v
		case bytes.EqualFold(name, []byte("nonce")):
			c.nonce = v
		case bytes.EqualFold(name, []byte("opaque")):
			c.opaque = v
		case bytes.EqualFold(name, []byte("qop")):
			c.qop = offersAuth(v)
		case bytes.EqualFold(name, []byte("algorithm")) && !bytes.EqualFold(v, []byte("MD5")):
			return challenge{}, false
		}
	}
	return c, c.nonce != nil && c.realm != nil
}

// parameter cuts name=value or name="value" off a list; the quotes are taken off
// and what is escaped inside stays so.
func parameter(b []byte) (name, value, rest []byte) {
	name, rest, ok := bytes.Cut(b, []byte("="))
	if !ok {
		return nil, nil, nil
	}
	name, rest = bytes.Trim(name, " \t,"), bytes.TrimLeft(rest, " \t")
	if len(rest) == 0 || rest[0] != '"' {
		value, rest, _ = bytes.Cut(rest, []byte(","))
		return name, bytes.TrimSpace(value), rest
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			value, rest = rest[1:i], bytes.TrimLeft(rest[i+1:], " \t,")
			return name, value, rest
		}
	}
	return nil, nil, nil // no closing quote
}

func offersAuth(list []byte) bool {
	for _, q := range bytes.Split(list, []byte(",")) {
		if bytes.EqualFold(bytes.TrimSpace(q), []byte("auth")) {
			return true
		}
	}
	return false
}

// nonceCount is that of every answer: each nonce is used once.
var nonceCount = []byte("00000001")

// response is the digest of RFC 2617 3.2.2.1, with qop auth when it was offered.
func (c *challenge) response(a1 hexSum, method, uri, cnonce []byte) hexSum {
	a2 := sum(method, uri)
	if !c.qop {
		return sum(a1[:], c.nonce, a2[:])
	}
	return sum(a1[:], c.nonce, nonceCount, cnonce, []byte("auth"), a2[:])
}

// credentials appends the whole header line that answers c.
func (c *challenge) credentials(b []byte, header string, user []byte, a1 hexSum, method, uri, cnonce []byte) []byte {
	response := c.response(a1, method, uri, cnonce)
	b = append(b, header...)
	b = append(b, `: Digest username="`...)
	b = append(b, user...)
	b = append(b, `", realm="`...)
	b = append(b, c.realm...)
	b = append(b, `", nonce="`...)
	b = append(b, c.nonce...)
	b = append(b, `", uri="`...)
	b = append(b, uri...)
	b = append(b, `", response="`...)
	b = append(b, response[:]...)
	b = append(b, `", algorithm=MD5`...)
	if c.opaque != nil {
		b = append(b, `, opaque="`...)
		b = append(b, c.opaque...)
		b = append(b, '"')
	}
	if c.qop {
		b = append(b, `, qop=auth, nc=00000001, cnonce="`...)
		b = append(b, cnonce...)
		b = append(b, '"')
	}
	return append(b, "\r\n"...)
}
