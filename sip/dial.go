package sip

import (
	"sync"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/sip/wire"
)

// Dial implements call.Dialer: one leg for every contact of an extension, over
// the flow it registered on.
func (s *Server) Dial(owner *call.Call, to call.Target) ([]call.Leg, call.Cause) {
	account, ok := s.directory.Extension(to.Extension)
	if !ok {
		return nil, call.CauseUnreachable
	}
	var room [4]location.Binding
	bindings := s.location.Lookup(to.Extension, time.Now(), room[:0])
	cause := call.CauseUnreachable
	var legs []call.Leg
	for i := range bindings {
		l, err := s.dialBinding(owner, account, &bindings[i], to)
		if err != nil {
			cause = call.CauseOverload
			continue
		}
		legs = append(legs, l)
	}
	if len(legs) == 0 {
		return nil, cause
	}
	return legs, ""
}

// dialBinding makes the leg and lets its worker begin.
func (s *Server) dialBinding(owner *call.Call, a Account, b *location.Binding, to call.Target) (*leg, error) {
	callID := newCallID()
	w := s.workers[hashCallID([]byte(callID))%uint64(len(s.workers))]
	f := s.flowOf(b.Flow)
	if f == nil {
		return nil, errFlowClosed // its listener no longer exists
	}
	l, err := s.newLeg(w, a, f)
	if err != nil {
		s.metrics.refused("no_media_port")
		return nil, err
	}
	l.Attach(owner)
	l.calling = &calling{binding: b.ID}
	l.calling.like, _ = to.Peer.(*media.Session)
	tag := newTag()
	l.dialog = dialog{
		callID: callID, localTag: tag, flow: f,
		local:  fromOf(to.From, a.Domain) + ";tag=" + tag,
		remote: "<sip:" + escapeUser(a.Number) + "@" + a.Domain + ">",
	}
	contact, reachable := b.Contact, !b.Suspended && !f.closed()
	w.do(func() {
		w.addLeg(l)
		if reachable {
			l.place(contact)
		} else {
			l.awaitFlow()
		}
	})
	return l, nil
}

// fromOf is the From of a call to a phone; a hidden caller shows nothing
// (RFC 3323).
func fromOf(p call.Party, domain string) string {
	if p.Anonymous {
		return `"Anonymous" <sip:anonymous@anonymous.invalid>`
	}
	if p.Domain != "" {
		domain = p.Domain
	}
	uri := "<sip:" + escapeUser(p.Number) + "@" + domain + ">"
	if p.Name == "" {
		return uri
	}
	return wire.Quote(wire.Clean(p.Name)) + " " + uri
}

// flowOf finds the way back to a binding: its listener over UDP, its connection
// over a stream. A connection that is gone still tells which address to
// announce. nil when the listener does not exist any more.
func (s *Server) flowOf(f location.Flow) flow {
	if !f.Stream() {
		for _, l := range s.udp {
			if l.name == f.Listener {
				return udpFlow{l: l, to: f.Remote}
			}
		}
		return nil
	}
	if up := s.streams.find(f.Conn); up != nil {
		return up
	}
	for _, l := range s.tcp {
		if l.name == f.Listener {
			lost := &streamFlow{table: s.streams, l: l, to: f.Remote}
			lost.down.Store(true)
			return lost
		}
	}
	return nil
}

// flowGone suspends what was registered over a lost connection.
func (s *Server) flowGone(f *streamFlow) { s.location.FlowClosed(f.n, time.Now()) }

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

// take removes and returns the legs that wait for extension.
func (t *waiting) take(extension int64) []*leg {
	t.mu.Lock()
	defer t.mu.Unlock()
	legs := t.legs[extension]
	delete(t.legs, extension)
	return legs
}

// awaitFlow waits for the phone's new connection, then gives up (L2).
func (l *leg) awaitFlow() {
	if l.state != legTrying {
		return
	}
	l.w.after(&l.calling.flowWait, flowPatience, l.unreachable)
	l.w.server.waiting.add(l)
	// The phone may have come back between the look-up and now.
	l.w.server.flowBack(l.account.Extension)
}

// flowBack lets the legs go on that wait for this extension's phone.
func (s *Server) flowBack(extension int64) {
	for _, l := range s.waiting.take(extension) {
		l.w.do(l.flowReturned)
	}
}

func (l *leg) flowReturned() {
	if l.state != legTrying || l.calling.tx != nil {
		return
	}
	s := l.w.server
	for _, b := range s.location.Lookup(l.account.Extension, l.w.now, nil) {
		if b.ID != l.calling.binding || b.Suspended {
			continue
		}
		if f := s.flowOf(b.Flow); f != nil && !f.closed() {
			l.w.wheel.stop(&l.calling.flowWait)
			l.dialog.flow = f
			l.place(b.Contact)
			return
		}
	}
	s.waiting.add(l)
}

// bindingChanged hears of every change of a binding.
func (s *Server) bindingChanged(ev location.Event) {
	switch ev.Kind {
	case location.Resumed, location.Changed, location.Added:
		s.flowBack(ev.Binding.Extension)
	}
}
