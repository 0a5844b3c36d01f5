// Package worker encodes Opus in another process: cordpair-worker, which has libopus
// where the machine has it. Foreign code may crash; then the process is started
// again and the calls go on, silent meanwhile.
//
// A Worker is that process, one for all streams of a switch, an Encoder one stream.
// Encode hands in a frame and never waits; what comes of it is fetched with Take,
// some milliseconds later. What is not fetched, what is too much for the process and
// what it had when it ended is lost, as packets are.
//
// Both ends speak in frames over the standard input and output of the process, all
// numbers big end first:
//
//	2 bytes  length of what follows the header
//	1 byte   kind
//	1 byte   0
//	4 bytes  stream, chosen by the switch
//
// The switch sends Samples: 4 bytes number of the frame, 4 bytes rate in Hz, then 10,
// 20, 40 or 60 ms of samples of one channel. The first frame of a stream makes its
// encoder, and 10 s without one end it, so neither end has to tell the other what it
// remembers. The process says Ready, with the version of the library, or Absent, with
// the reason, before anything else; then a Packet for each frame it has encoded: the
// number of the frame and the Opus packet. It ends when its input does.
//
//	w, err := worker.Start("/usr/bin/cordpair-worker", log)
//	e := w.NewEncoder(8000)
//	e.Encode(worker.Tag{Seq: seq}, pcm)
//	tag, n, ok := e.Take(payload)
package worker
