package digest

import (
	"errors"
	"strings"
)

// Errors of Parse and ParseChallenge.
var (
	// ErrScheme: not the Digest scheme. Answer as if there were no credentials.
	ErrScheme = errors.New("not digest credentials")
	// ErrUnsupported: whole, but not something a challenge of ours invites to:
	// qop auth-int, another algorithm, a hashed or encoded user name. Answer as
	// if there were no credentials.
	ErrUnsupported = errors.New("unsupported digest parameter")
	// ErrMalformed: mutilated (A6). Answer 400.
	ErrMalformed = errors.New("malformed digest header")
)

// Credentials are the parameters of one Authorization or Proxy-Authorization
// header. Its strings point into the text it was parsed from.
type Credentials struct {
	Username  string // unquoted
	Realm     string // unquoted
	Algorithm Algorithm
	QOP       bool // qop=auth was used; without it RFC 2069 applies

	// As they stand between the quotes: escapes are part of what is hashed.
	nonce, uri, cnonce string
	response           string // hex digits, 32 or 64
	nc                 string // 8 hex digits
	count              uint32 // nc as a number, from 1
}

// The parameters of credentials, as bits of a set.
const (
	hasUsername = 1 << iota
	hasRealm
	hasNonce
	hasURI
	hasResponse
	hasAlgorithm
	hasCNonce
	hasOpaque
	hasQOP
	hasNC
	hasUserhash

	required = hasUsername | hasRealm | hasNonce | hasURI | hasResponse
)

// Parse reads the value of an Authorization or Proxy-Authorization header.
// The error wraps ErrScheme, ErrUnsupported or ErrMalformed. A header that is
// both mutilated and unsupported counts as mutilated.
func Parse(value string) (Credentials, error) {
	var c Credentials
	s, err := scheme(value)
	if err != nil {
		return c, err
	}
	seen := 0
	var foreign error
	for s.next() {
		bit, err := c.set(&s)
		switch {
		case errors.Is(err, ErrUnsupported):
			foreign = err
		case err != nil:
			return Credentials{}, err
		}
		if bit != 0 && seen&bit != 0 {
			return Credentials{}, malformed("repeated " + s.name)
		}
		seen |= bit
	}
	if s.err != nil {
		return Credentials{}, s.err
	}
	if err := c.whole(seen, foreign); err != nil {
		return Credentials{}, err
	}
	return c, nil
}

// set takes over one parameter and returns its bit; parameters it does not know
// have none and are ignored (RFC 7616 section 3.4).
func (c *Credentials) set(s *scanner) (int, error) {
	switch s.name {
	case "username":
		c.Username = s.text()
		return hasUsername, nil
	case "realm":
		c.Realm = s.text()
		return hasRealm, nil
	case "nonce":
		c.nonce = s.raw
		return hasNonce, nil
	case "uri":
		c.uri = s.raw
		return hasURI, nil
	case "response":
		c.response = s.raw
		return hasResponse, nil
	case "algorithm":
		var err error
		c.Algorithm, err = algorithm(s.raw)
		return hasAlgorithm, err
	case "cnonce":
		c.cnonce = s.raw
		return hasCNonce, nil
	case "opaque":
		return hasOpaque, nil // we never send one
	case "qop":
		return hasQOP, c.setQOP(s.raw)
	case "nc":
		return hasNC, c.setNC(s.raw)
	case "userhash":
		if !strings.EqualFold(s.raw, "false") {
			return hasUserhash, unsupported("userhash")
		}
		return hasUserhash, nil
	case "username*":
		return hasUsername, unsupported("encoded user name")
	}
	return 0, nil
}

func (c *Credentials) setQOP(raw string) error {
	if !strings.EqualFold(raw, "auth") {
		return unsupported("qop " + raw)
	}
	c.QOP = true
	return nil
}

func (c *Credentials) setNC(raw string) error {
	n, ok := parseHex32(raw)
	if !ok || n == 0 {
		return malformed("nc is not a count of 8 hex digits")
	}
	c.nc, c.count = raw, n
	return nil
}

// whole checks what only shows once everything was read.
func (c *Credentials) whole(seen int, foreign error) error {
	switch {
	case seen&required != required:
		return malformed("username, realm, nonce, uri or response is missing")
	case c.nonce == "" && c.response == "" && c.uri != "":
		return unsupported("no nonce yet") // so some phones ask for one (3GPP TS 24.229)
	case c.nonce == "" || c.uri == "":
		return malformed("empty nonce or uri")
	case seen&hasQOP != 0 && seen&(hasCNonce|hasNC) != hasCNonce|hasNC:
		return malformed("qop without cnonce and nc")
	case !allHex(c.response):
		return malformed("response is not hex")
	case foreign != nil:
		return foreign // the length of the response follows an algorithm we do not know
	case len(c.response) != 2*c.Algorithm.size():
		return malformed("response has the wrong length")
	}
	return nil
}

func algorithm(raw string) (Algorithm, error) {
	switch {
	case strings.EqualFold(raw, "MD5"):
		return MD5, nil
	case strings.EqualFold(raw, "SHA-256"):
		return SHA256, nil
	}
	return MD5, unsupported("algorithm " + raw)
}

func parseHex32(s string) (n uint32, ok bool) {
	if len(s) != 8 {
		return 0, false
	}
	for i := range len(s) {
		v, ok := hexDigit(s[i])
		if !ok {
			return 0, false
		}
		n = n<<4 | uint32(v)
	}
	return n, true
}

func allHex(s string) bool {
	for i := range len(s) {
		if _, ok := hexDigit(s[i]); !ok {
			return false
		}
	}
	return s != ""
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
