// Package jitter holds packets back until it is time to play them: in order, and
// late enough that few are missing.
//
// A Buffer learns how much the packets of one party are delayed against the
// quickest of them and plays each at that quickest one's time plus a delay of 20
// to 200 ms, at which all but one in fifty are there. The delay is set anew at
// every beginning of a talk spurt, after silence or a marker. In speech it grows
// when the buffer runs dry, and where it is too long the packet says so (Hurry),
// for whoever has the samples can shorten a sound without a click. The clocks of
// the two ends differ: the quickest packet counts for some seconds only.
//
// It is pure: time comes in as an argument, in nanoseconds of any clock that does
// not jump. It belongs to one goroutine at a time. It holds 64 packets at most
// and allocates only while it has never held as many, or as long ones.
//
//	b := jitter.New(8000)
//	b.Put(now, jitter.Packet{Seq: seq, TS: ts, Payload: payload}) // on arrival
//	p, what := b.Next(now)                                        // when a frame is wanted
//	b.Advance(160)                                                // what p lasted
package jitter
