package sip

import "net/netip"

// transactionsMost bounds the transactions of a worker that are not over (O5):
// beyond it new work is refused. One far end may have half of them (O3).
var transactionsMost = 1 << 17

// open is with whom a worker has its transactions that are not over.
type open struct {
	with map[netip.Addr]int
	// greedy has as many as one may have; invalid if nobody has.
	greedy netip.Addr
}

// add notes n transactions more with whoever f leads to.
func (o *open) add(f flow, n int) {
	a := sourceOf(f.remote())
	if o.with[a] += n; o.with[a] == 0 {
		delete(o.with, a)
	}
	switch {
	case o.with[a] >= transactionsMost/2:
		o.greedy = a
	case o.greedy == a:
		o.greedy = netip.Addr{}
	}
}

// holdings is how many there are of what a worker keeps.
type holdings struct {
	servers, finished, clients, heard, merged, legs, logs, timers int

	greedy netip.Addr // see open
}

// count is for whoever has the turn.
func (w *worker) count() holdings {
	return holdings{
		servers: len(w.servers), finished: w.kept.len(), clients: len(w.clients), heard: w.heard.len(), merged: len(w.merged),
		legs: len(w.legs), logs: len(w.partings), timers: w.wheel.count,
		greedy: w.open.greedy,
	}
}

// full tells that nothing more should be begun for a source; mu is held.
func (h *holdings) full(source netip.Addr) bool {
	return h.servers+h.clients >= transactionsMost || h.greedy == source
}

// holdings adds up what all workers keep.
func (s *Server) holdings() (sum holdings) {
	for _, w := range s.workers {
		w.mu.Lock()
		h := w.holds
		w.mu.Unlock()
		sum.servers += h.servers
		sum.finished += h.finished
		sum.clients += h.clients
		sum.heard += h.heard
		sum.merged += h.merged
		sum.legs += h.legs
		sum.logs += h.logs
		sum.timers += h.timers
	}
	return sum
}

// kinds of holdings, as the gauge names them; what is kept beside the workers
// follows theirs.
var holdingKinds = []struct {
	name string
	of   func(s *Server) int
}{
	{"server_transactions", func(s *Server) int { return s.holdings().servers }},
	{"finished_transactions", func(s *Server) int { return s.holdings().finished }},
	{"client_transactions", func(s *Server) int { return s.holdings().clients }},
	{"finished_client_transactions", func(s *Server) int { return s.holdings().heard }},
	{"merge_keys", func(s *Server) int { return s.holdings().merged }},
	{"legs", func(s *Server) int { return s.holdings().legs }},
	{"parting_logs", func(s *Server) int { return s.holdings().logs }},
	{"timers", func(s *Server) int { return s.holdings().timers }},
	{"logs", func(s *Server) int { return s.ladders.len() }},
	{"waiting_legs", func(s *Server) int { return s.waiting.len() }},
	{"routes", func(s *Server) int { return s.routes.len() }},
	{"texts_under_way", func(s *Server) int { return s.events.couriers.all() }},
	{"verbs", func(s *Server) int { return s.verbs() }},
}

func (t *ladders) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.legs)
}

func (t *waiting) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, legs := range t.legs {
		n += len(legs)
	}
	return n
}

func (r *routes) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.known)
}

// verbs is how many calls and the store have asked for and not yet got.
func (s *Server) verbs() int {
	n := 0
	for _, w := range s.workers {
		w.mu.Lock()
		n += len(w.jobs)
		w.mu.Unlock()
	}
	return n
}
