package digest

// Challenge is a parsed WWW-Authenticate or Proxy-Authenticate header.
type Challenge struct {
	Realm, Nonce, Opaque string // as they stand between the quotes
	Algorithm            Algorithm
	QOP                  bool // qop auth is offered
	Stale                bool
}

// ParseChallenge reads one challenge. The error wraps ErrScheme, ErrUnsupported
// (try the next header) or ErrMalformed.
func ParseChallenge(value string) (Challenge, error) { return Challenge{}, ErrScheme }

// Answer is what the answering side adds to a challenge.
type Answer struct {
	User, Password string
	Method         string
	URI            string // the Request-URI
	NC             uint32 // how often the nonce was used, this request included: from 1
	CNonce         string // unpredictable; NewCNonce makes one
}

// Respond renders the value of the Authorization or Proxy-Authorization header.
func (c Challenge) Respond(a Answer) string { return "" }

// NewCNonce is a random client nonce.
func NewCNonce() string { return "" }
