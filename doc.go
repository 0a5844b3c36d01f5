// Package cordpair is a softswitch as a Go library: SIP phones register to it,
// it runs the dial plan, and everything durable lies in one data folder. It is
// also the only place that knows everybody: it opens the store, the media
// engine, the SIP edge and the calls, and hands each what it asks for.
//
//	sw, err := cordpair.Open(cordpair.DefaultConfig())
//	if err != nil {
//		return err
//	}
//	client, err := sw.AddClient(cordpair.Client{Name: "Acme", Domain: "sip.acme.example"})
//	...
//	phone, err := sw.AddPhone(client.ID, cordpair.NewPhone{Number: "101", Label: "Reception"})
//	...
//	return sw.Run(ctx) // until ctx ends; then calls are drained and the data folder closed
//
// Ownership: a Switch owns its data folder, sockets and goroutines from Open
// until Run or Close returns. Its methods may be called from any goroutine.
package cordpair
