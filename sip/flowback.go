package sip

import (
	"slices"
	"sync"
	"time"

	"github.com/cordpair/cordpair/sip/location"
)

// flowPatience is how long a call waits for the new connection of a phone whose
// old one broke (L2).
const flowPatience = 5 * time.Second

// flowGone suspends what was registered over a lost connection.
func (s *Server) flowGone(f *streamFlow) { s.location.FlowClosed(f.n, time.Now()) }

// bindingBehind is the id of the registration that came over f, or "".
func (s *Server) bindingBehind(extension int64, f flow, now time.Time) string {
	return s.location.Behind(extension, locationFlow(f), now)
}

// follow lets the dialog use the flow its phone is registered on now: it may
// have come back over a new connection or through another NAT mapping (L5).
func (l *leg) follow() {
	if f := l.w.server.flowBehind(l.account.Extension, l.binding, l.w.now); f != nil {
		l.dialog.flow = f
	}
}

// claims are the registrations one call rings, so that a phone that comes back
// as a new one is rung by one of its legs only.
type claims struct {
	mu    sync.Mutex
	known []string
}

func newClaims(bindings []location.Binding) *claims {
	c := &claims{known: make([]string, len(bindings))}
	for i := range bindings {
		c.known[i] = bindings[i].ID
	}
	return c
}

// take reports whether nobody has id yet, and has it from then on.
func (c *claims) take(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.known, id) {
		return false
	}
	c.known = append(c.known, id)
	return true
}

// waiting holds the called legs whose phone lost its connection, by extension.
type waiting struct {
	mu   sync.Mutex
	legs map[int64][]*leg
}

func (t *waiting) add(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.legs == nil {
		t.legs = map[int64][]*leg{}
	}
	t.legs[l.account.Extension] = append(t.legs[l.account.Extension], l)
}

// drop forgets l; harmless if it does not wait.
func (t *waiting) drop(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := l.account.Extension
	rest := slices.DeleteFunc(t.legs[x], func(o *leg) bool { return o == l })
	if len(rest) == 0 {
		delete(t.legs, x)
		return
	}
	t.legs[x] = rest
}

// of returns the legs that wait for extension.
func (t *waiting) of(extension int64) []*leg {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.legs[extension])
}

// awaitFlow waits for the phone's new connection, then gives up (L2). It waits
// before it looks, so that the phone's return is not missed in between.
func (l *leg) awaitFlow() {
	if l.state != legTrying {
		return
	}
	l.w.wakeAfter(&l.calling.flowWait, flowPatience, l)
	l.w.server.waiting.add(l)
	l.lookForFlow()
}

// lookForFlow places the call if the phone is back: under its registration, or
// under a new one that this call does not ring yet.
func (l *leg) lookForFlow() {
	if l.state != legTrying || l.calling.tx != nil {
		return
	}
	s := l.w.server
	for _, b := range s.location.Lookup(l.account.Extension, l.w.now, nil) {
		if b.Suspended || b.ID != l.binding && !b.Flow.Stream() {
			continue
		}
		f := s.flowOf(b.Flow)
		if f == nil || f.closed() || b.ID != l.binding && !l.calling.claims.take(b.ID) {
			continue
		}
		l.w.wheel.stop(&l.calling.flowWait)
		s.waiting.drop(l)
		l.binding, l.dialog.flow = b.ID, f
		l.place(b.Contact)
		return
	}
}

// bindingChanged hears of every change of a binding.
func (s *Server) bindingChanged(ev location.Event) {
	switch ev.Kind {
	case location.Resumed, location.Changed, location.Added:
		for _, l := range s.waiting.of(ev.Binding.Extension) {
			l.do(l.lookForFlow)
		}
	}
	if ev.Kind != location.Refreshed {
		s.phoneChanged(ev)
	}
	s.textsFor(ev)
}
