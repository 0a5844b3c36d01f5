// Package location knows where phones can be reached: the bindings of a registrar
// (RFC 3261 section 10.3), by extension.
//
// Ownership: Bindings owns every binding; what it hands out are copies. It may be
// used from any goroutine. One goroutine, ended by Close, drops what has run out
// and writes refreshes behind. Nothing here waits for the store: an Update that
// adds, changes or removes a contact says so and reports through a callback when
// that is durable; the 200 belongs after it.
//
// Order: updates of one extension are applied, written and reported to
// Config.Events in one order. A refresh that races a removal cannot bring a
// binding back, because every write carries the extension's whole set.
//
//	b, err := location.Open(location.Config{Node: "a", Store: st, Events: publish})
//	...
//	res, err := b.Update(req, time.Now(), func(err error) { answer(res, err) })
//	if err == nil && !res.Pending {
//		answer(res, nil)
//	}
package location
