package digest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
)

// Challenge is a parsed WWW-Authenticate or Proxy-Authenticate header.
type Challenge struct {
	Realm     string // unquoted
	Algorithm Algorithm
	QOP       bool // qop auth is offered
	Stale     bool // the password was right, only the nonce was too old

	// As they stand between the quotes.
	realm, nonce, opaque string
	named                bool // the algorithm was named, so the answer names it too
}

// ParseChallenge reads one challenge. The error wraps ErrScheme, ErrUnsupported
// (try the next header) or ErrMalformed.
func ParseChallenge(value string) (Challenge, error) {
	var c Challenge
	s, err := scheme(value)
	if err != nil {
		return c, err
	}
	var foreign error
	hasNonce, hasRealm := false, false
	for s.next() {
		switch s.name {
		case "realm":
			c.Realm, c.realm, hasRealm = s.text(), s.raw, true
		case "nonce":
			c.nonce, hasNonce = s.raw, true
		case "opaque":
			c.opaque = s.raw
		case "stale":
			c.Stale = strings.EqualFold(s.raw, "true")
		case "algorithm":
			c.Algorithm, err = algorithm(s.raw)
			c.named = true
		case "qop":
			c.QOP, err = offersAuth(s.raw)
		}
		if err != nil {
			foreign, err = err, nil
		}
	}
	switch {
	case s.err != nil:
		return Challenge{}, s.err
	case !hasNonce || !hasRealm:
		return Challenge{}, malformed("realm or nonce is missing")
	case foreign != nil:
		return Challenge{}, foreign
	}
	return c, nil
}

// offersAuth looks for auth in a list of qop values. A list without it cannot be
// answered; an empty one means none is used.
func offersAuth(list string) (bool, error) {
	any := false
	for v := range strings.SplitSeq(list, ",") {
		v = strings.Trim(v, " \t")
		if strings.EqualFold(v, "auth") {
			return true, nil
		}
		any = any || v != ""
	}
	if any {
		return false, unsupported("qop " + list)
	}
	return false, nil
}

// Answer is what the answering side adds to a challenge.
type Answer struct {
	User, Password string
	Method         string
	URI            string // the Request-URI
	NC             uint32 // how often the nonce was used, this request included: from 1
	CNonce         string // unpredictable; NewCNonce makes one
}

// Respond renders the value of the Authorization or Proxy-Authorization header.
func (c Challenge) Respond(a Answer) string {
	cr := Credentials{
		Algorithm: c.Algorithm, QOP: c.QOP,
		nonce: c.nonce, uri: a.URI, cnonce: a.CNonce, nc: fmt.Sprintf("%08x", a.NC),
	}
	response, _ := cr.answer(nil, nil, HA1(a.User, c.Realm, a.Password, c.Algorithm), a.Method)
	b := append(make([]byte, 0, 256), "Digest username="...)
	b = quote(b, a.User)
	b = fmt.Appendf(b, `, realm="%s", nonce="%s", uri="%s", response="%s"`, c.realm, c.nonce, a.URI, response)
	if c.named {
		b = append(append(b, ", algorithm="...), c.Algorithm.String()...)
	}
	if c.opaque != "" {
		b = fmt.Appendf(b, `, opaque="%s"`, c.opaque)
	}
	if c.QOP {
		b = fmt.Appendf(b, `, qop=auth, nc=%s, cnonce="%s"`, cr.nc, cr.cnonce)
	}
	return string(b)
}

// NewCNonce is a random client nonce: 32 hex digits.
func NewCNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return hex.EncodeToString(b[:])
}
