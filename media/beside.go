package media

import (
	"errors"
	"net/netip"

	"github.com/cordpair/cordpair/media/sdp"
)

// Beside the audio of two parties that are joined, other lines pass as they are: video
// over plain RTP, and fax (T.38), which may also take the place of the audio. A line
// is accepted from one party only if the other has accepted it, so an offer that brings
// a new one waits like one that brings a new codec, see follow.go; what one party gives
// up the other is asked to give up too. Packets are not looked into, so the other party
// is told the same payload types. Where audio must be encrypted nothing passes beside
// it, and encrypted video is refused: its keys hold on one hop only.

// beside are the lines of a party beside its audio. A value never changes once it is
// part of terms.
type beside struct {
	silent bool // there is no audio line
	audio  int  // where it is, or was
	lines  []crossing
}

// crossing is one line.
type crossing struct {
	slot int        // its place in the descriptions of the dialog
	of   int        // the place of the other party's line that it is joined to
	said *sdp.Media // the party's words; nil in an offer of ours
	text *sdp.Media // the other party's
	line *line
}

// mostLines is how many lines pass beside the audio, and mostSlots how many lines a
// description of ours has.
const (
	mostLines = 4
	mostSlots = sdp.MaxMedia
)

// crossings are the lines that were agreed on.
func (t *terms) crossings() []crossing {
	if t == nil || t.beside == nil {
		return nil
	}
	return t.beside.lines
}

// extra is what was agreed on beside the audio; nil for nothing.
func (t *terms) extra() *beside {
	if t == nil {
		return nil
	}
	return t.beside
}

// silent tells whether there is no audio any more.
func (t *terms) silent() bool { return t != nil && t.beside != nil && t.beside.silent }

// at finds the line at a place.
func (t *terms) at(slot int) *crossing {
	lines := t.crossings()
	for i := range lines {
		if lines[i].slot == slot {
			return &lines[i]
		}
	}
	return nil
}

// mate is the line that c is joined to, among those of the other party.
func (c *crossing) mate(other *terms) *crossing {
	m := other.at(c.of)
	if m == nil || m.of != c.slot || m.said.Kind != c.said.Kind || len(m.said.Narrowed(c.said).Formats) == 0 {
		return nil
	}
	return m
}

// excess tells whether a party has what the other one has not: a line, or silence.
func (t *terms) excess(other *terms) bool {
	if t == nil || other == nil || t.beside == nil {
		return false
	}
	for i := range t.beside.lines {
		if t.beside.lines[i].mate(other) == nil {
			return true
		}
	}
	return t.silent() && !other.silent()
}

// without are terms without audio, else as before.
func (t *terms) without() *terms {
	out := *t
	out.Direction = sdp.Inactive
	return &out
}

// mayCross tells whether lines beside the audio may pass in the clear. The caller
// holds negotiating.
func (s *Session) mayCross() bool {
	t := s.terms.Load()
	return s.talk.encryption != EncryptRequired && !s.talk.browser && (t == nil || !t.Protection.DTLS())
}

// crosses tells whether a line of the party's may pass. The caller holds negotiating.
func (s *Session) crosses(m *sdp.Media) bool {
	if !s.mayCross() || !m.Crosses() {
		return false
	}
	rtp, rtcp := m.Remote()
	return !s.mustNot(rtp) && (!m.IsRTP() || !s.mustNot(rtcp))
}

// faxOnly tells whether an offer has no audio, and fax that may pass instead. The
// caller holds negotiating, and has seen whether the party is joined to another.
func (s *Session) faxOnly(offer *sdp.Description, joined bool) bool {
	t := s.terms.Load()
	if t == nil || !joined && t.beside == nil {
		return false
	}
	any := false
	for i := range offer.Media {
		if offer.Media[i].IsAudio() {
			return false
		}
		any = any || offer.Media[i].Kind == "image" && s.crosses(&offer.Media[i])
	}
	return any
}

// answerBeside adds to an answer what passes beside the audio; wants tells that there
// is more that the joined party could be asked for, which is no use for video if that
// one has refused some: unseen.
func (s *Session) answerBeside(offer *sdp.Description, theirs *terms, unseen bool) (lines []crossing, wants bool) {
	now := s.terms.Load()
	for i := range offer.Media {
		m := &offer.Media[i]
		if len(lines) == mostLines || !s.crosses(m) {
			continue
		}
		c := crossing{slot: i, said: m}
		if had := now.at(i); had.goesOn(m) {
			c.of, c.text, c.line = had.of, had.text.Narrowed(m), had.line
		} else if mate := taken(theirs, i, m); mate != nil {
			c.of, c.text = mate.slot, mate.said
			if had != nil && had.line.rtp == m.IsRTP() {
				c.line = had.line
			}
		} else {
			wants = wants || m.Kind != "video" || !unseen
			continue
		}
		lines = append(lines, c)
	}
	return lines, wants
}

// goesOn tells whether a later offer of the party's has a line as it was agreed on.
func (c *crossing) goesOn(m *sdp.Media) bool {
	if c == nil || c.said.Kind != m.Kind || c.said.Proto != m.Proto {
		return false
	}
	inUse := c.said.Narrowed(c.text)
	return len(inUse.Formats) > 0 && len(m.Narrowed(inUse).Formats) > 0
}

// taken finds what the other party has accepted of a line at a place.
func taken(theirs *terms, slot int, m *sdp.Media) *crossing {
	lines := theirs.crossings()
	for i := range lines {
		if lines[i].of == slot && lines[i].said.Within(m) {
			return &lines[i]
		}
	}
	return nil
}

// besides makes our part of an answer: the lines in d, and what goes into the terms.
// Lines for which there are no ports stay rejected.
func (s *Session) besides(d, offer *sdp.Description, lines []crossing, silent bool) *beside {
	if len(lines) == 0 && !silent {
		return nil
	}
	b := &beside{silent: silent, audio: s.audioSlot()}
	for _, c := range lines {
		if c.line == nil {
			var err error
			if c.line, err = s.openLine(c.said); err != nil {
				continue
			}
		}
		far := c.said
		c.said = far.Own()
		d.Media[c.slot] = c.text.Passed(s.shownAt(c.line), far.OurDirection().And(c.text.Direction), far.MID)
		b.lines = append(b.lines, c)
	}
	return b
}

// shownAt is what the party is told of a line's port.
func (s *Session) shownAt(ln *line) netip.AddrPort {
	return netip.AddrPortFrom(s.talk.shown, ln.pair.local.Port())
}

// audioSlot is where the audio is in our descriptions, or was before it fell silent.
func (s *Session) audioSlot() int {
	if t := s.terms.Load(); t.silent() {
		return t.beside.audio
	}
	if d := s.talk.sent; d != nil {
		for i := range d.Media {
			if d.Media[i].IsAudio() {
				return i
			}
		}
	}
	return 0
}

// answeredBeside reads what an answer says of the lines of our offer.
func (s *Session) answeredBeside(asked *beside, answer *sdp.Description) *beside {
	if asked == nil {
		return nil
	}
	b := &beside{silent: asked.silent, audio: asked.audio}
	for _, c := range asked.lines {
		if c.slot >= len(answer.Media) {
			break
		}
		m := &answer.Media[c.slot]
		if m.Kind == c.text.Kind && s.crosses(m) {
			c.said = m.Own()
			b.lines = append(b.lines, c)
		} else if c.text.Kind == "video" {
			s.talk.unseen = true
		}
	}
	if len(b.lines) == 0 && !b.silent {
		return nil
	}
	return b
}

// keepLines closes the lines that are neither in the terms nor in an offer of ours
// that may still be answered. The caller holds negotiating.
func (s *Session) keepLines() {
	e := s.stream.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.extra == nil {
		return
	}
	t, asking := s.terms.Load(), s.asking()
	s.closeLines(func(ln *line) bool { return uses(t.crossings(), ln) || asking != nil && uses(asking.lines, ln) })
}

func uses(lines []crossing, ln *line) bool {
	for i := range lines {
		if lines[i].line == ln {
			return true
		}
	}
	return false
}

// dropAsked gives up the lines of an offer of ours that has its final answer.
func (s *Session) dropAsked() {
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	if s.talk.settled = true; s.asking() != nil {
		s.ask(s.terms.Load().extra())
		s.keepLines()
	}
}

// withMore is the session of the joined pair that has lines which the other has not
// and should be offered what the other has; of two such the one that was made first.
// nil when there is none that has not refused. The caller holds Engine.mu.
func (s *Session) withMore() *Session {
	other := s.partner()
	if other == nil {
		return nil
	}
	mine, theirs := s.terms.Load(), other.terms.Load()
	more, also := !s.refused && mine.excess(theirs), !other.refused && theirs.excess(mine)
	switch {
	case more && (!also || s.born < other.born):
		return s
	case also:
		return other
	}
	return nil
}

// linkLines points the lines of from at those of s. The caller holds Engine.mu.
func (s *Session) linkLines(from *Session, there, here *terms) {
	if from == s || len(from.lines()) == 0 {
		return
	}
	for i := range there.crossings() {
		c := &there.beside.lines[i]
		if m := c.mate(here); m != nil && !m.said.OnHold() {
			c.line.to.Store(m.line)
		} else {
			c.line.to.Store(nil)
		}
	}
}

// unlink lets nobody hear the party. The caller holds Engine.mu.
func (s *Session) unlink() {
	s.stream.sink.Store(nil)
	for _, ln := range s.lines() {
		ln.to.Store(nil)
	}
}

// noAudio tells that an offer or answer has no audio that we can carry.
func noAudio(err error) bool { return errors.Is(err, sdp.ErrNoMedia) }
