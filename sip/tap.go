package sip

import (
	"bytes"
	"maps"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/wire"
)

// taps are the captures that want the messages of some dialogs. While there is none, a
// message costs one look at a pointer.
type taps struct {
	mu  sync.Mutex // of who changes it
	now atomic.Pointer[tapped]
}

// tapped is what captures want. A value never changes.
type tapped struct {
	dialogs map[string]*media.Capture  // messages, by Call-ID
	calls   map[call.ID]*media.Capture // all legs, those to come included
	next    map[int64]*awaitedCall     // by extension
}

// tappedMost bounds the dialogs of phones that try in vain.
const tappedMost = 256

// awaitedCall is the next call of an extension, which somebody wants to record.
type awaitedCall struct {
	extension int64
	capture   *media.Capture
	began     func(call.ID)
	leg       call.LegID // of the caller whose call is about to begin; empty without one
}

// TapCall lets a capture have the legs that a call gets from now on; those it has are
// for TapLeg. False: another capture has it.
func (s *Server) TapCall(id call.ID, c *media.Capture) (free bool) {
	s.taps.change(func(t *tapped) {
		if other := t.calls[id]; other == nil || other == c {
			t.calls[id], free = c, true
		}
	})
	return free
}

// TapNext lets a capture have the next call from or to an extension, from its INVITE
// on: from is tried too, even if we refuse it. began is told which call it is, once,
// and must not wait. False: another capture waits for it.
func (s *Server) TapNext(extension int64, c *media.Capture, began func(call.ID)) (free bool) {
	s.taps.change(func(t *tapped) {
		if free = t.next[extension] == nil; free {
			t.next[extension] = &awaitedCall{extension: extension, capture: c, began: began}
		}
	})
	return free
}

// TapLeg lets a capture have the audio of a leg and the messages of its dialog from now
// on, after what it takes to understand them: the INVITE of a caller who waits for his
// answer, or the descriptions in force. False: the leg is gone, or its worker has yet
// to hear of it.
func (s *Server) TapLeg(id call.LegID, c *media.Capture) bool {
	l := s.ladders.leg(id)
	if l == nil {
		return false
	}
	l.do(func() {
		if t := s.taps.now.Load(); l.state == legEnding || l.state == legGone || t != nil && t.dialogs[l.dialog.callID] != nil {
			return
		}
		l.tap(c)
		l.recall(c)
	})
	return true
}

// Untap takes everything away from a capture again.
func (s *Server) Untap(c *media.Capture) {
	var mine []string
	s.taps.change(func(t *tapped) {
		for id, other := range t.dialogs {
			if other == c {
				mine = append(mine, id)
				delete(t.dialogs, id)
			}
		}
		maps.DeleteFunc(t.calls, func(_ call.ID, other *media.Capture) bool { return other == c })
		maps.DeleteFunc(t.next, func(_ int64, n *awaitedCall) bool { return n.capture == c })
	})
	for _, l := range s.ladders.legsOf(mine) {
		l.session.Untap(c)
	}
}

func (t *taps) change(f func(*tapped)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := &tapped{map[string]*media.Capture{}, map[call.ID]*media.Capture{}, map[int64]*awaitedCall{}}
	if old := t.now.Load(); old != nil {
		maps.Copy(next.dialogs, old.dialogs)
		maps.Copy(next.calls, old.calls)
		maps.Copy(next.next, old.next)
	}
	f(next)
	if len(next.dialogs)+len(next.calls)+len(next.next) == 0 {
		next = nil
	}
	t.now.Store(next)
}

// tap lets a capture have a leg from now on.
func (l *leg) tap(c *media.Capture) {
	l.session.Tap(c)
	l.w.server.taps.change(func(t *tapped) { t.dialogs[l.dialog.callID] = c })
}

// arrives notes the INVITE of a caller whose next call is wanted. It was received
// before anybody knew whose it is.
func (t *taps) arrives(m *wire.Message, f flow, extension int64) {
	now := t.now.Load()
	if now == nil || now.next[extension] == nil || len(now.dialogs) >= tappedMost {
		return
	}
	c := now.next[extension].capture
	t.change(func(t *tapped) { t.dialogs[strings.Clone(m.CallID())] = c })
	t.received(f, []byte(m.Text()))
}

// opened notes the leg of such a caller.
func (t *taps) opened(l *leg) {
	now := t.now.Load()
	if now == nil || now.dialogs[l.dialog.callID] == nil {
		return
	}
	l.session.Tap(now.dialogs[l.dialog.callID])
	t.change(func(t *tapped) {
		if n := t.next[l.account.Extension]; n != nil {
			t.next[n.extension] = &awaitedCall{n.extension, n.capture, n.began, l.id}
		}
	})
}

// started notes the call of such a caller.
func (t *taps) started(l *leg, id call.ID) {
	if now := t.now.Load(); now != nil {
		if n := now.next[l.account.Extension]; n != nil && n.leg == l.id {
			t.settle(n, id)
		}
	}
}

// called taps the leg of a called party before its first message, if its call is
// wanted.
func (t *taps) called(l *leg, owner *call.Call) {
	now := t.now.Load()
	if now == nil {
		return
	}
	id, info := owner.ID(), owner.Info()
	for _, n := range now.next {
		if _, calling := info.Leg(n.leg); calling || n.extension == l.account.Extension {
			t.settle(n, id)
		}
	}
	if now = t.now.Load(); now != nil && now.calls[id] != nil {
		l.tap(now.calls[id])
	}
}

// settle: the call that was waited for is this one, unless another capture has it.
func (t *taps) settle(n *awaitedCall, id call.ID) {
	settled := false
	t.change(func(t *tapped) {
		if now := t.next[n.extension]; now != nil && now.capture == n.capture && t.calls[id] == nil {
			t.calls[id], settled = n.capture, true
			delete(t.next, n.extension)
		}
	})
	if settled {
		n.began(id)
	}
}

// recall gives a capture what it has missed of a leg that goes on.
func (l *leg) recall(c *media.Capture) {
	f := l.dialog.flow
	here := netip.AddrPortFrom(f.own(), f.local().Port())
	if m := l.invite.request; l.state == legTrying && m != nil {
		c.Packet(time.Now(), f.remote(), here, masked([]byte(m.Text())))
		return
	}
	theirs, ours := l.session.InForce()
	if theirs == nil {
		return
	}
	via := "Via: SIP/2.0/" + f.transport() + " " + f.remote().String() + ";branch=z9hG4bK-in-force\r\n"
	rest := via + "From: " + l.dialog.remote + "\r\nTo: " + l.dialog.local + "\r\nCall-ID: " + l.dialog.callID +
		"\r\nCSeq: 1 INVITE\r\nSubject: in force when the capture began, written by it and not sent\r\n"
	c.Packet(time.Now(), f.remote(), here, described("INVITE "+sipURI(l.account.Number, f.local(), f.transport())+" SIP/2.0\r\n"+rest, theirs))
	c.Packet(time.Now(), here, f.remote(), described("SIP/2.0 200 In force\r\n"+rest, ours))
}

// described ends a message with a description.
func described(head string, body []byte) []byte {
	return append([]byte(head+"Content-Type: "+typeSDP+"\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"), body...)
}

// note gives a message to the capture that wants it.
func (t *taps) note(from, to netip.AddrPort, b []byte) {
	now := t.now.Load()
	if now == nil {
		return
	}
	head, ok := wire.Peek(b)
	if !ok {
		return
	}
	if c := now.dialogs[string(head.CallID)]; c != nil {
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
// stay, so Content-Length does. An a=crypto is called a=masked: the packets beside it
// are in the clear, and who reads the file would take them for encrypted.
func masked(b []byte) []byte {
	out := bytes.Clone(b)
	lower := bytes.ToLower(out)
	for at := 0; ; at++ {
		i := bytes.Index(lower[at:], []byte("\na=crypto:"))
		if i < 0 {
			break
		}
		at += i
		copy(out[at:], "\na=masked:")
	}
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
