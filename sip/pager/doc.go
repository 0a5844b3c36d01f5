// Package pager keeps text messages (RFC 3428) that could not be delivered, until
// their target registers or their life ends.
//
// Ownership: Messages own what is stored, in memory and in the store; what they
// hand out must not be changed. They may be used from any goroutine and wait for
// nothing: Put reports through done when the message is durable, the 202 belongs
// after it (D1).
//
// Order: the messages of one target leave in the order in which they were put.
// Delivery is at least once: a crash between a phone's 200 and the removal sends
// the message again after the restart, with the same ID.
//
//	err := messages.Put(m, func(err error) { answer(err) })
//	...
//	for m, ok := messages.First(target, now); ok; m, ok = messages.First(target, now) {
//		if deliver(m) {
//			messages.Remove(target, m.ID)
//		}
//	}
package pager
