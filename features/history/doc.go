// Package history turns the event sequence of calls into durable records. It is
// a projection: it hears what the call bus says and has no idea of its own about
// what happened.
//
// The events of a call are written down as they come, once, into its tale (tale.go);
// journal and record have it as it is. A call that starts gets a journal entry, of which
// the record can be made that it would have if the switch were killed at that moment
// (entry.go); what the tale has more is appended when the call is answered, and the whole
// is written again every ten seconds.
// When the call ends, its final record is written within a fraction of a second,
// together with those of other calls, so that one sync of the disk serves many; then
// the entry goes. The journal is
// the daybook of the store, a file that a killed process cannot lose; every ten
// seconds it is turned over to another one, which needs no more than the calls of
// that time. What such a process left in the journal becomes a record at the next
// start, with CauseRestart and the end of the last sign of life, which the journal is
// given once a second while calls are up.
//
// A record has a stored form of its own (coding.go), a sixth of its JSON, whose
// first part is all that lists read. Calls and legs are found by their beginning,
// by client and by extension (query.go), through an index with an entry for all that
// began and was written together (places.go); a running call can be looked at as it is.
//
// Ownership: one goroutine, Run, writes to the open calls; readers read the store,
// and for a call that is not in it yet a copy.
// Order: the writes of a call reach the store in the order of its events.
//
//	h := history.New(db, bus, history.Options{})
//	n, err := h.Recover(ctx)   // after db.OpenRecords
//	err = h.Run(ctx)           // returns when everything published is durable
package history
