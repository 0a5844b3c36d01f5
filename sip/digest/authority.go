package digest

import (
	"net/netip"
	"time"
)

// Config of an Authority.
type Config struct {
	// NonceLife is how long a nonce may be used; zero means 60 s (A4).
	NonceLife time.Duration
	// MaxUsed bounds how many used nonces are remembered; zero means 1<<19.
	// Beyond it the oldest nonces become stale early, which costs their phones
	// one more round trip.
	MaxUsed int
}

// Authority issues challenges and verifies what comes back.
type Authority struct{}

// New makes an Authority with a key of its own. Nonces do not outlive it: used
// after a restart they are stale, because what was seen of them is forgotten.
func New(cfg Config) *Authority { return &Authority{} }

// Challenge returns the values of the WWW-Authenticate or Proxy-Authenticate
// headers of one 401 or 407, in order. source is the address of the packet that
// is challenged: only it can use the nonce.
func (a *Authority) Challenge(realm string, p Policy, source netip.Addr, stale bool, now time.Time) []string {
	return nil
}

// Request is what Verify must know of the request that carries the credentials.
type Request struct {
	Method string
	User   string // of the Request-URI, empty if it has none
	Host   string // of the Request-URI, without port
	Realm  string // the realm the account belongs to
	Policy Policy
	Source netip.Addr
}

// Outcome of a verification.
type Outcome int

// The outcomes.
const (
	// Bad: wrong password, unknown user, another realm. Challenge again; counts
	// as a failure (A8).
	Bad Outcome = iota
	// Stale: the password is right, the nonce cannot be used (any more).
	// Challenge again with stale.
	Stale
	// Foreign: everything is right but the digest was made for another
	// Request-URI (A5). 403.
	Foreign
	// OK: the request comes from who it says.
	OK
)

// Verdict is the answer of Verify.
type Verdict struct {
	Outcome Outcome
	Reason  Reason
}

// Reason explains a verdict in logs and traces, never to the far end.
type Reason string

// The reasons.
const (
	ReasonNone      Reason = ""
	ReasonDigest    Reason = "wrong password or unknown user"
	ReasonRealm     Reason = "another realm"
	ReasonAlgorithm Reason = "algorithm not allowed"
	ReasonNonce     Reason = "nonce not ours, or from another address or realm"
	ReasonExpired   Reason = "nonce expired"
	ReasonReplay    Reason = "nonce count already used"
	ReasonURI       Reason = "digest uri names another user or host"
)

// Verify checks credentials. For an account that does not exist pass the zero
// Secret: the path and the time are the same.
func (a *Authority) Verify(c *Credentials, s Secret, r Request, now time.Time) Verdict {
	return Verdict{}
}
