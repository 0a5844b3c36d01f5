package media

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// Session is the audio of one leg. Its methods may be called from any goroutine
// and return at once.
type Session struct {
	source netip.Addr // where its SIP comes from; may be invalid
	pool   *pool
	stream stream
	terms  atomic.Pointer[terms] // what the stream has adopted or soon will

	// negotiating guards talk. It is taken before Engine.mu.
	negotiating sync.Mutex
	talk        negotiation

	// Guarded by Engine.mu.
	loop     *loop
	place    int      // in Engine.sessions
	pending  []errand // for the loop it moves to
	final    Stats
	hears    *Session // whose packets the party hears; itself for echo
	turn     uint64   // numbers what it hears from sessions
	born     uint64   // rises from session to session
	listener *Session // who hears this party
	player   *player  // what the party hears instead
	extra    *extras  // nil for audio only; written under negotiating too
	moving   bool     // between two loops; what is posted waits in pending
	closed   bool
	follows  bool // it is this party that has to take the other's codec
	refused  bool // the party did not take it
	waits    bool // its offer is answered when the joined party has followed
}

// newSession makes a session of a fresh port pair.
func newSession(e *Engine, cfg SessionConfig, p *pool, x *pair) *Session {
	s := &Session{source: cfg.SIPSource.Unmap().WithZone(""), pool: p}
	s.talk.writer.ID = s.stream.begin(e, cfg.Events, x)
	s.talk.local, s.talk.shown = x.local, x.local.Addr()
	s.talk.encryption, s.talk.browser = cfg.Encryption, cfg.Browser
	if cfg.Encryption == EncryptDefault {
		s.talk.encryption = e.cfg.Encryption
	}
	if cfg.Announce.IsValid() {
		s.talk.shown = cfg.Announce.Unmap()
	}
	return s
}

// Stats are the counters up to now; the final ones after Close.
func (s *Session) Stats() Stats {
	e := s.stream.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.closed {
		return s.final
	}
	return s.count()
}

// count reads the counters.
func (s *Session) count() Stats {
	st := s.stream.counters.stats()
	seen := s.stream.seen.Load()
	if seen != nil {
		st.FirstAt = seen.first
	}
	if t := s.terms.Load(); t != nil {
		st.Codec, st.Signalled = t.Codec.Name, t.signalled()
		if seen != nil {
			st.Source = seen.under(t)
		}
	}
	return st
}

// LocalAddr is where the session receives RTP.
func (s *Session) LocalAddr() netip.AddrPort { return s.talk.local }

// Close ends the session and reports the final counters: whoever heard this
// party hears nothing, a playback to it ends with ErrClosed, and its ports go
// back to the pool. It is idempotent.
func (s *Session) Close() Stats {
	e := s.stream.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.closed {
		return s.final
	}
	s.waits = false
	s.setSource(nil, nil, ErrClosed)
	if s.listener != nil {
		s.listener.setSource(nil, nil, ErrClosed)
	}
	s.unlink()
	s.closeLines(func(*line) bool { return false })
	s.closed = true
	s.final = s.count()
	e.ended.add(s.final)
	e.forget(s)
	s.postLater(errand{do: (*Session).leave, s: s})
	return s.final
}

// enter is the first thing a session does, on its loop.
func (s *Session) enter(*terms) { s.attach(s.loop) }

// attach makes the session's ports known to a loop, on that loop.
func (s *Session) attach(at *loop) {
	if err := at.add(&s.stream); err != nil {
		// Only a kernel out of memory refuses; the leg stays silent and is
		// found by M8.
		s.stream.engine.log.Error("media port cannot be read", "addr", s.talk.local, "err", err)
	}
}

// leave is the last thing a session does, on its loop.
func (s *Session) leave(*terms) {
	st := &s.stream
	st.farewell()
	st.guard.close()
	st.loop.remove(st)
	st.loop.load.Add(-1)
	st.pair.old = st.estate(s.source)
	if e := s.stream.engine; e.crowded(st.loop) {
		st.loop.io.release(st.pair)
	}
	s.pool.put(st.pair, st.loop.now)
	s.stream.engine.live.Done()
}

// post runs x on the session's loop, after what was posted before. The caller
// holds Engine.mu. The loops outlive all sessions.
func (s *Session) post(x errand) { s.note(x, soon) }

// postLater is post for what may wait for the next packet, at most lazyTime.
func (s *Session) postLater(x errand) { s.note(x, later) }

func (s *Session) note(x errand, when haste) {
	if s.moving {
		s.pending = append(s.pending, x)
		return
	}
	s.loop.note(x, when)
}
