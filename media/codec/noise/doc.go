// Package noise makes the comfort noise of RFC 3389: what a party that has stopped
// sending speech wants to be heard of its room.
//
// A Generator is the state of one stream, belongs to whoever uses it and allocates
// nothing. The zero value is silent.
//
//	var g noise.Generator
//	g.Describe(packet.Payload)
//	g.Add(frame[:160])
package noise
