package media

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/cordpair/cordpair/media/sdp"
)

// negotiation is the state of offer and answer with one party (RFC 3264).
type negotiation struct {
	local  netip.AddrPort // of RTP; never changes
	shown  netip.Addr     // what the party is told of it
	writer sdp.Writer
	sent   *sdp.Description // our last description; nil before the first
	agreed *sdp.Description // our side of the last exchange that succeeded

	offered *sdp.Description // the party's last offer
	answer  []byte           // our answer to it; nil until it is asked for
	asked   *sdp.Description // our offer that has no final answer yet

	used   []sdp.Codec // of our descriptions before the last one
	codecs []sdp.Codec // what the party's last description lists on its line
	able   []sdp.Codec // what any of them listed; never changed in place
	ptime  int16       // ms of a packet the party asked for last, 0 when it did not
	held   bool
	// settled: the call was answered, and what is answered now is final.
	settled bool
	unseen  bool // it has refused video

	encryption Encryption
	browser    bool
	shield     *shield // nil while everything is in the clear

	// before is how it was before the party's last offer, which may be refused; nil
	// before the first and while there is none.
	before *standing
}

// standing is what a refused offer leaves as it was.
type standing struct {
	codecs []sdp.Codec
	ptime  int16
	held   bool
}

// lists notes what a description of the party's lists.
func (n *negotiation) lists(codecs []sdp.Codec) {
	n.codecs = codecs
	if n.able == nil {
		n.able = codecs
		return
	}
	for _, c := range codecs {
		if !listed(n.able, c) {
			n.able = append(slices.Clip(n.able), c)
		}
	}
}

// withdraw forgets an offer of the party's that is refused: everything stays as
// it was (RFC 3261 section 14.1).
func (n *negotiation) withdraw() {
	var was standing
	if n.before != nil {
		was = *n.before
	}
	n.offered, n.before, n.codecs, n.ptime, n.held = nil, nil, was.codecs, was.ptime, was.held
}

// decoded are the codecs of our own, those that cost least first: what a party has
// not asked for should not make us transcode. Nobody changes them.
var decoded = append(sdp.G711(), sdp.G722)

// decodedWithOpus are those where the worker runs.
var decodedWithOpus = append(slices.Clip(decoded), sdp.Codec{Name: "opus", Clock: 48000, Channels: 2, PayloadType: 96})

// policy is our side of the next exchange.
func (n *negotiation) policy() sdp.Policy {
	return sdp.Policy{Address: n.shown, Port: n.local.Port(), Codecs: decoded, Mux: true}
}

// write gives the bytes of a description of ours and remembers it.
func (n *negotiation) write(d *sdp.Description) []byte {
	if n.sent != nil && n.sent != d {
		if line := n.sent.Audio(); line != nil {
			n.remember(line.Codecs)
		}
	}
	n.sent = d
	return n.writer.Write(d)
}

// remember keeps the formats of a description of ours whose payload types must not
// get another meaning later. The static ones never do.
func (n *negotiation) remember(codecs []sdp.Codec) {
	for _, c := range codecs {
		if c.PayloadType >= 96 && !listed(n.used, c) {
			n.used = append(n.used, c)
		}
	}
}

// hold notes whether the party wants to hear us.
func (n *negotiation) hold(held bool) Change {
	was := n.held
	n.held = held
	return Change{Held: held && !was, Resumed: was && !held}
}

// SetOffer takes a remote offer, the first or a later one. It fails with
// ErrBadSDP, ErrNotAcceptable or ErrForbiddenTarget, and then changes nothing.
// What it offers takes effect with Answer.
func (s *Session) SetOffer(body []byte) (Change, error) {
	offer, err := sdp.Parse(body)
	if err != nil {
		return Change{}, fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	joined := s.Joined()
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	n := &s.talk
	r, err := s.rehearse(offer)
	silent := noAudio(err) && s.faxOnly(offer, joined)
	if err != nil && !silent {
		return Change{}, err
	}
	if n.before = nil; n.codecs != nil {
		n.before = &standing{n.codecs, n.ptime, n.held}
	}
	n.offered, n.answer, n.asked = offer, nil, nil
	s.ask(nil)
	if silent {
		return Change{}, nil
	}
	n.lists(offer.Media[r.Media].Codecs)
	n.ptime = int16(r.PTime)
	return n.hold(r.Held), nil
}

// rehearse answers an offer as widely as we ever could: whether a format that
// we only pass through is of use depends on who the party will talk to.
func (s *Session) rehearse(offer *sdp.Description) (sdp.Result, error) {
	p := s.answering(offer)
	r, err := sdp.Rehearse(offer, p)
	for i := 0; errors.Is(err, sdp.ErrNoCodec) && i < len(offer.Media); i++ {
		if speech := offer.Media[i].Speech(); len(speech) > 0 {
			p.Prefer, p.PassThrough = speech[0], true
			r, err = sdp.Rehearse(offer, p)
		}
	}
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrNotAcceptable, err)
	}
	err = s.permitted(&r)
	return r, err
}

// permitted refuses a description that wants us to send where we must not (M5).
// A party whose RTP port lies below one of ours never asked for the reports that
// would go there: it gets none. No address is no target: that is the old form of
// hold, or a party we can only learn from its packets.
func (s *Session) permitted(r *sdp.Result) error {
	if s.mustNot(r.Remote) {
		return forbiddenTarget(r.Remote)
	}
	if !s.mustNot(r.RemoteRTCP) {
		return nil
	}
	if r.RemoteRTCP != netip.AddrPortFrom(r.Remote.Addr(), r.Remote.Port()+1) {
		return forbiddenTarget(r.RemoteRTCP)
	}
	r.RemoteRTCP = netip.AddrPortFrom(r.Remote.Addr(), 0)
	return nil
}

func (s *Session) mustNot(a netip.AddrPort) bool {
	to := netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
	return to.Port() != 0 && to.Addr().IsValid() && !to.Addr().IsUnspecified() && s.stream.engine.forbidden(to)
}

// Answer is our answer to the last offer; the same bytes until the next one. It
// prefers the codec of the session this one is joined to. A later offer that this
// party would have to follow first fails with ErrUndecided, see follow.go: ask again
// upon Events.Unmet, once. It fails with ErrNotAcceptable, or ErrNoCommonCodec if
// the two could not hear each other; a later offer changes nothing then.
func (s *Session) Answer() ([]byte, error) { return s.answer(true) }

// AnswerAtOnce is Answer for an offer whose author does not wait: with ErrUndecided it
// is forgotten.
func (s *Session) AnswerAtOnce() ([]byte, error) { return s.answer(false) }

func (s *Session) answer(patient bool) ([]byte, error) {
	peer := s.peer()
	able, unseen := peer.ability()
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	n := &s.talk
	switch {
	case n.answer != nil:
		return n.answer, nil
	case n.offered == nil:
		return nil, fmt.Errorf("answer: %w", ErrOrder)
	}
	a, err := s.consider(peer, able, unseen)
	if (a.wants || err != nil && a.leads) && patient && s.wait() {
		return nil, ErrUndecided
	}
	if err != nil {
		n.withdraw()
		s.waited()
		if a.leads && !patient {
			err = ErrUndecided
		}
		return nil, err
	}
	a.terms.beside = s.besides(a.ours, n.offered, a.lines, a.silent)
	b := n.write(a.ours)
	n.answer, n.offered, n.before, n.agreed = b, nil, nil, a.ours // what was offered may go: a call lasts for hours
	s.agree(a.terms)
	s.keepLines()
	s.waited()
	return b, nil
}

// Offer is our offer: the codecs of like's party first, those that only pass
// through included, then ours; once like's codec is settled, that one first. like
// may be nil: then the session this one is joined to counts, or what it speaks
// already.
func (s *Session) Offer(like *Session) ([]byte, error) {
	if like == nil {
		like = s.peer()
	}
	if like == nil {
		like = s
	}
	codecs, wish := like.speaks()
	lines := like.wishes(like == s)
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	n := &s.talk
	p := s.offering()
	p.PassThrough, p.PTime, p.Used = true, wish, n.used
	d, err := sdp.Offer(n.sent, codecs, p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotAcceptable, err)
	}
	n.asked, n.offered, n.answer = d, nil, nil
	s.ask(s.offerBeside(d, lines))
	s.keepLines()
	return n.write(d), nil
}

// Repeat offers once more what was agreed on last, byte for byte unless something
// else was offered in vain since (RFC 4028 section 7.4): nothing is to change. It
// fails with ErrOrder before that.
func (s *Session) Repeat() ([]byte, error) {
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	n := &s.talk
	if n.agreed == nil {
		return nil, fmt.Errorf("repeat: %w", ErrOrder)
	}
	n.asked, n.offered, n.answer = n.agreed, nil, nil
	s.ask(s.terms.Load().extra())
	return n.write(n.agreed), nil
}

// SetAnswer takes the answer to our offer, early or final: an offer may be
// answered more than once, and the last answer counts. Errors are those of
// SetOffer, and ErrOrder without an offer.
func (s *Session) SetAnswer(body []byte) (Change, error) {
	answer, err := sdp.Parse(body)
	if err != nil {
		return Change{}, fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	n := &s.talk
	if n.asked == nil {
		return Change{}, fmt.Errorf("set answer: %w", ErrOrder)
	}
	var t *terms
	held := n.held
	if asked := s.asking(); asked != nil && asked.silent {
		t = s.terms.Load().without()
	} else if t, held, err = s.readAnswer(answer); err != nil {
		return Change{}, err
	}
	t.beside = s.answeredBeside(s.asking(), answer)
	n.agreed = n.asked
	if err := joint(t, s.peerTerms()); err != nil {
		s.stream.engine.log.Warn("joined parties cannot hear each other", "err", err)
	}
	s.agree(t)
	if n.settled {
		s.ask(t.beside)
	}
	s.keepLines()
	return n.hold(held), nil
}

// readAnswer reads what an answer to our offer says of the audio. The caller holds
// negotiating.
func (s *Session) readAnswer(answer *sdp.Description) (t *terms, held bool, err error) {
	n := &s.talk
	r, err := sdp.ReadAnswer(n.asked, answer)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrNotAcceptable, err)
	}
	if err := s.permitted(&r); err != nil {
		return nil, false, err
	}
	n.lists(answer.Media[r.Media].Codecs)
	n.ptime = int16(r.PTime)
	ours := n.asked.Audio()
	if !ours.Direction.Sends() {
		r.Held = n.held // who was not offered to hear us has not decided anew
	}
	t = newTerms(r, n.local.Addr(), s.source)
	t.opus = s.stream.engine.speaksOpus()
	t.prove(ours)
	return t, r.Held, nil
}

// speaks lists the codecs of the party, only the one in use once that is
// settled: another one would have to be transcoded. ptime is the packet length it
// asks for in ms, 0 when it does not.
func (s *Session) speaks() (codecs []sdp.Codec, ptime int) {
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	t := s.terms.Load()
	if t == nil || s.talk.answer == nil && s.talk.offered != nil {
		return s.talk.codecs, int(s.talk.ptime)
	}
	out := []sdp.Codec{t.Codec}
	line := sdp.Media{Codecs: s.talk.codecs}
	speech := line.Speech()
	for _, c := range s.talk.codecs {
		if !listed(speech, c) {
			out = append(out, c) // telephone-event
		}
	}
	return out, int(s.talk.ptime)
}

// listed tells whether a format is in a list.
func listed(list []sdp.Codec, c sdp.Codec) bool {
	for _, other := range list {
		if other.Is(c) {
			return true
		}
	}
	return false
}

// peer is the session this one is joined to: the one it hears, or, while it
// hears something else, the one that hears it. nil without one.
func (s *Session) peer() *Session {
	s.stream.engine.mu.Lock()
	defer s.stream.engine.mu.Unlock()
	for _, other := range [2]*Session{s.hears, s.listener} {
		if other != nil && other != s {
			return other
		}
	}
	return nil
}

// peerTerms are those of the joined session, nil while there is none.
func (s *Session) peerTerms() *terms {
	if peer := s.peer(); peer != nil {
		return peer.terms.Load()
	}
	return nil
}
