package digest

import "errors"

// Errors of Parse.
var (
	// ErrScheme: not the Digest scheme. Answer as if there were no credentials.
	ErrScheme = errors.New("not digest credentials")
	// ErrUnsupported: whole, but not something a challenge of ours invites to:
	// qop auth-int, another algorithm, a hashed user name. Answer as if there
	// were no credentials.
	ErrUnsupported = errors.New("unsupported digest credentials")
	// ErrMalformed: mutilated (A6). Answer 400.
	ErrMalformed = errors.New("malformed digest credentials")
)

// Credentials are the parameters of one Authorization or Proxy-Authorization
// header. Its strings point into the text it was parsed from.
type Credentials struct {
	Username  string // unquoted
	Realm     string // unquoted
	Algorithm Algorithm
	QOP       bool // qop=auth was used; without it RFC 2069 applies

	nonce, uri, cnonce string // as they stand between the quotes, escapes included
	response           string // hex digits, 32 or 64
	nc                 string // 8 hex digits
}

// Parse reads the value of an Authorization or Proxy-Authorization header.
// The error wraps ErrScheme, ErrUnsupported or ErrMalformed.
func Parse(value string) (Credentials, error) { return Credentials{}, ErrScheme }
