package media

import (
	"fmt"
	"slices"
)

// Join lets two parties hear each other, until either is given another source.
// Where they speak different codecs that are both ours they are transcoded; others
// pass only if both sides negotiated the same. ErrNoCommonCodec reports, as far as the codecs are settled, that one
// of them cannot hear the other; the join stands and nothing unintelligible is
// sent. ErrClosed if one of them has ended.
func Join(a, b *Session) error {
	e := a.stream.engine
	if e != b.stream.engine {
		return fmt.Errorf("join: sessions of two engines: %w", ErrNotAcceptable)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if a.closed || b.closed {
		return ErrClosed
	}
	a.follows, a.refused, b.follows, b.refused = false, false, false, false
	a.setSource(b, nil, ErrReplaced)
	b.setSource(a, nil, ErrReplaced)
	a.reportUnmet()
	return joint(a.terms.Load(), b.terms.Load())
}

// Echo returns to the party what it sends.
func (s *Session) Echo() { s.become(s, nil) }

// Quiet stops whatever the party hears.
func (s *Session) Quiet() { s.become(nil, nil) }

// Play lets the party hear the named sounds one after another, from the
// beginning when loop is set and the last has ended. Before an offer has been
// answered it waits for that, and no time passes. The first sound waits up to
// half a second for the party's first packet, and a little silence follows the
// last, so that nothing is cut at either end. done is called exactly
// once, from a media worker or the caller: nil at the natural end, ErrNoSound,
// ErrNoCodec, ErrReplaced or ErrClosed. It may be nil.
func (s *Session) Play(names []string, loop bool, done func(error)) {
	p := &player{to: &s.stream, loop: loop, done: done, said: utterance{epoch: s.stream.engine.nextEpoch()}}
	for _, name := range names {
		pcm, ok := s.stream.engine.sounds.Lookup(name)
		if !ok || len(pcm) == 0 {
			p.finish(fmt.Errorf("%w: %q", ErrNoSound, name))
			return
		}
		p.clips = append(p.clips, pcm)
	}
	if len(names) == 0 && loop {
		p.finish(fmt.Errorf("%w: nothing to repeat", ErrNoSound))
		return
	}
	if !s.become(nil, p) {
		p.finish(ErrClosed)
	}
}

// become gives the party a new source; false after Close.
func (s *Session) become(from *Session, p *player) bool {
	e := s.stream.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.closed {
		return false
	}
	s.setSource(from, p, ErrReplaced)
	return true
}

// setSource replaces what the party hears: another session, itself, a player or
// nothing. A playback that was on ends with why. The caller holds Engine.mu.
func (s *Session) setSource(from *Session, p *player, why error) {
	if old := s.player; old != nil && old.end() {
		// Claimed here, so that not one more frame goes out; told there, so
		// that done may use the session.
		s.post(errand{fn: func() { old.report(why) }})
	}
	s.decided()
	if old := s.hears; old != nil {
		old.decided()
		old.unlink()
		old.listener = nil
	}
	s.hears, s.player = nil, p
	if p != nil {
		s.post(errand{fn: func() { s.stream.loop.play(p) }})
	}
	if from == nil {
		return
	}
	if other := from.listener; other != nil {
		other.hears = nil
	}
	s.hears, from.listener = from, s
	s.turn = s.stream.engine.nextEpoch()
	s.link()
}

// link points the packets of the session's source at it, as the terms of both
// want it. If they are on two loops this one moves first. The caller holds
// Engine.mu.
func (s *Session) link() {
	from := s.hears
	if from == nil {
		return
	}
	there, here := from.terms.Load(), s.terms.Load()
	switch {
	case from.moving || s.moving || there == nil || here == nil:
		from.unlink() // linked when that has changed
	case from.loop != s.loop:
		from.unlink()
		s.move(from.loop)
	default:
		r := newRelay(&s.stream, there, here)
		r.turn = s.turn
		r.inherit(relayed(&from.stream))
		from.stream.sink.Store(&r.self)
		s.linkLines(from, there, here)
	}
}

// relink links the session in both roles.
func (s *Session) relink() {
	s.link()
	if s.listener != nil && s.listener != s {
		s.listener.link()
	}
}

// move takes the session to another loop. What arrives meanwhile waits in its
// sockets; what writes to its stream is unlinked before. The caller holds
// Engine.mu.
func (s *Session) move(to *loop) {
	old, st := s.loop, &s.stream
	if s.hears != nil {
		s.hears.unlink()
	}
	s.unlink()
	s.moving = true
	lines := slices.Clone(s.lines())
	old.post(func() {
		old.hand(st)
		here := handOver(old, lines)
		old.load.Add(-1)
		to.load.Add(1)
		to.post(func() { s.arrive(to, here) })
	})
}

// arrive ends a move, on the new loop.
func (s *Session) arrive(at *loop, lines []*line) {
	s.attach(at)
	for _, ln := range lines {
		ln.enter()
	}
	e := s.stream.engine
	e.mu.Lock()
	s.loop, s.moving = at, false
	pending := s.pending
	s.pending = nil
	s.relink()
	e.mu.Unlock()
	for _, x := range pending {
		x.run()
	}
}

// joint tells whether two parties with these terms can hear each other. Terms
// that are not settled yet, or a direction nobody wants, are no obstacle.
func joint(a, b *terms) error {
	if a == nil || b == nil {
		return nil
	}
	if !understood(a, b) || !understood(b, a) {
		return fmt.Errorf("%w: %s and %s", ErrNoCommonCodec, a.Codec, b.Codec)
	}
	return nil
}

// Joined tells whether the party is joined to another one, be it that one of them
// hears something else for now.
func (s *Session) Joined() bool { return s.peer() != nil }
