package location

import (
	"hash/maphash"
	"slices"
	"time"
)

// change is one thing a REGISTER does to the bindings of its extension.
type change struct {
	entry   *entry        // nil: a new binding
	contact int           // index into Request.Contacts; noContact: entry is removed
	granted time.Duration // unless removed
	reason  Reason        // if removed
}

const noContact = -1

func removal(e *entry, why Reason) change { return change{entry: e, contact: noContact, reason: why} }

// plan works out what a REGISTER changes, without changing anything, or why it
// must be refused as a whole (RFC 3261 section 10.3 steps 6 to 8). rec may be
// nil; the changes are appended to out, removals before what needs their place.
func (c *Config) plan(rec *record, r *Request, out []change) ([]change, error) {
	if r.Wildcard {
		return planWildcard(rec, r, out)
	}
	for i := range r.Contacts {
		var err error
		if out, err = c.planContact(rec, r, i, out); err != nil {
			return out, err
		}
	}
	for _, ch := range out {
		if e := ch.entry; e != nil && e.CallID == r.CallID && r.CSeq <= e.CSeq {
			return out, ErrOutOfOrder
		}
	}
	return c.makeRoom(rec, out)
}

func planWildcard(rec *record, r *Request, out []change) ([]change, error) {
	if len(r.Contacts) > 0 || r.Expires != 0 {
		return out, ErrWildcard
	}
	if rec == nil {
		return out, nil
	}
	for _, e := range rec.active {
		if e.CallID == r.CallID && r.CSeq <= e.CSeq {
			return out, ErrOutOfOrder
		}
		out = append(out, removal(e, ReasonUnregistered))
	}
	return out, nil
}

// planContact handles one contact. It renews the binding with an equal URI; else
// the one of the same device, whose other bindings go unless the REGISTER
// mentions them; else it adds one.
func (c *Config) planContact(rec *record, r *Request, i int, out []change) ([]change, error) {
	contact := &r.Contacts[i]
	granted, err := c.grant(contact, r)
	if err != nil {
		return out, err
	}
	for j := i + 1; j < len(r.Contacts); j++ {
		if sameURI(contact.URI, r.Contacts[j].URI) {
			return out, nil // said again further on: the last word counts
		}
	}
	mine := rec.byURI(contact.URI)
	if mine == nil && contact.Instance != "" && rec != nil {
		for _, e := range rec.active {
			if !e.sameDevice(contact) || mentioned(e, r) || planned(e, out) {
				continue
			}
			if mine == nil {
				mine = e
			} else {
				out = append(out, removal(e, ReasonReplaced))
			}
		}
	}
	switch {
	case granted > 0:
		out = append(out, change{entry: mine, contact: i, granted: granted})
	case mine != nil:
		out = append(out, removal(mine, ReasonUnregistered))
	}
	return out, nil
}

// grant is the expiry a contact gets; 0 removes it.
func (c *Config) grant(contact *Contact, r *Request) (time.Duration, error) {
	want := contact.Expires
	if want < 0 {
		want = r.Expires
	}
	if want < 0 {
		want = c.DefaultExpires
	}
	if want > 0 && want < c.MinExpires {
		return 0, ErrTooBrief
	}
	return c.spread(min(want, c.MaxExpires), r), nil
}

// spreadSeed makes the spread another one in every process.
var spreadSeed = maphash.MakeSeed()

// spread shortens an interval by a part that depends on the phone only: an interval
// that is another one each time would have to be stored each time.
func (c *Config) spread(d time.Duration, r *Request) time.Duration {
	if c.Spread < 0 || d <= c.MinExpires {
		return d
	}
	const parts = 1 << 16
	most := d * time.Duration(min(c.Spread, 100)) / 100
	less := most * time.Duration(maphash.String(spreadSeed, r.CallID)%parts) / parts
	return max(d-less, c.MinExpires).Truncate(time.Second)
}

// mentioned reports whether the REGISTER names the contact of e itself.
func mentioned(e *entry, r *Request) bool {
	for i := range r.Contacts {
		if sameURI(e.Contact, r.Contacts[i].URI) {
			return true
		}
	}
	return false
}

func planned(e *entry, out []change) bool {
	for i := range out {
		if out[i].entry == e {
			return true
		}
	}
	return false
}

// makeRoom keeps the limit of contacts. A phone that lost its connection and
// comes back as another contact takes the place of what it left behind.
func (c *Config) makeRoom(rec *record, out []change) ([]change, error) {
	n, adds := 0, 0
	if rec != nil {
		n = len(rec.active)
	}
	for _, ch := range out {
		switch {
		case ch.contact == noContact:
			n--
		case ch.entry == nil:
			n++
			adds++
		}
	}
	if adds == 0 {
		return out, nil // a limit that was lowered ends no phone's refreshes
	}
	for ; n > c.MaxContacts; n-- {
		e := rec.longestSuspended(out)
		if e == nil {
			return out, ErrTooMany
		}
		out = slices.Insert(out, 0, removal(e, ReasonReplaced))
	}
	return out, nil
}
