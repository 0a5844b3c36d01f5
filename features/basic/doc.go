// Package basic holds the effects every call plan is built of: ring an
// extension, reject the caller, echo, music, and saying a number. Each is one
// type in one file, whose comment is its manual.
//
// An effect runs in the script of one call and drives the caller through the
// verbs of call.Call. It reports what happened and never chooses what comes
// next. When its ctx ends it returns at once; the call sees to the rest.
//
//	out, err := basic.Ring{Branch: "1", RingArgs: dialplan.RingArgs{Extension: 7, Timeout: 60}}.Run(ctx, c)
package basic
