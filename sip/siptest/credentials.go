package siptest

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// challenge is one Digest challenge (RFC 7616 section 3.3).
type challenge struct {
	header    string // of the answer: Authorization or Proxy-Authorization
	realm     string
	nonce     string
	opaque    string
	algorithm string // as it was written; "" means MD5
	auth      bool   // qop=auth is offered
	stale     bool
	count     int
}

// credentials answer challenges. They keep the last challenge of each kind and
// use its nonce again, as most phones do.
type credentials struct {
	user, password string
	known          []*challenge
}

// learn takes the challenge out of a 401 or 407. It reports whether sending the
// request again has a chance.
func (a *credentials) learn(sent, res *Message) bool {
	from, header := "WWW-Authenticate", "Authorization"
	if res.Code == 407 {
		from, header = "Proxy-Authenticate", "Proxy-Authorization"
	}
	for _, h := range res.Headers {
		if !strings.EqualFold(h.Name, from) {
			continue
		}
		c, ok := parseChallenge(h.Value)
		if !ok {
			continue // an algorithm the phone does not have; the next may do
		}
		c.header = header
		for i, old := range a.known {
			if old.header != header {
				continue
			}
			refused := strings.Contains(sent.Header(header), `nonce="`+old.nonce+`"`) && !c.stale && c.nonce == old.nonce
			a.known[i] = c
			return !refused
		}
		a.known = append(a.known, c)
		return true
	}
	return false
}

func parseChallenge(value string) (*challenge, bool) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return nil, false
	}
	c := &challenge{}
	qop := ""
	for _, field := range splitList(rest) {
		k, v, _ := strings.Cut(field, "=")
		v = strings.Trim(strings.TrimSpace(v), `"`)
		switch strings.ToLower(strings.TrimSpace(k)) {
		case "realm":
			c.realm = v
		case "nonce":
			c.nonce = v
		case "opaque":
			c.opaque = v
		case "algorithm":
			c.algorithm = v
		case "stale":
			c.stale = strings.EqualFold(v, "true")
		case "qop":
			qop = v
		}
	}
	for _, q := range strings.Split(qop, ",") {
		c.auth = c.auth || strings.EqualFold(strings.TrimSpace(q), "auth")
	}
	return c, c.nonce != "" && c.sum("") != "" && (qop == "" || c.auth)
}

// sum hashes with the challenge's algorithm; "" when the phone lacks it.
func (c *challenge) sum(s string) string {
	switch strings.ToUpper(c.algorithm) {
	case "", "MD5":
		h := md5.Sum([]byte(s))
		return hex.EncodeToString(h[:])
	case "SHA-256":
		h := sha256.Sum256([]byte(s))
		return hex.EncodeToString(h[:])
	default:
		return ""
	}
}

// authorize adds the answers to all known challenges.
func (a *credentials) authorize(m *Message) {
	for _, c := range a.known {
		m.add(c.header, c.answer(a.user, a.password, m.Method, m.URI, token()))
	}
}

// answer is the value of the Authorization header (RFC 7616 section 3.4.1).
func (c *challenge) answer(user, password, method, uri, cnonce string) string {
	ha1 := c.sum(user + ":" + c.realm + ":" + password)
	ha2 := c.sum(method + ":" + uri)
	var b strings.Builder
	fmt.Fprintf(&b, `Digest username="%s", realm="%s", nonce="%s", uri="%s"`, user, c.realm, c.nonce, uri)
	if c.auth {
		c.count++
		nc := fmt.Sprintf("%08x", c.count)
		response := c.sum(strings.Join([]string{ha1, c.nonce, nc, cnonce, "auth", ha2}, ":"))
		fmt.Fprintf(&b, `, response="%s", qop=auth, nc=%s, cnonce="%s"`, response, nc, cnonce)
	} else {
		fmt.Fprintf(&b, `, response="%s"`, c.sum(ha1+":"+c.nonce+":"+ha2))
	}
	if c.algorithm != "" {
		fmt.Fprintf(&b, `, algorithm=%s`, c.algorithm)
	}
	if c.opaque != "" {
		fmt.Fprintf(&b, `, opaque="%s"`, c.opaque)
	}
	return b.String()
}
