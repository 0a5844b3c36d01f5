// Package dialplan decides who is called and why. It is pure: no goroutine, no
// clock, no network and no store. It knows the resources a decision rests on
// (Client, Extension, Phone), compiles the rows of one client into a View, and
// advances the plan of one call from outcome to outcome.
//
// A View is immutable and safe for any number of readers; a write makes a new
// View that shares everything the write did not touch. A State belongs to one
// call. Advance neither keeps nor changes its arguments, so the same arguments
// always give the same answer and a stored trace can be replayed.
//
//	view, err := dialplan.Compile(dialplan.Rows{Client: client, Extensions: rows})
//	if err != nil {
//		return err // names the row and the field at fault
//	}
//	planner := dialplan.Plan(view, dialplan.Facts{Invite: invite}) // a call.Planner
//
// Explain asks the same planner where a call would go, without a call: stated
// outcomes, or the present registrations, stand in for the effects. Replay does it
// with the outcomes of a recorded call.
//
//	x, err := view.Explain(dialplan.Question{From: "101", To: "102", At: now}, registered)
//
// Rows reach the compiler through the root of the module; the package imports
// dialplan/call and nothing else of ours.
package dialplan
