// Package ladder shows one call as a ladder: a lane for the caller, the switch
// and each called phone, and on one time axis the messages that went between
// them, the decisions of the switch, the events of the call and what was found
// wrong with its audio. WriteTrace shows the decisions alone, as a tree.
//
// A ladder is a projection of what is kept of a call; the package keeps nothing
// and belongs to whoever calls it. Whoever serves a ladder fills a Call from the
// call's record.
//
// # Order
//
// Rows are ordered by time. The messages of one leg keep their order, and so do
// decisions and events, which share one numbering. Where times are equal, what
// came in stands before what the switch decided, and that before what it sent.
//
//	l := ladder.New(ladder.Call{UUID: id, Started: at, Legs: legs, Trace: trace, Events: events})
//	err := l.WriteText(os.Stdout) // or WriteSVG; the JSON of l is the third form
package ladder
