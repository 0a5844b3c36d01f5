// Package actor holds what the actors of the switch share: the mailbox. An
// actor is one goroutine that owns its state and reads one Mailbox; everybody
// else pushes messages and never waits for it.
//
// Ordering: messages of one sender arrive in the order it pushed them.
// Ownership: any goroutine pushes; the actor's goroutine alone takes and closes.
//
//	box := actor.New[message](256)
//	for !(done && box.CloseIfEmpty()) {
//		<-box.Wake()
//		batch = box.TakeAll(batch)
//		for _, m := range batch {
//			m.handle(state)
//		}
//	}
package actor
