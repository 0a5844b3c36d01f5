// Package actor holds what the actors of the switch share: the mailbox. An
// actor owns its state and reads one Mailbox; everybody else pushes messages and
// never waits for it. It is a goroutine, or it is shared: then whoever has pushed
// runs it while it has something to do, one at a time, and it costs neither a
// goroutine nor a hand-over to one.
//
// Ordering: messages of one sender arrive in the order it pushed them.
// Ownership: any goroutine pushes; the actor's goroutine, or whoever has the turn
// of a shared actor, alone takes and closes.
//
//	box := actor.New[message](256)
//	for !(done && box.CloseIfEmpty()) {
//		<-box.Wake()
//		batch = box.TakeAll(batch)
//		for _, m := range batch {
//			m.handle(state)
//		}
//	}
//
// and shared:
//
//	var box actor.Mailbox[message]
//	box.Share(256)
//	box.Push(m)
//	if box.Enter() {
//		for batch, ok := box.TakeOrLeave(); ok; batch, ok = box.TakeOrLeave() {
//			…
//		}
//	}
package actor
