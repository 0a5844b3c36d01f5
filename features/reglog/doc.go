// Package reglog keeps the registration log of clients: when a phone came online
// and when it went offline again. Only extensions of type phone are in it, only
// while their client wants it (the client's reg_status_log), and only the first
// registration that comes and the last that goes, not those between
// (spec/http-api-more-b.md 2).
//
// Ownership: Note is called by whoever hears of registrations, from any
// goroutine, and never waits: what does not fit into a bounded queue is counted
// and lost. Run, one goroutine, writes; what was noted within 200 ms shares one
// commit, so an entry is durable a fraction of a second after Note. List reads
// the store from any goroutine.
//
// Ordering: List goes by the time of the entries, and of those of one moment by
// the order in which they were noted. Keys are numbers of a sequence, so a clock
// that jumps loses nothing. Run removes entries older than the retention.
//
//	log := reglog.New(db, reglog.Options{})
//	go log.Run(ctx) // ends with ctx, when all that was noted is durable
//	log.Note(reglog.Change{Client: 1, Extension: 7, Name: "101", Type: dialplan.TypePhone, Wanted: true, Added: true, Left: 1, At: now})
//	entries, next, err := log.List(reglog.Query{Client: 1, Limit: 50})
package reglog
