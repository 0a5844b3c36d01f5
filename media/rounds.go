package media

// When the doctor looks at a stream, in ns: at first in time for a finding within
// two seconds of the answer, then at leisure.
const (
	firstLook = 1.75e9
	nextLook  = 5e9
	// roundPause is the least between two rounds, so that a loop with many young
	// calls does not go through its list for each of them.
	roundPause = 100e6
)

// Answered tells that the party has taken the call or was answered: from now on
// it should be heard, and Events.Found tells what is amiss.
func (s *Session) Answered() {
	s.dropAsked()
	e := s.stream.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if !s.closed {
		s.postLater(errand{do: (*Session).watched, s: s})
	}
}

// watched begins to look after the stream, on its loop.
func (s *Session) watched(*terms) {
	st := &s.stream
	if st.health != nil {
		return
	}
	st.health = &patient{since: st.loop.now}
	st.loop.visit(st, st.loop.now+firstLook)
}

// visit lets the stream be looked at then, or sooner if that is settled already.
func (l *loop) visit(s *stream, at int64) {
	if s.health.due == 0 || at < s.health.due {
		s.health.due = at
	}
	l.dues[s.index] = s.health.due
	if l.roundAt == 0 || s.health.due < l.roundAt {
		l.roundAt = s.health.due
	}
}

// hurry lets the stream be looked at soon, since a finding of a kind is there.
func (s *stream) hurry(k FindingKind) {
	if !s.knows(k) {
		s.loop.visit(s, s.loop.now+roundPause)
		s.loop.io.wakeLater() // a loop that is no poller of its own would sleep on
	}
}

// round looks at the streams that are due. The list of when they are is walked,
// which is short and lies together; a stream that is not due is not touched.
func (l *loop) round() {
	l.roundAt = 0
	for i, due := range l.dues {
		if due != 0 && due <= l.now {
			s := l.streams[i]
			due = s.examine()
			s.health.due, l.dues[i] = due, due
		}
		if due != 0 && (l.roundAt == 0 || due < l.roundAt) {
			l.roundAt = due
		}
	}
	if l.roundAt != 0 {
		l.roundAt = max(l.roundAt, l.now+roundPause)
	}
}
