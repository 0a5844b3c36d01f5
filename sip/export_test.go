package sip

import "net/netip"

// Waiting counts the legs that wait for their phone's connection.
func (s *Server) Waiting() int {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	n := 0
	for _, legs := range s.waiting.legs {
		n += len(legs)
	}
	return n
}

// Kept counts what the workers hold: transactions, merge keys and legs. The
// workers must be idle, as after synctest.Wait.
func (s *Server) Kept() (transactions, merged, legs, timers int) {
	for _, w := range s.workers {
		w.turn.Lock()
		w.mu.Lock()
		transactions += len(w.servers) + len(w.clients) + w.kept.len()
		merged += len(w.merged)
		legs += len(w.legs)
		timers += w.wheel.count
		w.mu.Unlock()
		w.turn.Unlock()
	}
	return transactions, merged, legs, timers
}

// NewRoutes is a cache of routes over ask.
func NewRoutes(ask func(netip.Addr) netip.Addr) *routes { return &routes{ask: ask} }

// To is the local address towards remote.
func (r *routes) To(remote netip.Addr) netip.Addr { return r.to(remote) }

// Len is how many routes are kept.
func (r *routes) Len() int { return len(r.known) }
