// Package reginfo is the event package reg (RFC 3680): which phones of an
// extension are registered, as application/reginfo+xml. The answer to a SUBSCRIBE
// is full state, what follows says only what changed.
//
// Who may watch: an extension its own registrations, because they tell where its
// phones are. Everybody else is refused, whether the resource exists or not.
//
// A Package holds nothing and may be used from any goroutine. What one
// subscription has been told travels with it as Query.Seen.
//
//	p := reginfo.New(bindings)
//	doc, ok := p.Document(event.Query{Resource: r, Full: true, Now: time.Now()})
package reginfo
