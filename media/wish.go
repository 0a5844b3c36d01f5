package media

import "github.com/cordpair/cordpair/media/sdp"

// wish is what an offer to one party shall have beside the audio for another one.
type wish struct {
	silent  bool // there shall be no audio
	instead bool // the first line takes the place of the audio
	lines   []wished
}

// wished is a line: where the other party has it, and its words.
type wished struct {
	of   int
	text *sdp.Media
}

// wishes are what the party wants to pass to another: its offer that waits for an
// answer, else what was agreed on. For its own sake it wants what it has. nil for
// nothing but audio.
func (s *Session) wishes(self bool) *wish {
	s.negotiating.Lock()
	defer s.negotiating.Unlock()
	n, t := &s.talk, s.terms.Load()
	if n.offered != nil && n.answer == nil && !self {
		return s.wishesOf(n.offered)
	}
	if t == nil || t.beside == nil {
		return nil
	}
	w := &wish{silent: t.silent()}
	for i := range t.beside.lines {
		if c := &t.beside.lines[i]; self {
			w.lines = append(w.lines, wished{c.of, c.text})
		} else if text := c.said.Narrowed(c.text); len(text.Formats) > 0 {
			w.lines = append(w.lines, wished{c.slot, text})
		}
	}
	return w
}

// wishesOf are those of an offer. The caller holds negotiating.
func (s *Session) wishesOf(offer *sdp.Description) *wish {
	w := wish{silent: s.terms.Load() != nil, instead: true}
	for i := range offer.Media {
		m := &offer.Media[i]
		w.instead = w.instead && m.Kind != "audio"
		w.silent = w.silent && !m.IsAudio()
		if len(w.lines) < mostLines && s.crosses(m) {
			w.lines = append(w.lines, wished{i, m.Own()})
		}
	}
	if len(w.lines) == 0 {
		return nil // nothing was taken from the heap
	}
	found := w
	return &found
}

// offerBeside adds to an offer of ours what another party wishes, and remembers what
// it has added. The audio stays where it is in the dialog, or was.
func (s *Session) offerBeside(d *sdp.Description, w *wish) *beside {
	now := s.terms.Load()
	if w != nil && !s.mayCross() {
		w = nil
	}
	if w == nil && (now == nil || now.beside == nil) {
		return nil
	}
	if w == nil {
		w = new(wish)
	}
	if len(w.lines) == 0 && !now.silent() {
		return &beside{}
	}
	audio := s.unplaceAudio(d)
	b := &beside{silent: w.silent && len(w.lines) > 0, audio: audio.slot}
	for _, want := range w.lines {
		c := crossing{slot: -1, of: want.of, text: want.text}
		if had := now.crossingOf(b, w, want); had != nil {
			c.slot, c.line = had.slot, had.line
		} else if w.instead && b.silent && len(b.lines) == 0 {
			c.slot = audio.slot
		}
		s.placeLine(d, b, c, audio.slot)
	}
	b.silent = b.silent && len(b.lines) > 0
	audio.restore(d, b)
	return b
}

// crossingOf finds the line that was agreed on for a wish, unless b has it already.
func (t *terms) crossingOf(b *beside, w *wish, want wished) *crossing {
	lines := t.crossings()
	var found *crossing
	for i := range lines {
		c := &lines[i]
		if b.has(c.slot) || c.said.Kind != want.text.Kind {
			continue
		}
		if c.of == want.of {
			return c
		}
		if found == nil && !w.has(c.of) {
			found = c
		}
	}
	return found
}

// has tells whether the other party's line at a place is wanted.
func (w *wish) has(of int) bool {
	for i := range w.lines {
		if w.lines[i].of == of {
			return true
		}
	}
	return false
}

func (b *beside) has(slot int) bool {
	for i := range b.lines {
		if b.lines[i].slot == slot {
			return true
		}
	}
	return false
}

// placeLine puts a line into an offer: where it was, in the place of one of its kind that
// was given up, or behind the others.
func (s *Session) placeLine(d *sdp.Description, b *beside, c crossing, audio int) {
	for i := 0; c.slot < 0 && i < len(d.Media); i++ {
		if i != audio && !b.has(i) && s.terms.Load().at(i) == nil && d.Media[i].Kind == c.text.Kind {
			c.slot = i
		}
	}
	if c.slot < 0 {
		c.slot = max(len(d.Media), audio+1)
	}
	if c.slot >= mostSlots {
		return
	}
	if c.line == nil {
		var err error
		if c.line, err = s.openLine(c.text); err != nil {
			return
		}
	}
	for c.slot >= len(d.Media) {
		d.Media = append(d.Media, sdp.Media{})
	}
	d.Media[c.slot] = c.text.Passed(s.shownAt(c.line), c.text.Direction, d.Media[c.slot].MID)
	b.lines = append(b.lines, c)
}

// audioLine is the audio of an offer that is being made, and its place.
type audioLine struct {
	slot int
	text sdp.Media
}

// unplaceAudio takes the audio out of an offer. One that was silent has it behind the
// other lines, and gets it back where it was.
func (s *Session) unplaceAudio(d *sdp.Description) audioLine {
	at := 0
	for i := range d.Media {
		if d.Media[i].IsAudio() {
			at = i
		}
	}
	a := audioLine{slot: at, text: d.Media[at]}
	if s.terms.Load().silent() && at == len(d.Media)-1 {
		d.Media, a.slot = d.Media[:at], s.audioSlot()
	} else {
		d.Media[at] = a.text.Rejected()
	}
	return a
}

// restore puts the audio back, unless the offer has none.
func (a *audioLine) restore(d *sdp.Description, b *beside) {
	switch {
	case b.silent:
		if a.slot == len(d.Media) {
			d.Media = append(d.Media, a.text.Rejected())
		}
		return
	case b.has(a.slot):
		b.audio = len(d.Media)
	}
	for b.audio >= len(d.Media) {
		d.Media = append(d.Media, sdp.Media{})
	}
	d.Media[b.audio] = a.text
}
