package cordpair

// Stats is what a switch holds at this moment.
type Stats struct {
	Calls      int // conversations
	Legs       int // INVITE dialogs, those waiting for a last answer included
	Bindings   int // registered contacts
	MediaPorts int // port pairs in use
}

// Stats counts what the switch holds.
func (s *Switch) Stats() Stats {
	return Stats{
		Calls: s.calls.Len(), Legs: s.edge.Legs(), Bindings: s.edge.Bindings().Len(),
		MediaPorts: s.media.Stats().PortsUsed,
	}
}
