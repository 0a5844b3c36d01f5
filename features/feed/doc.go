// Package feed is the live view of what happens: the last events of each client
// in a ring, and readers that are cursors into it. The HTTP side makes Server-Sent
// Events of it; kinds and members are those of spec/shapes.md.
//
// Events come from the bus of the calls, and from those who call Registered,
// Unregistered, Changed and Publish. Pressed keys and decisions are not in the
// stream: keys may be PINs, and decisions have a view of their own.
//
// Cost: an event is an append under the lock of its client's ring. It becomes
// JSON when the first reader wants it, once for all of them. A reader that does
// not read costs nothing but its place: nothing is queued for it. Readers that
// wait are woken by Run, at most every 10 ms, never by whoever makes the event.
//
// Numbers: ids rise by one from event to event of a client, over restarts too,
// and never depend on the clock: every start of the switch takes a new block of
// numbers from the store, and so does a life that uses one up. They stay below
// 2^53, so that JavaScript holds them. Memory: Options bounds a client's ring in
// events, bytes and age. What calls say is kept for a client from its first reader
// until Options.Keep after the last has left, and before and after that only
// numbered: nobody has an id to resume from, or has been away for too long. It would
// cost each call 3 kB for nothing.
//
// What a reader gets is the sequence without holes, but for those it is told of:
// one that begins at an id the ring does not hold gets a KindGap first; one that
// falls behind the ring while it reads gets ErrBehind and has to begin again.
// Gaps name ids, not what was in them, and count events of all kinds: a number
// from before a restart always leads to one, since nobody knows any more what
// the reader missed.
//
// Ownership: Run is one goroutine of the owner's (with one of its own). A Reader
// belongs to one goroutine; everything else may be called from any. A ring holds
// events of one client only, and a Reader sees one ring.
//
//	f, err := feed.New(db, bus, feed.Options{})
//	go f.Run(ctx) // ends with ctx; readers then get ErrClosed
//	types, err := feed.ParseTypes("call.*,registration")
//	r := f.Read(client, lastEventID, feed.Filter{Types: types})
//	defer r.Close()
//	for {
//		events, err := r.Next(ctx)
//		if err != nil {
//			return err
//		}
//		for _, ev := range events {
//			fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", ev.ID, ev.Kind, ev.Data)
//		}
//	}
package feed
