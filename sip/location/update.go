package location

import (
	"errors"
	"net/netip"
	"time"
)

// Errors of Update. Nothing was changed.
var (
	// ErrOutOfOrder: same Call-ID and no higher CSeq than a binding has
	// (RFC 3261 10.3 step 7). 500.
	ErrOutOfOrder = errors.New("register out of order")
	// ErrTooBrief: an expiry below Config.MinExpires but not 0. 423 with
	// Min-Expires.
	ErrTooBrief = errors.New("interval too brief")
	// ErrTooMany: more contacts than Config.MaxContacts. 403.
	ErrTooMany = errors.New("too many contacts")
	// ErrWildcard: Contact * with other contacts or an expiry other than 0. 400.
	ErrWildcard = errors.New("wildcard contact needs expires 0 and stands alone")
)

// NoExpires says that a header or parameter gave no expiry.
const NoExpires = time.Duration(-1)

// Contact is one value of the Contact header of a REGISTER.
type Contact struct {
	URI      string        // without < >
	Expires  time.Duration // of the parameter; NoExpires without one
	Q        int           // 0 to 1000; 1000 without the parameter
	Instance string        // +sip.instance, unquoted, or empty
	RegID    int           // reg-id, or 0
}

// Request is an authenticated REGISTER. Update copies what it keeps, so the
// strings may point into a packet.
type Request struct {
	Extension int64
	CallID    string
	CSeq      uint32
	Contacts  []Contact     // none: a fetch
	Wildcard  bool          // Contact: *
	Expires   time.Duration // of the Expires header; NoExpires without one
	Flow      Flow
	Source    netip.AddrPort
	Path      []string
	UserAgent string
}

// Result of an Update.
type Result struct {
	// Bindings are all current ones of the extension, for the 200.
	Bindings []Binding
	// Pending: something was added, changed or removed, and the done callback
	// reports when that is durable. Otherwise done is never called.
	Pending bool
}

// Update applies a REGISTER, all of it or nothing (RFC 3261 section 10.3). It
// never waits. done is called once if Result.Pending, from any goroutine and
// possibly before Update returns; after an error of the store the answer is 500
// and the change stays, to be written again.
func (b *Bindings) Update(r Request, now time.Time, done func(error)) (Result, error) {
	return Result{}, nil
}
