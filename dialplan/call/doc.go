// Package call is the heart of the switch: a call is one conversation, owned by
// one actor goroutine, that holds legs, runs the steps its Planner decides and
// emits one numbered sequence of events. It knows no SIP, no packets and no
// store; it imports the standard library only.
//
// # Who owns what
//
// A leg has exactly one owner, the Call its Line points to, and moves by offer,
// accept, move (handover.go). A Call's fields belong to its loop (loop.go);
// everybody else posts messages and never waits for it. Only scripts (an
// Effect's Run) and programs outside wait: they ask, with a ctx.
//
// # How a call goes
//
// The loop asks the Planner what to do and runs the steps one after another,
// each as a script in a goroutine of its own (script.go). A script rings
// (ring.go), plays, answers through the verbs of Call (verbs.go). When two
// parties talk no script runs; the loop itself serves hold and waits for the
// first to leave (talk.go), tells the Planner, and so on until a decision
// without steps. Then every leg is hung up, and the call ends when the last one
// has reported (end.go). state.go has the drawing.
//
// # Order
//
// Events of one call are totally ordered by Seq; events of two calls are not.
// Events of one leg are handled in the order emitted, except that a handover
// under way may let one overtake another; hold and resume notice that.
//
//	reg := call.NewRegistry(call.Config{Dialer: d, Mixer: m, Effects: e, Plan: p})
//	c, err := reg.Start(leg, call.Invite{Client: 1, From: caller, Dialled: "102"})
//	if err != nil {
//		leg.Hangup(call.CauseOverload) // still ours
//	}
//	…
//	reg.Drain(ctx)
//	reg.Close()
package call
