// Package ice is the answering half of ICE (RFC 8445): a lite agent on one of our
// media ports, whose address everybody can reach. It answers connectivity checks
// and tells which address the far end has proven to hold, and which one it
// nominated; it sends nothing on its own.
//
// Ownership: an [Agent] belongs to one port and is used by its loop only. Nothing
// here starts a goroutine or does I/O. Order: nothing of a check counts before its
// integrity has been verified (security-reliability M3).
//
//	agent := ice.NewAgent(ice.NewCredentials(), farUfrag)
//	reply, verdict := agent.Answer(datagram, from, now)
package ice
