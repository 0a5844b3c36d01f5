// Package call is the heart of the switch: a call is one conversation, owned by
// one actor goroutine, that holds legs, runs the steps its Planner decides and
// emits one numbered sequence of events. It knows no SIP, no packets and no
// store; it imports the standard library only.
//
// Ownership: a leg has exactly one owner and moves by offer, accept, move. The
// loop never waits; scripts (Effect.Run) wait, and ask the loop. Order: events
// of one call are totally ordered by Seq; events of two calls are not.
package call
