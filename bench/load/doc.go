// Package load is the phones of the bench: SIP and RTP made from byte templates
// and read by a scanner that knows only what a phone needs. It imports nothing of
// the product, so it is an independent witness of it.
//
// Its owner is the bench's load process: one thread that runs one event loop.
// Both ends of every call live here; work is started in batches when the clock
// says so, and the loop watches itself: a row for which the loop came late, had
// no core left or lost datagrams carries its doubts (Result.Doubts). Times of
// arrival are the kernel's, so a busy loop does not count as delay of what is
// measured.
//
//	result, err := load.Run(ctx, spec) // in a process of its own, on its own core
package load
