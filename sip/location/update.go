package location

import (
	"errors"
	"net/netip"
	"slices"
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
	// ErrClosed: the bindings were closed. 503.
	ErrClosed = errors.New("bindings are closed")
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
	// Room is what Result.Bindings may be made of, should it be large enough.
	Room []Binding
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
	sh := b.shard(r.Extension)
	sh.mu.Lock()
	if b.closed.Load() {
		sh.mu.Unlock()
		return Result{}, ErrClosed
	}
	rec := sh.records[r.Extension]
	if rec != nil {
		b.reapRecord(sh, rec, now)
	}
	changes, err := b.cfg.plan(rec, &r, sh.plan)
	sh.plan = changes[:0]
	if err != nil {
		clear(changes)
		b.deliver(sh)
		return Result{}, err
	}
	if rec == nil && len(changes) > 0 {
		rec = newRecord(r.Extension)
		sh.records[r.Extension] = rec
	}
	durable := false
	for _, ch := range changes {
		durable = b.apply(sh, rec, &r, ch, now) || durable
	}
	clear(changes) // the scratch must not hold on to entries
	durable = durable && b.cfg.Store != nil
	if durable {
		b.commit(sh, rec, done)
	}
	res := Result{Bindings: rec.current(now, r.Room[:0]), Pending: durable}
	b.deliver(sh)
	return res, nil
}

// apply makes one change and reports whether it must be durable before the 200.
func (b *Bindings) apply(sh *shard, rec *record, r *Request, ch change, now time.Time) bool {
	switch {
	case ch.contact == noContact:
		b.end(sh, ch.entry, Removed, ch.reason, now)
		return true
	case ch.entry == nil:
		b.add(sh, rec, r, ch, now)
		return true
	}
	return b.renew(sh, ch.entry, r, ch, now)
}

func (b *Bindings) add(sh *shard, rec *record, r *Request, ch change, now time.Time) {
	e := rec.newEntry()
	e.ID, e.Extension, e.Node, e.Registered = newID(), rec.extension, b.cfg.Node, now
	e.take(r, ch, now)
	rec.active = append(rec.active, e)
	rec.ended = nil
	b.enter(e, now)
	sh.due.push(e, e.deadline(b.cfg.SuspendFor))
	b.live.Add(1)
	b.report(sh, Added, "", e, now)
}

// renew refreshes a binding and reports whether anything but time has moved.
func (b *Bindings) renew(sh *shard, e *entry, r *Request, ch change, now time.Time) bool {
	c := &r.Contacts[ch.contact]
	changed := e.Contact != c.URI || e.Flow != r.Flow || e.Source != r.Source || e.Q != c.Q ||
		e.Instance != c.Instance || e.RegID != c.RegID || !slices.Equal(e.Path, r.Path)
	was, lost := e.Flow.Conn, e.Suspended
	// Call-ID and CSeq are of this process: after a restart none is out of order.
	said := e.UserAgent != r.UserAgent || e.Granted != int(ch.granted/time.Second)
	e.take(r, ch, now)
	if e.Flow.Conn != was || lost {
		b.flows.leave(was, e.rec)
		b.enter(e, now)
	}
	sh.due.moveUp(e, e.deadline(b.cfg.SuspendFor))
	kind := Changed
	switch {
	case lost && !e.Suspended:
		kind, changed = Resumed, true
	case !changed:
		kind = Refreshed
		if said || !e.mayLag() {
			b.soil(sh, e.rec)
		} else {
			e.rec.lagging = true
		}
	}
	b.report(sh, kind, "", e, now)
	return changed
}

// enter ties a binding to its connection. One that was lost while its REGISTER
// was being handled leaves the binding suspended.
func (b *Bindings) enter(e *entry, now time.Time) {
	e.Suspended = !b.flows.enter(e.Flow.Conn, e.Extension)
	if e.Suspended {
		e.suspendedAt = now
	}
}
