package sip

import (
	"bytes"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/wire"
)

// taps are the captures that want the messages of some dialogs, by Call-ID. While
// there is none, a message costs one look at a pointer.
type taps struct {
	mu  sync.Mutex // of who changes it
	now atomic.Pointer[map[string]*media.Capture]
}

// Tap lets a capture have the audio of a leg and the messages of its dialog from now
// on. A leg that is gone has nothing more to give.
func (s *Server) Tap(id call.LegID, c *media.Capture) {
	s.eachLeg(func(l *leg) {
		if l.id == id {
			l.session.Tap(c)
			s.taps.change(func(m map[string]*media.Capture) { m[l.dialog.callID] = c })
		}
	})
}

// Untap takes everything away from a capture again.
func (s *Server) Untap(c *media.Capture) {
	mine := map[string]bool{}
	s.taps.change(func(m map[string]*media.Capture) {
		for id, other := range m {
			if other == c {
				mine[id] = true
				delete(m, id)
			}
		}
	})
	s.eachLeg(func(l *leg) {
		if mine[l.dialog.callID] {
			l.session.Tap(nil)
		}
	})
}

// eachLeg runs f for every leg, on its worker.
func (s *Server) eachLeg(f func(*leg)) {
	for _, w := range s.workers {
		w.offer(func() {
			for _, l := range w.legs {
				f(l)
			}
		})
	}
}

func (t *taps) change(f func(map[string]*media.Capture)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := map[string]*media.Capture{}
	if old := t.now.Load(); old != nil {
		maps.Copy(next, *old)
	}
	f(next)
	if len(next) == 0 {
		t.now.Store(nil)
		return
	}
	t.now.Store(&next)
}

// note gives a message to the capture that wants it.
func (t *taps) note(from, to netip.AddrPort, b []byte) {
	m := t.now.Load()
	if m == nil {
		return
	}
	head, ok := wire.Peek(b)
	if !ok {
		return
	}
	if c := (*m)[string(head.CallID)]; c != nil {
		c.Packet(time.Now(), from, to, masked(b))
	}
}

// sent and received note a message on a flow.
func (t *taps) sent(f flow, b []byte) {
	if t.now.Load() != nil {
		t.note(netip.AddrPortFrom(f.own(), f.local().Port()), f.remote(), b)
	}
}

func (t *taps) received(f flow, b []byte) {
	if t.now.Load() != nil {
		t.note(f.remote(), netip.AddrPortFrom(f.own(), f.local().Port()), b)
	}
}

// secrets are what a capture must not show: what follows a name, up to the end given.
var secrets = []struct {
	name, until string
}{
	{"response=\"", "\""}, {"response=", ",\r\n "}, {"inline:", "|\r\n "}, {"a=ice-pwd:", "\r\n"},
}

// masked is a copy of a message in which credentials and keys are stars; its lengths
// stay, so Content-Length does.
func masked(b []byte) []byte {
	out := bytes.Clone(b)
	lower := bytes.ToLower(out)
	for _, x := range secrets {
		for at := 0; ; {
			i := bytes.Index(lower[at:], []byte(x.name))
			if i < 0 {
				break
			}
			at += i + len(x.name)
			if x.name == "response=" && at < len(lower) && lower[at] == '"' {
				continue // in quotes: the other row
			}
			end := bytes.IndexAny(lower[at:], x.until)
			if end < 0 {
				end = len(lower) - at
			}
			for j := at; j < at+end; j++ {
				out[j] = '*'
			}
		}
	}
	return out
}
