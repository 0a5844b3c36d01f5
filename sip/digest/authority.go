package digest

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net/netip"
	"sync"
	"time"
)

// Config of an Authority.
type Config struct {
	// NonceLife is how long a nonce may be used; zero means 60 s (A4).
	NonceLife time.Duration
	// MaxUsed bounds how many used nonces are remembered, at about 40 bytes
	// each; zero means 1<<19. Beyond it the oldest nonces become stale early,
	// which costs their phones one more round trip.
	MaxUsed int
}

const (
	defaultNonceLife = 60 * time.Second
	defaultMaxUsed   = 1 << 19
)

// Authority issues challenges and verifies what comes back.
type Authority struct {
	life    int64 // milliseconds
	mint    *mint
	used    *used
	decoy   Secret // stands in for accounts that do not exist
	scratch sync.Pool
}

// New makes an Authority with a key of its own. Nonces do not outlive it: used
// after a restart they are stale, because what was seen of them is forgotten.
func New(cfg Config) *Authority {
	if cfg.NonceLife <= 0 {
		cfg.NonceLife = defaultNonceLife
	}
	if cfg.MaxUsed <= 0 {
		cfg.MaxUsed = defaultMaxUsed
	}
	var noise [48]byte
	_, _ = rand.Read(noise[:]) // never fails: it ends the process instead
	return &Authority{
		life:    cfg.NonceLife.Milliseconds(),
		mint:    newMint(),
		used:    newUsed(cfg.NonceLife.Milliseconds(), cfg.MaxUsed),
		decoy:   Secret{HA1MD5: hex.EncodeToString(noise[:16]), HA1SHA256: hex.EncodeToString(noise[16:])},
		scratch: sync.Pool{New: func() any { return new(scratch) }},
	}
}

// scratch is what one verification works on.
type scratch struct {
	buf   []byte
	right []byte
	given []byte
}

// Challenge returns the values of the WWW-Authenticate or Proxy-Authenticate
// headers of one 401 or 407, in order. source is the address of the packet that
// is challenged: only it can use the nonce.
func (a *Authority) Challenge(realm string, p Policy, source netip.Addr, stale bool, now time.Time) []string {
	algorithms := p.Algorithms()
	values := make([]string, len(algorithms))
	nonce := a.AppendNonce(make([]byte, 0, nonceText), realm, source, now)
	room := make([]byte, 0, 128+len(realm))
	for i, alg := range algorithms {
		values[i] = string(AppendChallenge(room, realm, nonce, alg, stale))
	}
	return values
}

// AppendNonce appends a new nonce that only source can use, for realm.
func (a *Authority) AppendNonce(dst []byte, realm string, source netip.Addr, now time.Time) []byte {
	a.used.sweep(a.mint.age(now))
	return a.mint.issue(dst, realm, source, now)
}

// AppendChallenge appends the value of one WWW-Authenticate or Proxy-Authenticate
// header with a nonce of AppendNonce; those of one answer share theirs.
func AppendChallenge(b []byte, realm string, nonce []byte, alg Algorithm, stale bool) []byte {
	b = append(b, "Digest realm="...)
	b = quote(b, realm)
	b = append(b, `, nonce="`...)
	b = append(b, nonce...)
	b = append(b, `", algorithm=`...)
	b = append(b, alg.String()...)
	b = append(b, `, qop="auth"`...)
	if stale {
		b = append(b, ", stale=true"...)
	}
	return b
}

// Request is what Verify must know of the request that carries the credentials.
type Request struct {
	Method string
	User   string // of the Request-URI, empty if it has none
	Host   string // of the Request-URI, without port
	// Server is the address the request came to, IPv6 in brackets. A digest uri
	// without a user may name it in place of the Request-URI: SIPp and some
	// gateways sign the server they talk to. Empty: never.
	Server string
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

// String names the outcome for logs.
func (o Outcome) String() string {
	switch o {
	case OK:
		return "ok"
	case Stale:
		return "stale"
	case Foreign:
		return "foreign"
	}
	return "bad"
}

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
// Secret: the path and the time are the same. Only a right digest can be Stale
// or Foreign, so neither tells a stranger anything.
func (a *Authority) Verify(c *Credentials, s Secret, r Request, now time.Time) Verdict {
	if c.Realm != r.Realm {
		return Verdict{Bad, ReasonRealm}
	}
	if !r.Policy.allows(c.Algorithm) {
		return Verdict{Bad, ReasonAlgorithm}
	}
	nonce, ours := a.mint.open(c.nonce, r.Realm, r.Source)
	sameURI := sameTarget(c.uri, r.User, r.Host) || r.Server != "" && sameTarget(c.uri, "", r.Server)
	if !a.fits(c, s, r.Method) {
		return Verdict{Bad, ReasonDigest}
	}
	age := a.mint.age(now)
	switch {
	case !ours:
		return Verdict{Stale, ReasonNonce}
	case age-nonce.at > a.life:
		return Verdict{Stale, ReasonExpired}
	case !sameURI:
		return Verdict{Foreign, ReasonURI}
	case !a.used.take(nonce, c.count):
		return Verdict{Stale, ReasonReplay}
	}
	return Verdict{OK, ReasonNone}
}

// fits compares the digest in constant time. A missing secret is replaced by a
// decoy, which nothing fits.
func (a *Authority) fits(c *Credentials, s Secret, method string) bool {
	ha1, known := s.ha1(c.Algorithm), 1
	if ha1 == "" {
		ha1, known = a.decoy.ha1(c.Algorithm), 0
	}
	sc := a.scratch.Get().(*scratch)
	defer a.scratch.Put(sc)
	sc.right, sc.buf = c.answer(sc.right[:0], sc.buf, ha1, method)
	sc.given = append(sc.given[:0], c.response...)
	for i, b := range sc.given {
		if b >= 'A' && b <= 'F' {
			sc.given[i] = b | 0x20
		}
	}
	return subtle.ConstantTimeCompare(sc.right, sc.given)&known == 1
}
