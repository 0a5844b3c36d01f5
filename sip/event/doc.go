// Package event is the part of the event framework (RFC 6665) that knows no
// socket: when the NOTIFYs of one subscription go out (Pace), what of a
// subscription outlives the process (Record, Store), what was published for whom
// (Publications, RFC 3903), and what an event package has to offer (Package).
// Package sip holds the dialogs and sends.
//
// Ownership: a Pace and a Record belong to whoever holds the subscription, in
// package sip its worker; they know no lock and no clock. Publications own what is
// published and may be used from any goroutine.
//
// Order: writes of one subscription and of one extension's publications reach the
// store in the order in which they were made. The 200 to a SUBSCRIBE or PUBLISH
// belongs after the done of its write (D1).
//
//	pace.Ask() // a SUBSCRIBE was answered
//	switch act, wait := pace.Next(now); act {
//	case event.Send:
//		notify()
//		pace.Sent(now)
//	case event.Wait:
//		wake(wait)
//	}
package event
