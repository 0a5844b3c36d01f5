package media

import (
	"errors"
	"fmt"

	"github.com/cordpair/cordpair/media/sdp"
)

// Two joined parties hear each other if they speak one codec, or if we can turn the
// codec of each into the other's. Where we can, nobody has to follow anybody. When one
// of them offers nothing but codecs that would have to pass through, or leaves one
// that passes through (a fax that goes from G.729 to G.711), the other has to follow,
// and before the first is answered: a codec that was promised cannot be taken back.
// So that answer waits (ErrUndecided), the other gets a new offer (Events.Unmet), and
// with what comes of it the first is answered or refused; refused, it is as it was.

// considered is an answer that could be given.
type considered struct {
	ours  *sdp.Description
	terms *terms
	lines []crossing // beside the audio
	// silent: there is no audio, only lines.
	silent bool
	// leads: it could only be given if the joined party followed; wants: it could be
	// given now, but has more if that one does.
	leads, wants bool
}

// consider makes the answer to the party's offer. able is what the party it is
// joined to has listed, unseen that it has refused video. The caller holds negotiating.
func (s *Session) consider(peer *Session, able []sdp.Codec, unseen bool) (considered, error) {
	offer := s.talk.offered
	p := s.answering(offer)
	now := s.terms.Load()
	var theirs *terms
	if peer != nil {
		theirs = peer.terms.Load()
	}
	if theirs != nil {
		p.Prefer, p.PassThrough, p.PTime = theirs.Codec, true, theirs.PTime
	} else if now != nil {
		p.Prefer, p.PassThrough = now.Codec, true
	}
	lines, wants := s.answerBeside(offer, theirs, unseen)
	may := now != nil && theirs != nil // it is a later offer, and there is somebody to ask
	if s.faxOnly(offer, peer != nil) {
		return s.answerSilent(p, lines, may && wants)
	}
	a, err := s.answerBy(p, theirs)
	if err != nil && s.stream.engine.speaksOpus() {
		// Nothing that costs less: what is encoded elsewhere comes last.
		p.Codecs = decodedWithOpus
		if b, also := s.answerBy(p, theirs); also == nil {
			a, err = b, nil
		}
	}
	a.lines, a.wants = lines, may && wants && err == nil
	if err == nil || !may || !errors.Is(err, ErrNoCommonCodec) && !errors.Is(err, sdp.ErrNoCodec) {
		return a, err
	}
	a.leads = s.talk.mayLead(able, s.stream.engine.speaksOpus())
	return a, err
}

// answerSilent answers an offer without audio.
func (s *Session) answerSilent(p sdp.Policy, lines []crossing, leads bool) (considered, error) {
	if len(lines) == 0 {
		return considered{leads: leads}, fmt.Errorf("%w: %w", ErrNotAcceptable, sdp.ErrNoMedia)
	}
	d := sdp.AnswerWithoutAudio(s.talk.offered, p)
	return considered{ours: d, terms: s.terms.Load().without(), lines: lines, silent: true, wants: leads}, nil
}

// answerBy answers the party's offer by a policy, for a party with terms theirs.
func (s *Session) answerBy(p sdp.Policy, theirs *terms) (considered, error) {
	d, r, err := sdp.Answer(s.talk.offered, p)
	if err != nil {
		return considered{}, fmt.Errorf("%w: %w", ErrNotAcceptable, err)
	}
	if err := s.permitted(&r); err != nil {
		return considered{}, err
	}
	t := newTerms(r, s.talk.local.Addr(), s.source)
	t.opus = s.stream.engine.speaksOpus()
	t.prove(&d.Media[r.Media])
	if err := joint(t, theirs); err != nil {
		return considered{}, err
	}
	return considered{ours: d, terms: t}, nil
}

// mayLead tells whether the offer has a codec that the other party has listed too, or
// one of ours: then some codec of ours will do for the other.
func (n *negotiation) mayLead(able []sdp.Codec, opus bool) bool {
	for i := range n.offered.Media {
		if !n.offered.Media[i].IsAudio() {
			continue
		}
		for _, c := range n.offered.Media[i].Speech() {
			if ours(c, opus) || listed(able, c) {
				return true
			}
		}
	}
	return false
}

// wait has the answer of this party wait until the joined one has followed; false if
// it has been waited for already, or if that one waits itself. The caller holds
// negotiating.
func (s *Session) wait() bool {
	e := s.stream.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	other := s.partner()
	if s.waits || other == nil || other.waits || other.stream.events.Unmet == nil || s.stream.events.Unmet == nil {
		return false
	}
	s.waits, other.follows, other.refused = true, true, false
	s.reportUnmet()
	return true
}

// decided ends waiting, for this party's owner to ask for the answer again. The caller
// holds Engine.mu.
func (s *Session) decided() {
	if s.waits {
		s.post(errand{fn: s.stream.events.Unmet})
	}
}

// waited notes that the party's offer was answered or withdrawn. The caller does not
// hold Engine.mu.
func (s *Session) waited() {
	s.stream.engine.mu.Lock()
	defer s.stream.engine.mu.Unlock()
	if !s.waits {
		return
	}
	s.waits = false
	if other := s.partner(); other != nil {
		other.follows = false
	}
	s.reportUnmet()
}

// Withdraw forgets an offer whose answer is undecided: its author has given it up.
func (s *Session) Withdraw() {
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	if s.talk.offered != nil {
		s.talk.withdraw()
		s.waited()
	}
}

// ability lists what the party has listed so far, and tells whether it has refused
// video; nothing without one.
func (s *Session) ability() (codecs []sdp.Codec, unseen bool) {
	if s == nil {
		return nil, false
	}
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	return s.talk.able, s.talk.unseen
}

// agree puts new terms into effect.
func (s *Session) agree(t *terms) {
	e := s.stream.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.closed {
		return
	}
	s.terms.Store(t)
	if x := (errand{do: (*Session).adopt, s: s, terms: t}); s.player != nil {
		s.post(x) // it may be waiting for the terms
	} else {
		s.postLater(x)
	}
	s.relink()
	if other := s.partner(); other != nil && other.waits {
		s.follows = false
		other.decided()
		return
	}
	s.follows, s.refused = false, s.follows && s.unmet() == s // it took something else
	s.reportUnmet()
}

// Unmet tells that the party and the one it is joined to cannot hear each other
// as their codecs are settled, and that a new offer to this one may help; see
// Events.Unmet.
func (s *Session) Unmet() bool {
	s.stream.engine.mu.Lock()
	defer s.stream.engine.mu.Unlock()
	return s.unmet() == s
}

// Refused tells that the party did not take the offer that Events.Unmet asked for.
// The one it is joined to is asked to move then, unless it has refused too.
func (s *Session) Refused() {
	s.dropAsked()
	s.stream.engine.mu.Lock()
	defer s.stream.engine.mu.Unlock()
	if other := s.partner(); other != nil && other.waits {
		s.follows = false
		other.decided()
		return
	}
	s.follows, s.refused = false, true
	if other := s.apart(); other != nil && !other.refused {
		other.follows = true
		s.reportUnmet()
	}
}

// partner is the joined party, as long as both hear each other. The caller holds
// Engine.mu.
func (s *Session) partner() *Session {
	other := s.hears
	if other == nil || other == s || other.hears != s || s.closed || other.closed {
		return nil
	}
	return other
}

// apart is the partner, if the two cannot hear each other. The caller holds
// Engine.mu.
func (s *Session) apart() *Session {
	other := s.partner()
	if other == nil {
		return nil
	}
	if joint(s.terms.Load(), other.terms.Load()) == nil {
		return nil
	}
	return other
}

// unmet is the session of the joined pair that needs another codec: the one that
// has to follow, else the one whose codec cannot be transcoded; of two such the one
// that was made first has to move, for no better reason than that one of them
// must. nil when they hear each other. The caller holds Engine.mu.
func (s *Session) unmet() *Session {
	if other := s.partner(); other != nil && (s.waits || other.waits) {
		switch {
		case s.follows:
			return s
		case other.follows:
			return other
		}
		return nil // it has followed; the answer comes
	}
	other := s.apart()
	if other == nil {
		return s.withMore()
	}
	if s.follows != other.follows {
		if s.follows {
			return s
		}
		return other
	}
	mine, theirs := s.terms.Load(), other.terms.Load()
	switch foreign, also := !ours(mine.Codec, mine.opus), !ours(theirs.Codec, theirs.opus); {
	case foreign && (!also || s.born < other.born):
		return s
	case also:
		return other
	}
	return nil
}

// reportUnmet tells the owner of the session that needs another codec, unless it
// has refused. The caller holds Engine.mu.
func (s *Session) reportUnmet() {
	if one := s.unmet(); one != nil && !one.refused && one.stream.events.Unmet != nil {
		one.follows = one.follows || one == one.withMore()
		one.post(errand{fn: one.stream.events.Unmet})
	}
}
