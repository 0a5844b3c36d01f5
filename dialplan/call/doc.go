// Package call is the heart of the switch: a call is one conversation, owned by
// one actor, that holds legs, runs the steps its Planner decides and emits one
// numbered sequence of events. It knows no SIP, no packets and no store; it imports
// the standard library only.
//
// # Who owns what
//
// A leg has exactly one owner, the Call its Line points to, and moves by offer,
// accept, move (handover.go). A Call's fields belong to its loop (loop.go);
// everybody else posts messages and never waits for it. Only scripts (an
// Effect's Run) and programs outside wait: they ask, with a ctx.
//
// The loop has no goroutine of its own. Whoever posts runs it if nobody else
// does: a leg's event, the edge that starts a call, a timer, a script; for the
// others, who may hold locks or be loops themselves, a goroutine is started that
// ends when nothing waits. The loop never waits for anybody either way. The reason
// is delay: with a goroutine for each call the way from one phone to the other led
// through the scheduler's queue four times, behind whatever else had work, and a
// busy core made an INVITE wait for tens of milliseconds. And a call to which
// nothing happens holds no stack.
//
// # How a call goes
//
// The loop asks the Planner what to do and runs the steps one after another,
// each as a script in a goroutine of its own (script.go), unless it only rings: that
// the loop does itself. A script rings
// (ring.go), plays, answers through the verbs of Call (verbs.go). When two
// parties talk no script runs; the loop itself serves hold and waits for the
// first to leave (talk.go), tells the Planner, and so on until a decision
// without steps. Then every leg is hung up, and the call ends when the last one
// has reported (end.go). state.go has the drawing.
//
// A party that talks may want the other one transferred (transfer.go): by its phone
// or by keys, which a leg script gathers (legscript.go). Then one of the two goes to
// another call by a handover, and the first call waits for what becomes of it. A
// leg that comes in can also take the place of another one (takeover.go).
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
