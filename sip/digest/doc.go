// Package digest is HTTP digest authentication for SIP: the side that asks
// (RFC 3261 section 22, RFC 7616, RFC 8760), the side that answers (for scripted
// phones and outside lines), and the rules for passwords.
//
// Ownership: an Authority belongs to one SIP edge and may be used from any
// goroutine. It keeps nothing about a nonce until a request with a right digest
// has used it; then it keeps which counts were seen, for the life of the nonce
// and within a fixed number of entries. It starts no goroutine; the caller says
// what time it is, and nonces age by the monotonic reading of that.
//
//	auth := digest.New(digest.Config{})
//	for _, v := range auth.Challenge(realm, digest.PolicyMD5, source, false, now) {
//		// add "WWW-Authenticate: " + v to the 401
//	}
//	...
//	c, err := digest.Parse(authorization)
//	// errors.Is(err, digest.ErrMalformed): 400. Any other error: as if there
//	// were no credentials, 401.
//	v := auth.Verify(&c, secret, digest.Request{Method: "REGISTER", Host: "example.com",
//		Realm: realm, Policy: digest.PolicyMD5, Source: source}, now)
//	// v.Outcome: OK, Stale (401 with stale), Bad (401), Foreign (403)
package digest
