package sip

import (
	"errors"
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
	known := newClaims(bindings)
	for i := range bindings {
		l, err := s.dialBinding(owner, account, &bindings[i], to, known)
		if err != nil {
			if !errors.Is(err, errFlowClosed) {
				cause = call.CauseOverload
			}
			continue
		}
		legs = append(legs, l)
	}
	if len(legs) == 0 {
		return nil, cause
	}
	return legs, ""
}

// errNoWorker: the one of a new leg is far behind, or has ended.
var errNoWorker = errors.New("sip: no worker for a leg")

// dialBinding makes the leg and lets its worker begin.
func (s *Server) dialBinding(owner *call.Call, a Account, b *location.Binding, to call.Target, known *claims) (*leg, error) {
	f := s.flowOf(b.Flow)
	if f == nil {
		return nil, errFlowClosed // its listener no longer exists
	}
	callID, tag := newCallID(), newTag()
	called := &calledLeg{calling: calling{claims: known, diverted: to.Diverted, by: to.By}}
	l := &called.leg
	if err := l.open(s.workerOf([]byte(callID)), a, f, to.Urgent); err != nil {
		s.metrics.refused("no_media_port")
		return nil, err
	}
	l.Attach(owner)
	l.binding, l.calling = b.ID, &called.calling
	l.calling.like, _ = to.Peer.(*media.Session)
	l.calling.contact, l.calling.reachable = b.Contact, !b.Suspended && !f.closed()
	l.meets(to.From)
	from := l.shown
	if from == "" {
		from = fromOf(to.From, a.Domain)
	}
	l.dialog = dialog{
		callID: callID, localTag: tag, flow: f, remoteSeq: -1,
		local:  from + ";tag=" + tag,
		remote: "<sip:" + escapeUser(a.Number) + "@" + a.Domain + ">",
	}
	s.taps.called(l, owner)
	if !l.w.post(job{leg: l, verb: verbPlace}) {
		l.session.Close()
		return nil, errNoWorker
	}
	return l, nil
}

// callPhone begins a called leg.
func (l *leg) callPhone() {
	l.w.addLeg(l)
	if l.calling.reachable {
		l.place(l.calling.contact)
	} else {
		l.awaitFlow()
	}
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
	uri := escapeUser(p.Number)
	if p.Name == "" {
		return "<sip:" + uri + "@" + domain + ">"
	}
	return `"` + wire.Escape(p.Name) + `" <sip:` + uri + "@" + domain + ">"
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
