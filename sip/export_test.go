package sip

import (
	"net/netip"
	"time"
)

// Waiting counts the legs that wait for their phone's connection.
func (s *Server) Waiting() int {
	return s.waiting.len()
}

// Kept counts what the workers hold: transactions, merge keys and legs. The
// workers must be idle, as after synctest.Wait.
func (s *Server) Kept() (transactions, merged, legs, timers int) {
	for _, w := range s.workers {
		w.turn.Lock()
		w.mu.Lock()
		transactions += len(w.servers) + len(w.clients) + w.kept.len() + w.heard.len()
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
func (r *routes) Len() int { return r.len() }

// Allowance is an allowance.
type Allowance struct{ allowance }

// NewAllowance allows one part in share, and most at once.
func NewAllowance(share int, most time.Duration) *Allowance {
	return &Allowance{allowance{share: share, most: most}}
}

// Open tells whether anything is left.
func (a *Allowance) Open(now time.Time) bool { return a.open(now) }

// Spend takes what was used for n refusals.
func (a *Allowance) Spend(d time.Duration, n int) { a.spend(d, n) }

// Fair is a lane.
type Fair struct{ q fair }

// NewFair is a lane with bounds.
func NewFair(most, mostBytes int) *Fair { return &Fair{newFair(most, mostBytes)} }

// Push adds a message.
func (f *Fair) Push(from netip.AddrPort, text string, now time.Time) bool {
	return f.q.push(packet{from: from, data: []byte(text), at: now})
}

// Take takes messages.
func (f *Fair) Take(n int) (list []string) {
	for _, p := range f.q.take(nil, n) {
		list = append(list, string(p.data))
	}
	return list
}

// Len is how many wait.
func (f *Fair) Len() int { return f.q.count }

// SetTransactionsMost changes the bound before a server starts and gives the old
// one back.
func SetTransactionsMost(n int) (was int) {
	was, transactionsMost = transactionsMost, n
	return was
}

// Masked is what a capture shows of a message.
func Masked(s string) string { return string(masked([]byte(s))) }
