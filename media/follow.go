package media

import (
	"errors"
	"fmt"

	"github.com/cordpair/cordpair/media/sdp"
)

// Two joined parties hear each other if they speak one codec, or if both speak
// G.711, which we transcode. When one of them settles on another codec, by an
// offer of its own, the other has to follow: it gets a new offer. Whether it can
// is known from what it listed before; that everybody can be heard in G.711 is
// taken for granted. If it refuses all the same, the first is asked to move back.

// considered is an answer that could be given.
type considered struct {
	ours  *sdp.Description
	terms *terms
	// leads: the joined party has to follow.
	leads bool
}

// consider makes the answer to the party's offer. able is what the party it is
// joined to has listed. The caller holds negotiating.
func (s *Session) consider(peer *Session, able []sdp.Codec) (considered, error) {
	p := s.answering(s.talk.offered)
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
	a, err := s.answerBy(p, theirs)
	if err == nil || now == nil || theirs == nil || !errors.Is(err, ErrNoCommonCodec) && !errors.Is(err, sdp.ErrNoCodec) {
		return a, err
	}
	c, ok := s.talk.lead(able)
	if !ok {
		return a, err
	}
	p.Prefer = c
	a, err = s.answerBy(p, nil)
	a.leads = true
	return a, err
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
	t.prove(&d.Media[r.Media])
	if err := joint(t, theirs); err != nil {
		return considered{}, err
	}
	return considered{ours: d, terms: t}, nil
}

// lead is the first offered codec that the other party has listed too, else the
// first of G.711.
func (n *negotiation) lead(able []sdp.Codec) (sdp.Codec, bool) {
	var plain sdp.Codec
	for i := range n.offered.Media {
		if !n.offered.Media[i].IsAudio() {
			continue
		}
		for _, c := range n.offered.Media[i].Speech() {
			for _, known := range able {
				if known.Is(c) {
					return known, true
				}
			}
			if plain.IsZero() && lawOf(c) != notG711 {
				plain = c
			}
		}
	}
	return plain, !plain.IsZero()
}

// ability lists what the party has listed so far; nil without one.
func (s *Session) ability() []sdp.Codec {
	if s == nil {
		return nil
	}
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	return s.talk.able
}

// agree puts new terms into effect. With leads the joined party is to follow.
func (s *Session) agree(t *terms, leads bool) {
	e := s.engine
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
	other := s.apart()
	s.follows, s.refused = false, s.follows && other != nil // it took something else
	if other != nil && leads {
		other.follows, other.refused = true, false
	}
	s.reportUnmet()
}

// Unmet tells that the party and the one it is joined to cannot hear each other
// as their codecs are settled, and that a new offer to this one may help; see
// Events.Unmet.
func (s *Session) Unmet() bool {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	return s.unmet() == s
}

// Refused tells that the party did not take the offer that Events.Unmet asked for.
// The one it is joined to is asked to move then, unless it has refused too.
func (s *Session) Refused() {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	s.follows, s.refused = false, true
	if other := s.apart(); other != nil && !other.refused {
		other.follows = true
		s.reportUnmet()
	}
}

// apart is the joined party, if the two cannot hear each other. The caller holds
// Engine.mu.
func (s *Session) apart() *Session {
	other := s.hears
	if other == nil || other == s || other.hears != s || s.closed || other.closed {
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
	other := s.apart()
	if other == nil {
		return nil
	}
	if s.follows != other.follows {
		if s.follows {
			return s
		}
		return other
	}
	mine, theirs := s.terms.Load(), other.terms.Load()
	switch foreign, also := mine.sends == notG711, theirs.sends == notG711; {
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
		one.post(errand{fn: one.stream.events.Unmet})
	}
}
